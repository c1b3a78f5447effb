//! The crate graph: it is the one that ARCHITECTURE.md draws, and its two rules hold.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::tree::{expect_none, root};

/// A crate, and one that it depends on.
type Edge = (String, String);

/// The crates of the harness.
const HARNESS: [&str; 4] = ["harness", "sim", "servers", "conformance"];

/// The crates of `system/` that any subject is built on, so the harness may know them.
const FOUNDATION: [&str; 3] = ["ports", "adapters", "platform"];

#[test]
fn the_crate_graph_is_the_one_in_the_architecture() {
    let (drawn, built) = (drawn(), edges(Value::is_null));
    let list = |edges: BTreeSet<&Edge>, what: &'static str| -> Vec<String> {
        edges.iter().map(|(from, to)| format!("{what}: {from} -> {to}")).collect()
    };
    let mut wrong = list(built.difference(&drawn).collect(), "not drawn");
    wrong.extend(list(drawn.difference(&built).collect(), "drawn, but gone"));
    expect_none("the crates do not depend on each other as ARCHITECTURE.md draws", wrong);
}

#[test]
fn no_service_depends_on_another() {
    let services: BTreeSet<_> = ticketing::SERVICES.iter().map(|entry| entry.name).collect();
    let is_service = |name: &String| services.contains(name.as_str());
    let wrong = edges(|_| true).into_iter().filter(|(from, to)| is_service(from) && is_service(to));
    expect_none("services meet only in events", wrong.map(|(from, to)| format!("{from} -> {to}")));
}

#[test]
fn the_harness_depends_on_no_subject() {
    let of_harness = edges(|_| true).into_iter().filter(|(from, _)| HARNESS.contains(&&**from));
    let of_harness: Vec<Edge> = of_harness.collect();
    assert!(!of_harness.is_empty(), "the crates of the harness were renamed");
    let allowed = |to: &str| HARNESS.contains(&to) || FOUNDATION.contains(&to);
    let wrong = of_harness.into_iter().filter(|(_, to)| !allowed(to));
    expect_none(
        "the harness, its tests and its examples know only the foundation",
        wrong.map(|(from, to)| format!("{from} -> {to}")),
    );
}

/// The edges in the first `text` block of ARCHITECTURE.md.
fn drawn() -> BTreeSet<Edge> {
    let page = std::fs::read_to_string(root().join("ARCHITECTURE.md")).expect("it is readable");
    let block = page.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let mut edges = BTreeSet::new();
    for line in block.expect("ARCHITECTURE.md has a text block").lines() {
        let (from, to) = line.split_once("->").expect("a line is `crate -> crates`");
        edges.extend(to.split_whitespace().map(|to| (from.trim().to_owned(), to.to_owned())));
    }
    edges
}

/// The edges between the crates of this workspace, of these kinds: null, `dev` or `build`.
fn edges(is_wanted: impl Fn(&Value) -> bool) -> BTreeSet<Edge> {
    let metadata = metadata();
    let packages = metadata["packages"].as_array().expect("a workspace has packages");
    let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
    let names: BTreeSet<String> = packages.iter().map(name).collect();
    let mut edges = BTreeSet::new();
    for package in packages {
        let dependencies = package["dependencies"].as_array().into_iter().flatten();
        let wanted = dependencies.filter(|dependency| is_wanted(&dependency["kind"])).map(name);
        edges.extend(wanted.filter(|to| names.contains(to)).map(|to| (name(package), to)));
    }
    edges
}

fn metadata() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let arguments = ["metadata", "--offline", "--no-deps", "--format-version", "1"];
    let output = Command::new(cargo).args(arguments).current_dir(root()).output();
    let output = output.expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("cargo prints JSON")
}
