//! A failure as people would tell it: what was done and answered, which fault struck where,
//! which order mattered, and which promise was broken. In three forms: a numbered story, a
//! sequence diagram, and a scenario that reproduces it.
//!
//! It tells what a run was and runs nothing. Of a shrunk case nothing in it is needless.
//!
//! Next: [`fault`] (faults in words), [`rows`] (acts in rows), [`names`] (ids in words),
//! `turns` (decisions in words), `scenario` (Gherkin).

pub mod fault;
pub mod names;
pub mod rows;
mod scenario;
mod turns;

use std::path::{Path, PathBuf};
use std::{fs, io};

use harness::faults::FaultRule;
use harness::report::trace as json;
use harness::story::diagram::{self, Diagram, Sequence};
use harness::trace::RecordKind;
use harness::world::Reply;

use crate::case::Token;
use crate::invariants;
use crate::perform::Performed;
use crate::script::Then;
use crate::shrink::Shrunk;
use crate::simulate::{COMES_TO_REST, Run};
use names::Names;

/// A run, told.
#[derive(Debug, Clone)]
pub struct Told {
    /// What happened, in order, a sentence each; last, what came of it.
    pub steps: Vec<String>,
    /// The faults that had struck and were not needed.
    pub needless: Vec<String>,
    /// The promise that was broken, as it is promised; `None` where all were kept.
    pub promise: Option<String>,
    /// What went where, as a sequence diagram.
    pub picture: Sequence,
    /// A feature with one scenario that does the same.
    pub gherkin: String,
    /// The run in one word.
    pub token: Token,
}

/// How many lines a diagram has at most.
const LINES: usize = 150;

/// Tells a shrunk case.
pub fn tell(shrunk: &Shrunk) -> Told {
    of(&shrunk.run, Some(&shrunk.invariant), &shrunk.needless)
}

/// Tells a run that was watched. `invariant` is the promise in question; without one, the
/// first that was broken.
pub fn of(run: &Run, invariant: Option<&str>, needless: &[FaultRule]) -> Told {
    let names = Names::of(&run.trace);
    let broken = run.violations.iter().find(|v| invariant.is_none_or(|name| v.invariant == name));
    let broken = broken.or_else(|| run.broken());
    let turned = turns::sentences(run, &names);
    let end = broken.map_or_else(
        || "every promise is kept".to_owned(),
        |broken| {
            let how = names.told(&broken.how);
            format!("the promise {} is broken: {how}", broken.invariant)
        },
    );
    let invariant = broken.map(|broken| broken.invariant).or(invariant);
    Told {
        steps: steps(run, &turned, end.clone()),
        needless: needless.iter().map(fault::sentence).collect(),
        promise: broken.map(|broken| promise(broken.invariant)),
        picture: picture(run, &names),
        gherkin: scenario::feature(&run.exact, invariant, &turned, &end),
        token: Token::of(&run.exact),
    }
}

/// The decisions of a watched run that were not the polite one: number and sentence.
pub fn turned(run: &Run) -> Vec<(u32, String)> {
    turns::sentences(run, &Names::of(&run.trace))
}

/// What is promised under this name.
pub fn promise(invariant: &str) -> String {
    if invariant == COMES_TO_REST {
        return "With everything healed, the system comes to rest by itself".to_owned();
    }
    let known = invariants::ALL.iter().find(|known| known.name == invariant);
    known.map_or(invariant, |known| known.promise).to_owned()
}

/// The story: acts, faults and decisions in the order of the record.
fn steps(run: &Run, turned: &[(u32, String)], end: String) -> Vec<String> {
    let mut lines: Vec<(usize, u8, String)> = Vec::new();
    let marks = run.turned.iter().map(|turned| turned.mark);
    lines.extend(marks.zip(turned).map(|(mark, (_, sentence))| (mark, 0, sentence.clone())));
    let injected = run.trace.iter().enumerate();
    let injected = injected.filter(|(_, record)| matches!(record.kind, RecordKind::Fault { .. }));
    let injected = injected.zip(run.injected());
    lines.extend(injected.map(|((at, _), rule)| (at, 1, fault::sentence(rule))));
    let rounds = &run.exact.script.rounds;
    let mut last = None;
    for performed in &run.performed {
        let before = match last {
            Some(round) if round == performed.round => "at the same moment, ".to_owned(),
            _ => {
                let from = last.unwrap_or(0);
                let pauses = rounds.get(from..performed.round).unwrap_or_default();
                pauses.iter().map(|round| pause(round.then)).collect()
            }
        };
        last = Some(performed.round);
        lines.push((performed.mark, 1, format!("{before}{}", deed(performed))));
    }
    lines.sort_by_key(|(at, order, _)| (*at, *order));
    let mut lines: Vec<String> = lines.into_iter().map(|(_, _, line)| line).collect();
    let rest = rounds.get(last.unwrap_or(0)..).unwrap_or_default();
    let waits: u32 = rest.iter().map(|round| seconds(round.then)).sum();
    if waits > 0 {
        lines.push(format!("{} pass", time(waits)));
    }
    lines.push(end);
    lines.iter().map(|line| capitalized(line)).collect()
}

