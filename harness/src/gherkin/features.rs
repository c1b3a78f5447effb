//! Feature files: reads them, and chooses scenarios by name, tag and world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cucumber::gherkin::tagexpr::TagOperation;
use cucumber::gherkin::{Feature, Scenario};
use cucumber::tag::Ext as _;

use super::parsing::parse;
use crate::subject::AnySubject;

/// A choice of scenarios.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The folder with the feature files, read recursively; `None` for the built-in ones.
    pub folder: Option<PathBuf>,
    /// Only those whose feature or name contains one of these, without case; empty for all.
    pub names: Vec<String>,
    /// Only those with matching tags.
    pub tags: Option<TagOperation>,
    /// Only those at these places, as [`place`] says them.
    pub places: Option<BTreeSet<String>>,
}

/// The scenarios to run.
#[derive(Debug, Default)]
pub struct Program {
    /// The features, each with the chosen scenarios only; none without any.
    pub features: Vec<Feature>,
    /// The number of chosen scenarios that are for the other world only.
    pub left_out: usize,
    /// Features that cannot be read, and why.
    pub unreadable: Vec<String>,
}

/// Why no scenarios can be chosen.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// A folder or a file cannot be read.
    #[error("{} cannot be read", path.display())]
    Unreadable {
        /// The folder or the file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A folder holds no feature file.
    #[error("{} holds no file that ends in .feature", .0.display())]
    Empty(PathBuf),
}

/// Reads the features and chooses, for the world of this name.
///
/// # Errors
///
/// When the folder cannot be read, or holds no feature.
pub fn program(
    subject: &AnySubject,
    choice: &Choice,
    world: &str,
) -> Result<Program, FeatureError> {
    let mut program = Program::default();
    for (name, text) in texts(subject, choice.folder.as_deref())? {
        let read = text.and_then(|text| parse(&name, &text));
        match read {
            Ok(mut feature) => {
                program.left_out += keep_chosen(&mut feature, choice, world);
                if !feature.scenarios.is_empty() {
                    program.features.push(feature);
                }
            }
            Err(why) => program.unreadable.push(format!("{name}: {why}")),
        }
    }
    Ok(program)
}

/// A file: its path, and its text or the reason why it has none.
type Text = (String, Result<Vec<u8>, String>);

fn texts(subject: &AnySubject, folder: Option<&Path>) -> Result<Vec<Text>, FeatureError> {
    let Some(folder) = folder else {
        let built_in = subject.features().iter();
        let text = |(name, text): &(&str, &str)| {
            (format!("features/{name}"), Ok(text.as_bytes().to_vec()))
        };
        return Ok(built_in.map(text).collect());
    };
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    if files.is_empty() {
        return Err(FeatureError::Empty(folder.to_owned()));
    }
    files.sort();
    let read = |file: PathBuf| {
        let text = fs::read(&file).map_err(|why| why.to_string());
        (file.display().to_string(), text)
    };
    Ok(files.into_iter().map(read).collect())
}

/// The feature files in a folder and the folders below it.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), FeatureError> {
    let unreadable = |source| FeatureError::Unreadable { path: folder.to_owned(), source };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() {
            collect(&path, files)?;
        } else if extension.is_some_and(|e| e.eq_ignore_ascii_case("feature")) {
            files.push(path);
        }
    }
    Ok(())
}

/// Keeps the chosen scenarios; returns how many were chosen and are for the other world.
fn keep_chosen(feature: &mut Feature, choice: &Choice, world: &str) -> usize {
    let all = std::mem::take(&mut feature.scenarios);
    let chosen: Vec<_> = all.into_iter().filter(|s| is_chosen(feature, s, choice)).collect();
    let (here, elsewhere): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|scenario| {
        let mut only = tags(feature, scenario).filter_map(|tag| tag.strip_suffix("-only"));
        only.all(|only| only == world)
    });
    feature.scenarios = here;
    elsewhere.len()
}

fn is_chosen(feature: &Feature, scenario: &Scenario, choice: &Choice) -> bool {
    let title = format!("{} {}", feature.name, scenario.name).to_lowercase();
    let named = |name: &String| title.contains(&name.to_lowercase());
    let tags: Vec<&str> = tags(feature, scenario).collect();
    (choice.names.is_empty() || choice.names.iter().any(named))
        && choice.tags.as_ref().is_none_or(|expression| expression.eval(&tags))
        && choice.places.as_ref().is_none_or(|places| places.contains(&place(feature, scenario)))
}

/// The place of a scenario: its file and line.
pub fn place(feature: &Feature, scenario: &Scenario) -> String {
    let file = feature.path.as_deref().unwrap_or(Path::new(""));
    format!("{}:{}", file.display(), scenario.position.line)
}

pub(super) fn tags<'a>(
    feature: &'a Feature,
    scenario: &'a Scenario,
) -> impl Iterator<Item = &'a str> {
    feature.tags.iter().chain(&scenario.tags).map(String::as_str)
}

/// All steps of a scenario, the feature's background first.
pub(super) fn steps<'a>(
    feature: &'a Feature,
    scenario: &'a Scenario,
) -> impl Iterator<Item = &'a str> {
    let background = feature.background.iter().flat_map(|background| &background.steps);
    background.chain(&scenario.steps).map(|step| step.value.as_str())
}
