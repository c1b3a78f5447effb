//! No circle of files inside a crate: files that depend on each other can only be read, tested
//! and changed together.
//!
//! A file depends on the modules that it names. A parent may name its children, because a
//! module's face and its parts are one thing; a child that names its parent depends on it.

use std::collections::{BTreeMap, BTreeSet};

use super::imports;
use super::tree::{self, expect_none};

/// A module's path below the crate root.
type Module = Vec<String>;

#[test]
fn no_files_of_a_crate_depend_on_each_other_in_a_circle() {
    let mut crates: BTreeMap<String, BTreeMap<Module, String>> = BTreeMap::new();
    for file in tree::rust() {
        if let Some((folder, path)) = file.path.split_once("/src/") {
            let modules = crates.entry(folder.to_owned()).or_default();
            modules.insert(module(path), file.text);
        }
    }
    let found = crates.iter().flat_map(|(folder, modules)| {
        circular(modules).into_iter().map(move |edge| format!("{folder}: {edge}"))
    });
    expect_none("these dependencies of files are part of a circle", found);
}

/// The module of a file; the root of a library or binary is the empty path.
fn module(path: &str) -> Module {
    let path = path.trim_end_matches(".rs");
    let is_root = ["lib", "main"].contains(&path);
    if is_root { Vec::new() } else { path.split('/').map(str::to_owned).collect() }
}

/// The dependencies between these modules that are part of a circle.
fn circular(modules: &BTreeMap<Module, String>) -> Vec<String> {
    let graph: BTreeMap<&Module, BTreeSet<Module>> = modules
        .iter()
        .map(|(module, text)| (module, dependencies(module, text, modules)))
        .collect();
    let edges = graph.iter().flat_map(|(from, tos)| tos.iter().map(move |to| (*from, to)));
    let on_circle = edges.filter(|(from, to)| reaches(&graph, to, from));
    on_circle.map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::"))).collect()
}

fn dependencies(
    module: &Module,
    text: &str,
    modules: &BTreeMap<Module, String>,
) -> BTreeSet<Module> {
    if module.is_empty() {
        return BTreeSet::new();
    }
    let production = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let named = imports::paths(production, &["crate", "super"]);
    let known = named.into_iter().map(|path| {
        let mut target = absolute(module, &path);
        while !modules.contains_key(&target) && !target.is_empty() {
            target.pop();
        }
        target
    });
    known.filter(|target| !target.is_empty() && !target.starts_with(module)).collect()
}

/// The path from the crate root.
fn absolute(module: &Module, path: &[String]) -> Module {
    let ups = path.iter().take_while(|segment| *segment == "super").count();
    let base = if ups == 0 { &[][..] } else { &module[..module.len().saturating_sub(ups)] };
    let rest = path.iter().skip(ups.max(1));
    base.iter().chain(rest).cloned().collect()
}

fn reaches(graph: &BTreeMap<&Module, BTreeSet<Module>>, from: &Module, to: &Module) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(module) = open.pop() {
        if module == to {
            return true;
        }
        if seen.insert(module) {
            open.extend(graph.get(module).into_iter().flatten());
        }
    }
    false
}

#[test]
fn a_planted_circle_is_found() {
    let circular = |files: &[(&str, &str)]| {
        circular(&files.iter().map(|(path, text)| (module(path), (*text).to_owned())).collect())
    };
    let lib = ("lib.rs", "mod a; mod b; pub use crate::a::A;");
    let a = ("a.rs", "mod part;\nuse crate::b::c::C;");
    let part = ("a/part.rs", "use super::super::d::D;");
    let c = ("b/c.rs", "use super::{c::C, e};\nfn f(d: crate::d::D) {}");
    let harmless = ("d.rs", "// crate::a\n#[cfg(test)]\nmod tests {\n    use crate::a::A;\n}");
    assert_eq!(circular(&[lib, a, part, c, harmless]), Vec::<String>::new());
    let planted = ("d.rs", "use crate::a::{self, A};");
    assert_eq!(
        circular(&[lib, a, part, c, planted]),
        ["a -> b::c", "b::c -> d", "d -> a"],
        "the child `a::part` names `d`, but nothing names the child"
    );
}
