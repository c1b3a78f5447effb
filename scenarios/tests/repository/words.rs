//! The words in files: the harness names nothing of ticketing, the repository speaks of itself
//! alone, and the paths in its pages exist.

use std::path::Path;

use contracts::catalogue;

use super::tree::{self, expect_none, root};

/// Texts that concern the place where the repository was written, not the repository. Each is
/// in two parts, so that this list does not contain them.
const ELSEWHERE: [(&str, &str); 8] = [
    ("/wor", "k/"),
    ("/tmp", "/wt"),
    ("/hom", "e/"),
    ("issue", " #"),
    ("index.", "crates.io"),
    ("static.", "crates.io"),
    ("pypi", ".org"),
    ("files.", "pythonhosted"),
];

/// Folders whose paths are checked where a page names them.
const CHECKED: [&str; 8] =
    ["system/", "harness/", "scenarios/", "features/", "benches/", "deploy/", "docs/", ".ci/"];

/// The pages that name paths of the repository.
const PAGES_WITH_PATHS: [&str; 2] = ["ARCHITECTURE.md", "CONTRIBUTING.md"];

/// Text between double quotes is read in comments too, because the examples of the
/// documentation are code. Identifiers are compared whole: the order of values and the ticket of
/// a waiter in a queue are not those of ticketing.
#[test]
fn the_harness_names_no_service_or_event_of_ticketing() {
    let events = catalogue::all();
    let nouns: Vec<&str> = events.iter().filter_map(|e| e.subject.split('.').next()).collect();
    let services: Vec<&str> = ticketing::SERVICES.iter().map(|entry| entry.name).collect();
    let is_service = |word: &str| word == "ticketing" || services.contains(&word);
    let is_event = |word: &str| events.iter().any(|event| event.name == word);
    let is_subject = |text: &str| {
        let is_noun = nouns.contains(&text) && text != "order";
        is_noun || nouns.iter().any(|noun| text.starts_with(&format!("{noun}.")))
    };
    let mut wrong = Vec::new();
    let harness = tree::rust().into_iter();
    for file in harness.filter(|file| file.is_under(&["harness"])) {
        for (number, line) in file.text.lines().enumerate() {
            let quoted: Vec<&str> = line.split('"').skip(1).step_by(2).collect();
            let quotes = quoted.iter().any(|text| is_subject(text) || words(text).any(is_service));
            let is_path = |word: &str| line.contains(&format!("{word}::"));
            let names = words(line).any(|word| is_event(word) || is_service(word) && is_path(word));
            if quotes || names {
                wrong.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    expect_none("the harness names a part of ticketing", wrong);
}

#[test]
fn the_repository_speaks_of_itself_alone() {
    let mut wrong = Vec::new();
    for file in tree::all().into_iter().filter(|file| file.path != "Cargo.lock") {
        let found = ELSEWHERE.iter().map(|(start, end)| format!("{start}{end}"));
        let found = found.filter(|text| file.text.contains(text.as_str()));
        wrong.extend(found.map(|text| format!("{}: {text}", file.path)));
    }
    expect_none("these files speak of the place where they were written", wrong);
}

#[test]
fn every_relative_link_of_a_page_leads_to_a_file() {
    let mut wrong = Vec::new();
    for page in tree::all().into_iter().filter(|file| file.path.ends_with(".md")) {
        let folder = root().join(&page.path);
        let folder = folder.parent().unwrap_or(Path::new("."));
        for link in page.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let is_elsewhere = path.is_empty() || path.contains("://");
            if !is_elsewhere && !folder.join(path).exists() {
                wrong.push(format!("{}: {link}", page.path));
            }
        }
    }
    expect_none("these links lead nowhere", wrong);
}

#[test]
fn every_path_in_a_page_exists() {
    let mut wrong = Vec::new();
    for page in PAGES_WITH_PATHS {
        let text = std::fs::read_to_string(root().join(page)).expect("the page is readable");
        // Code blocks hold commands and drawings.
        let prose: String = text.split("```").step_by(2).collect();
        let quoted = prose.split('`').skip(1).step_by(2);
        let is_checked = |path: &&str| CHECKED.iter().any(|folder| path.starts_with(folder));
        let is_one_path = |path: &&str| !path.contains(['<', '*', ' ', '{']);
        let missing = quoted.filter(is_checked).filter(is_one_path);
        let missing = missing.filter(|path| !root().join(path).exists());
        wrong.extend(missing.map(|path| format!("{page}: {path}")));
    }
    expect_none("these paths do not exist", wrong);
}

/// The identifiers in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}
