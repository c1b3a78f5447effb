//! A story for the terminal, as Markdown, and as files.

use std::path::{Path, PathBuf};
use std::{fs, io};

use super::trace;
use crate::invariants::{Kind, Statement};
use crate::run::Run;
use crate::story::Story;

/// The most faults that are not needed, and are printed; the story in the file has all.
const UNNEEDED: usize = 3;

/// The files of a story.
#[derive(Debug, Clone)]
pub struct Files {
    /// The story with its diagram.
    pub story: PathBuf,
    /// The scenario.
    pub feature: PathBuf,
    /// The trace.
    pub trace: PathBuf,
    /// The page that steps through the run.
    pub page: PathBuf,
}

/// Writes story with diagram, scenario, trace and page into a folder, under this name.
///
/// # Errors
///
/// When they cannot be written.
pub fn write(
    story: &Story,
    run: &Run,
    folder: &Path,
    name: &str,
    page: &str,
    again: &str,
) -> io::Result<Files> {
    fs::create_dir_all(folder)?;
    let files = Files {
        story: folder.join(format!("{name}.md")),
        feature: folder.join(format!("{name}.feature")),
        trace: folder.join(format!("{name}.trace.jsonl")),
        page: folder.join(format!("{name}.html")),
    };
    fs::write(&files.story, markdown(story, again))?;
    fs::write(&files.feature, &story.gherkin)?;
    fs::write(&files.trace, trace::text(&run.trace))?;
    fs::write(&files.page, page)?;
    Ok(files)
}

/// Removes the stories that [`write()`] has written into a folder for numbered findings, and leaves
/// other files alone.
///
/// # Errors
///
/// When a file cannot be removed.
pub fn clear(folder: &Path) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let parts = name.to_str().and_then(|name| name.split_once('-'));
        let is_ours = parts.is_some_and(|(number, rest)| {
            number.parse::<usize>().is_ok()
                && [".md", ".feature", ".trace.jsonl", ".html"]
                    .iter()
                    .any(|end| rest.ends_with(end))
        });
        if is_ours {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Story and diagram as Markdown.
pub fn markdown(story: &Story, again: &str) -> String {
    let mut text =
        format!("# {}\n\n", story.statement.as_deref().unwrap_or("Every invariant holds"));
    for (number, step) in (1..).zip(&story.steps) {
        text += &format!("{number}. {step}\n");
    }
    if let Some(because) = &story.because {
        text += &format!("\n## Because\n\n{}.\n\n", because.parting);
        for (number, link) in (1..).zip(&because.links) {
            text += &format!("{number}. {}\n", link.sentence);
        }
    }
    if !story.also.is_empty() {
        text += "\nThe same cause also violates:\n\n";
        for Statement { name, statement, .. } in &story.also {
            text += &format!("- {name}: {statement}\n");
        }
    }
    if !story.unneeded.is_empty() {
        text += "\nFaults that were injected and are not needed:\n\n";
        story.unneeded.iter().for_each(|fault| text += &format!("- {fault}\n"));
    }
    text += &format!("\n```mermaid\n{}```\n", story.picture.mermaid());
    text += &format!("\nAgain: `{again}`\n");
    text
}

/// The story for a terminal, with its files and the command that replays it.
pub fn text(story: &Story, files: Option<&Files>, again: &str) -> String {
    let mut text = String::new();
    for (number, step) in (1..).zip(&story.steps) {
        text += &format!("{number:>3}. {step}\n");
    }
    if let Some(because) = &story.because {
        text += &format!("because   {}\n", because.parting);
        for link in &because.links {
            text += &format!("          - {}\n", link.sentence);
        }
    }
    for (label, kind) in [("also", Kind::Harm), ("mechanism", Kind::Mechanism)] {
        let names = story.also.iter().filter(|other| other.kind == kind).map(|other| other.name);
        let names: Vec<&str> = names.collect();
        if !names.is_empty() {
            text += &format!("{label:<9} {}\n", names.join(", "));
        }
    }
    for (at, fault) in story.unneeded.iter().take(UNNEEDED).enumerate() {
        let label = if at == 0 { "unneeded" } else { "" };
        text += &format!("{label:<9} {fault}\n");
    }
    if let Some(more @ 1..) = story.unneeded.len().checked_sub(UNNEEDED) {
        text += &format!("{:<9} and {more} more\n", "");
    }
    if let Some(Files { story, feature, trace, page }) = files {
        let (story, feature, trace) = (story.display(), feature.display(), trace.display());
        text += &format!("story     {story}\nscenario  {feature}\ntrace     {trace}\n");
        text += &format!("page      {}\n", page.display());
    }
    text + &format!("again     {again}\n")
}