/// What somebody did and was told.
fn deed(performed: &Performed) -> String {
    let Performed { act, told, .. } = performed;
    match told {
        None => act.to_string(),
        Some(Reply::Unanswered(_)) => format!("{act}: no answer"),
        Some(Reply::Answer(answer)) => {
            let status = answer.status().as_u16();
            let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap_or_default();
            match body["errors"][0]["message"].as_str() {
                Some(message) => format!("{act}: {status} `{message}`"),
                None => format!("{act}: {status}"),
            }
        }
    }
}

/// How what follows a round begins.
fn pause(then: Then) -> String {
    match then {
        Then::Go => "right after that, ".to_owned(),
        Then::Settle => String::new(),
        Then::Pass(seconds) => format!("{} later, ", time(seconds)),
        Then::Meet(seconds) => format!("{} later to the moment, ", time(seconds)),
    }
}

fn seconds(then: Then) -> u32 {
    match then {
        Then::Go | Then::Settle => 0,
        Then::Pass(seconds) | Then::Meet(seconds) => seconds,
    }
}

/// So many seconds, in words.
fn time(seconds: u32) -> String {
    fault::duration(std::time::Duration::from_secs(seconds.into()))
}

fn capitalized(line: &str) -> String {
    // The names of services stay as they are written.
    let name = line.split(' ').next().unwrap_or_default();
    let service = ticketing::SERVICES.iter().any(|entry| entry.name == name);
    if service {
        return line.to_owned();
    }
    let mut letters = line.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// The diagram of everything since people have signed up.
fn picture(run: &Run, names: &Names) -> Sequence {
    let first = run.trace.iter().position(|record| matches!(record.kind, RecordKind::Step { .. }));
    let name =
        |word: &str| fault::event_name(word).map(str::to_owned).or_else(|| names.of_id(word));
    let drawn = Diagram { from: first.unwrap_or(0), only: None, limit: LINES, name: &name };
    diagram::draw(&run.trace, &drawn)
}

/// Where the files of a told run went.
#[derive(Debug, Clone)]
pub struct Files {
    /// The story and the diagram.
    pub story: PathBuf,
    /// The scenario.
    pub feature: PathBuf,
    /// The record.
    pub trace: PathBuf,
}

impl Told {
    /// Writes story with diagram, scenario and record into a folder, under this name.
    ///
    /// # Errors
    ///
    /// When they cannot be written.
    pub fn write(&self, run: &Run, folder: &Path, name: &str) -> io::Result<Files> {
        fs::create_dir_all(folder)?;
        let files = Files {
            story: folder.join(format!("{name}.md")),
            feature: folder.join(format!("{name}.feature")),
            trace: folder.join(format!("{name}.trace.jsonl")),
        };
        fs::write(&files.story, self.markdown())?;
        fs::write(&files.feature, &self.gherkin)?;
        fs::write(&files.trace, json::text(&run.trace))?;
        Ok(files)
    }

    /// Story and diagram as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# {}\n\n", self.promise.as_deref().unwrap_or("All held"));
        for (number, step) in (1..).zip(&self.steps) {
            text += &format!("{number}. {step}\n");
        }
        if !self.needless.is_empty() {
            text += "\nNot needed for it:\n\n";
            self.needless.iter().for_each(|fault| text += &format!("- {fault}\n"));
        }
        text += &format!("\n```mermaid\n{}```\n", self.picture.mermaid());
        text += &format!("\nAgain: `rehearse replay {}`\n", self.token);
        text
    }

    /// The story for a terminal, with what to do next.
    pub fn text(&self, files: Option<&Files>) -> String {
        let mut text = String::new();
        for (number, step) in (1..).zip(&self.steps) {
            text += &format!("{number:>3}. {step}\n");
        }
        for fault in &self.needless {
            text += &format!("not needed: {fault}\n");
        }
        if let Some(files) = files {
            let Files { story, feature, trace } = files;
            let (story, feature, trace) = (story.display(), feature.display(), trace.display());
            text += &format!("story     {story}\nscenario  {feature}\ntrace     {trace}\n");
        }
        text + &format!("again     rehearse replay {}\n", self.token)
    }

    /// Prints the story, with what to do next.
    pub fn print(&self, files: Option<&Files>) {
        for line in self.text(files).lines() {
            anstream::println!("  {line}");
        }
    }
}

#[cfg(test)]
mod tests;
