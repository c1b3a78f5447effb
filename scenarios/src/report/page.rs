//! A run as one page: what held, what failed and how, and what could have gone wrong.
//!
//! The page needs nothing else, neither script nor network, so that CI can keep it as it is.
//! It renders what it is given and judges nothing.

use std::fmt::Write as _;
use std::path::Path;
use std::{fs, io};

use harness::coverage::Coverage;

use super::coverage;
use crate::gherkin::Finished;
use crate::story::Told;

/// The page's file in the folder of a run.
pub const FILE: &str = "index.html";

/// What is on a page.
#[derive(Debug, Default)]
pub struct Page<'a> {
    /// What was done.
    pub title: String,
    /// Whether all held.
    pub held: bool,
    /// Figures: what is counted, and the count.
    pub figures: Vec<(String, String)>,
    /// The scenarios that were run.
    pub scenarios: &'a [Finished],
    /// What failed, and in how many schedules.
    pub failures: &'a [(u64, Told)],
    /// How many failures are not told.
    pub untold: usize,
    /// Which fault points were reached; `None` where none were possible.
    pub coverage: Option<&'a Coverage>,
}

const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}
h1 small{font-size:1rem;font-weight:400;opacity:.7}
.held{color:#17803d}.failed{color:#c02626}
@media(prefers-color-scheme:dark){.held{color:#4ade80}.failed{color:#f87171}}
table{border-collapse:collapse}td,th{padding:.15rem .8rem .15rem 0;text-align:left;vertical-align:top}
section{margin:2rem 0}summary{cursor:pointer}
pre,.picture{overflow-x:auto;padding:.6rem;border:1px solid color-mix(in srgb,currentColor 20%,transparent);border-radius:4px}
pre{font-size:.85rem;line-height:1.35}code{word-break:break-all}.dim{opacity:.7}";

impl Page<'_> {
    /// Writes the page into a folder, which is made where it is missing.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join(FILE), self.html())
    }

    /// The page.
    pub fn html(&self) -> String {
        let title = escaped(&self.title);
        let (class, verdict) =
            if self.held { ("held", "everything held") } else { ("failed", "a finding") };
        let mut page = format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <title>{title}: {verdict}</title>\n<style>\n{STYLE}\n</style></head><body>\n\
             <h1>{title} <small class=\"{class}\">{verdict}</small></h1>\n<table>\n"
        );
        for (what, figure) in &self.figures {
            let (what, figure) = (escaped(what), escaped(figure));
            _ = writeln!(page, "<tr><th>{what}</th><td>{figure}</td></tr>");
        }
        page += "</table>\n";
        self.failures.iter().for_each(|(count, told)| failure(&mut page, *count, told));
        if self.untold > 0 {
            _ = writeln!(page, "<p>And {} other failures, not told here.</p>", self.untold);
        }
        scenarios(&mut page, self.scenarios);
        if let Some(reached) = self.coverage {
            let text = escaped(&coverage::text(reached));
            _ = writeln!(page, "<section><h2>What could go wrong, and did</h2>");
            _ = writeln!(page, "<pre>{text}</pre></section>");
        }
        page + "</body></html>\n"
    }
}

fn failure(page: &mut String, count: u64, told: &Told) {
    let promise = escaped(told.promise.as_deref().unwrap_or("All held"));
    let plural = if count == 1 { "" } else { "s" };
    _ = writeln!(page, "<section><h2 class=\"failed\">{promise}</h2>");
    _ = writeln!(page, "<p>Broken in {count} schedule{plural}; as small as it goes:</p>\n<ol>");
    told.steps.iter().for_each(|step| _ = writeln!(page, "<li>{}</li>", escaped(step)));
    *page += "</ol>\n";
    if !told.needless.is_empty() {
        *page += "<details><summary>Faults that were not needed</summary><ul>\n";
        told.needless.iter().for_each(|fault| _ = writeln!(page, "<li>{}</li>", escaped(fault)));
        *page += "</ul></details>\n";
    }
    _ = writeln!(page, "<div class=\"picture\">{}</div>", told.picture.svg());
    let scenario = escaped(&told.gherkin);
    _ = writeln!(page, "<details><summary>As a scenario</summary><pre>{scenario}</pre></details>");
    let again = format!("rehearse replay {}", told.token);
    _ = writeln!(page, "<p>Again: <code>{}</code></p></section>", escaped(&again));
}

/// A table for each feature, in the order of their names; open where something failed.
fn scenarios(page: &mut String, scenarios: &[Finished]) {
    if scenarios.is_empty() {
        return;
    }
    let mut ordered: Vec<&Finished> = scenarios.iter().collect();
    ordered.sort_by_key(|finished| (&finished.feature, &finished.place));
    *page += "<section><h2>Scenarios</h2>\n";
    for feature in ordered.chunk_by(|one, other| one.feature == other.feature) {
        let failed = feature.iter().filter(|finished| finished.failure.is_some()).count();
        let open = if failed > 0 { " open" } else { "" };
        let name = escaped(&feature[0].feature);
        let of = feature.len();
        let count = match failed {
            0 => format!("<span class=\"held\">{of} held</span>"),
            _ => format!("<span class=\"failed\">{failed} of {of} failed</span>"),
        };
        _ = writeln!(page, "<details{open}><summary>{name}: {count}</summary><table>");
        feature.iter().for_each(|finished| scenario(page, finished));
        *page += "</table></details>\n";
    }
    *page += "</section>\n";
}

fn scenario(page: &mut String, finished: &Finished) {
    let (name, place) = (escaped(&finished.scenario), escaped(&finished.place));
    let took = super::time(finished.took);
    let mark = match finished.failure {
        None => "<span class=\"held\">held</span>",
        Some(_) => "<span class=\"failed\">failed</span>",
    };
    let title = format!("<span title=\"{place}\">{name}</span>");
    _ = write!(page, "<tr><td>{mark}</td><td>{title}");
    if let Some(failure) = &finished.failure {
        let step = failure.step.as_ref().map(|step| format!("{step}\n")).unwrap_or_default();
        _ = write!(page, "<pre>{}</pre>", escaped(&format!("{step}{}", failure.why)));
    }
    _ = writeln!(page, "</td><td class=\"dim\">{took}</td></tr>");
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::gherkin::Failure;

    fn finished(name: &str, why: Option<&str>) -> Finished {
        Finished {
            feature: "Buying".to_owned(),
            scenario: name.to_owned(),
            place: "buying.feature:1".to_owned(),
            failure: why.map(|why| Failure { step: None, why: why.to_owned() }),
            took: Duration::from_millis(1),
            trace: None,
        }
    }

    #[test]
    fn what_failed_is_open_and_what_it_says_is_no_markup() {
        let scenarios = [finished("held one", None), finished("<i>", Some("1 < 2 & \"so\""))];
        let page = Page { title: "A & B".to_owned(), scenarios: &scenarios, ..Page::default() };
        let html = page.html();
        assert!(html.contains("<details open>") && html.contains("1 of 2 failed"), "{html}");
        assert!(html.contains("&lt;i&gt;") && !html.contains("<i>"), "{html}");
        assert!(html.contains("1 &lt; 2 &amp; &quot;so&quot;"), "{html}");
        assert!(html.contains("A &amp; B: a finding"), "{html}");
    }

    #[test]
    fn nothing_is_open_where_all_held() {
        let scenarios = [finished("held one", None)];
        let page = Page { held: true, scenarios: &scenarios, ..Page::default() };
        let html = page.html();
        assert!(html.contains("everything held") && !html.contains(" open"), "{html}");
    }
}
