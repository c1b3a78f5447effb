//! Which scenarios: reads features, and chooses by name, tag and world.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use cucumber::feature::Ext as _;
use cucumber::gherkin::tagexpr::TagOperation;
use cucumber::gherkin::{Feature, GherkinEnv, Scenario};
use cucumber::tag::Ext as _;

/// The features that are built in: file name and text.
pub const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/features.rs"));

/// Which scenarios to run.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// The folder that holds the features; `None` for those that are built in.
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
    /// How many were chosen and are for the other world only.
    pub left_out: usize,
    /// Features that cannot be read, and why.
    pub unreadable: Vec<String>,
}

/// Reads the features and chooses, for the world of this name.
///
/// # Errors
///
/// When the folder cannot be read.
pub fn program(choice: &Choice, world: &str) -> io::Result<Program> {
    let mut program = Program::default();
    for (name, text) in texts(choice.folder.as_deref())? {
        match parse(&name, &text) {
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

fn texts(folder: Option<&Path>) -> io::Result<Vec<(String, String)>> {
    let Some(folder) = folder else {
        let owned = |(name, text): &(&str, &str)| ((*name).to_owned(), (*text).to_owned());
        return Ok(BUILT_IN.iter().map(owned).collect());
    };
    let files = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut files: Vec<PathBuf> = files.collect::<io::Result<_>>()?;
    files.retain(|file| file.extension().is_some_and(|extension| extension == "feature"));
    files.sort();
    let read = |file: &PathBuf| {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, fs::read_to_string(file)?))
    };
    files.iter().map(read).collect()
}

/// A feature with its outlines written out. Rules are not read: no feature of ours has any.
fn parse(name: &str, text: &str) -> Result<Feature, String> {
    let feature = Feature::parse(text, GherkinEnv::default()).map_err(|e| e.to_string())?;
    let mut feature = feature.expand_examples().map_err(|e| e.to_string())?;
    if !feature.rules.is_empty() {
        return Err("rules are not supported".to_owned());
    }
    feature.path = Some(PathBuf::from("features").join(name));
    Ok(feature)
}

/// Keeps the chosen scenarios; returns how many of them are for the other world.
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

/// Where a scenario is: its file and line.
pub fn place(feature: &Feature, scenario: &Scenario) -> String {
    let file = feature.path.as_deref().unwrap_or(Path::new(""));
    format!("{}:{}", file.display(), scenario.position.line)
}

fn tags<'a>(feature: &'a Feature, scenario: &'a Scenario) -> impl Iterator<Item = &'a str> {
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
