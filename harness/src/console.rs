//! The console: a page that shows the records of a system, of a run that goes on or of one that
//! has ended.
//!
//! Next: `page` (one run in one file), `view` (a record as the console shows it), `map`.

pub(crate) mod map;
mod page;
pub(crate) mod view;

pub use page::page;

const INDEX: &str = include_str!("console/assets/index.html");
const CSS: &str = include_str!("console/assets/console.css");
const ICON: &str = include_str!("console/assets/icon.svg");

/// The scripts, in the order in which they run.
const SCRIPTS: [(&str, &str); 8] = [
    ("commands", include_str!("console/assets/commands.js")),
    ("map", include_str!("console/assets/map.js")),
    ("clock", include_str!("console/assets/clock.js")),
    ("timeline", include_str!("console/assets/timeline.js")),
    ("documents", include_str!("console/assets/documents.js")),
    ("decisions", include_str!("console/assets/decisions.js")),
    ("queues", include_str!("console/assets/queues.js")),
    ("faults", include_str!("console/assets/faults.js")),
];

/// The script that runs last, and begins.
const FEED: &str = include_str!("console/assets/feed.js");

/// A file of the console: path, type and text.
pub(crate) type File = (String, &'static str, String);

/// The files of the console of a system that goes on.
pub(crate) fn files() -> Vec<File> {
    let script = |name: &str, text: &str| {
        (format!("/_/{name}.js"), "text/javascript; charset=utf-8", text.to_owned())
    };
    let mut files = vec![
        ("/_/".to_owned(), "text/html; charset=utf-8", html(&Style::Served)),
        ("/_/console.css".to_owned(), "text/css; charset=utf-8", CSS.to_owned()),
        ("/_/icon.svg".to_owned(), "image/svg+xml", ICON.to_owned()),
        script("feed", FEED),
    ];
    files.extend(SCRIPTS.map(|(name, text)| script(name, text)));
    files
}

/// Where the page has its files and its records.
enum Style<'a> {
    /// At the program that serves it.
    Served,
    /// In itself.
    Whole {
        /// The run as JSON, in which nothing ends an element.
        data: &'a str,
    },
}

fn html(style: &Style<'_>) -> String {
    let names = SCRIPTS.iter().map(|(name, _)| *name).chain(["feed"]);
    let texts = SCRIPTS.iter().map(|(_, text)| *text).chain([FEED]);
    let (head, scripts) = match style {
        Style::Served => (
            "<link rel=\"icon\" href=\"/_/icon.svg\">\n\
             <link rel=\"stylesheet\" href=\"/_/console.css\">"
                .to_owned(),
            names.map(|name| format!("<script src=\"/_/{name}.js\"></script>\n")).collect(),
        ),
        Style::Whole { data } => (
            format!(
                "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
                 script-src 'unsafe-inline'; style-src 'unsafe-inline'\">\n<style>\n{CSS}</style>"
            ),
            format!(
                "<script type=\"application/json\" id=\"run\">{data}</script>\n{}",
                texts.map(|text| format!("<script>\n{text}</script>\n")).collect::<String>()
            ),
        ),
    };
    INDEX.replace("<!--head-->", &head).replace("<!--scripts-->", &scripts)
}
