//! The crate graph is the one that ARCHITECTURE.md draws.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// An arrow from a crate to one that it depends on.
type Edge = (String, String);

#[test]
fn the_crate_graph_is_the_drawn_one() {
    let (drawn, built) = (drawn(), built());
    let show = |edges: BTreeSet<&Edge>, what| {
        edges.iter().map(|(from, to)| format!("{what}: {from} -> {to}\n")).collect::<String>()
    };
    let new = show(built.difference(&drawn).collect(), "not drawn");
    let gone = show(drawn.difference(&built).collect(), "drawn and gone");
    assert!(
        new.is_empty() && gone.is_empty(),
        "the crates do not depend on each other as ARCHITECTURE.md says:\n{new}{gone}\
         Draw what you mean, or take the dependency back."
    );
}

#[test]
fn no_service_knows_another() {
    let services: BTreeSet<_> = ticketing::SERVICES.iter().map(|entry| entry.name).collect();
    let between =
        |(from, to): &&Edge| services.contains(from.as_str()) && services.contains(to.as_str());
    assert_eq!(built().iter().filter(between).collect::<Vec<_>>(), Vec::<&Edge>::new());
}

#[test]
fn the_harness_knows_no_service_and_no_event() {
    let of_harness = built().into_iter().filter(|(from, _)| from == "harness");
    assert_eq!(of_harness.map(|(_, to)| to).collect::<Vec<_>>(), ["platform"]);
}

/// The edges in the first fenced block of ARCHITECTURE.md.
fn drawn() -> BTreeSet<Edge> {
    let page = super::tidy::root().join("ARCHITECTURE.md");
    let page = std::fs::read_to_string(&page).expect("ARCHITECTURE.md can be read");
    let block = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut edges = BTreeSet::new();
    for line in block.expect("ARCHITECTURE.md draws the graph").lines() {
        let (from, to) = line.split_once("->").expect("a line reads `crate -> crates`");
        edges.extend(to.split_whitespace().map(|to| (from.trim().to_owned(), to.to_owned())));
    }
    edges
}

/// The edges between this workspace's crates, without those of tests.
fn built() -> BTreeSet<Edge> {
    let metadata = metadata(&super::tidy::root());
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = packages.iter().map(name).collect();
    let mut edges = BTreeSet::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let normal = dependencies.filter(|dependency| dependency["kind"].is_null()).map(name);
        edges.extend(normal.filter(|to| names.contains(to)).map(|to| (name(package), to)));
    }
    edges
}

fn metadata(root: &Path) -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(root).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo speaks JSON")
}
