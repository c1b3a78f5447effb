//! Every snippet of `docs/guide.md` that names a language of the example is in its sources,
//! line for line but for the indentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The languages whose snippets are cut from the example.
const CUT: [&str; 2] = ["rust", "gherkin"];

#[test]
fn snippets_of_the_guide_are_cut_from_the_example() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<PathBuf> = vec![root.join("tests/bank.rs")];
    let example = fs::read_dir(root.join("examples/bank")).expect("the example exists");
    files.extend(example.map(|entry| entry.expect("the folder can be read").path()));
    let sources: Vec<String> = files
        .iter()
        .map(|file| flush_left(&fs::read_to_string(file).expect("a source is text")))
        .collect();
    let guide = fs::read_to_string(root.join("../docs/guide.md")).expect("the guide exists");
    let snippets = snippets(&guide);
    assert!(snippets.len() > 10, "the guide shows {} snippets only", snippets.len());
    for (line, snippet) in snippets {
        let snippet = flush_left(&snippet);
        let is_cut = sources.iter().any(|source| source.contains(&snippet));
        assert!(is_cut, "docs/guide.md:{line} has drifted from harness/examples/bank:\n{snippet}");
    }
}

/// The snippets of these languages, each with the line at which it begins.
fn snippets(guide: &str) -> Vec<(usize, String)> {
    let mut snippets = Vec::new();
    let mut lines = guide.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some(language) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if CUT.contains(&language) {
            snippets.push((number + 1, inside.join("\n") + "\n"));
        }
    }
    snippets
}

/// The text without indentation.
fn flush_left(text: &str) -> String {
    text.lines().map(|line| line.trim_start().to_owned() + "\n").collect()
}
