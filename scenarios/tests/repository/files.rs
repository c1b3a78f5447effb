//! The form of files: length, header, names, and what they must not use.

use super::imports;
use super::tree::{self, File, expect_none};

/// The most lines of a file.
const MAX_LINES: usize = 400;

/// Files that are longer, each with its own limit and the reason.
const LONGER: [(&str, usize, &str); 2] = [
    ("scenarios/src/operation.rs", 510, "one table per aspect of the same operations"),
    (
        "scenarios/src/invariants/tests.rs",
        570,
        "one falsified run per invariant, kept in the order of the list of invariants",
    ),
];

/// Marks of unfinished work.
const UNFINISHED: [&str; 5] = ["todo!(", "unimplemented!(", "dbg!(", "TODO", "FIXME"];

/// Calls for which a service asks a port or the runner instead.
const BY_ITSELF: [&str; 8] = [
    "tokio::spawn",
    "task::spawn",
    "SystemTime::now",
    "Instant::now",
    "Timestamp::now",
    "thread::sleep",
    "thread::spawn",
    "rand::",
];

/// Names that do not say what is inside.
const VAGUE: [&str; 8] =
    ["utils", "util", "common", "helpers", "helper", "manager", "managers", "misc"];

/// Types of the standard library that the harness and the system do without, with the reason.
const AVOIDED: [(&str, &str); 8] = [
    ("Mutex", "parking_lot has no poisoning to unwrap"),
    ("MutexGuard", "parking_lot has no poisoning to unwrap"),
    ("RwLock", "parking_lot has no poisoning to unwrap"),
    ("Hasher", "its bytes differ between platforms and compilers"),
    ("DefaultHasher", "its algorithm differs between compilers"),
    ("RandomState", "its seed differs between runs"),
    ("HashMap", "its order differs between runs"),
    ("HashSet", "its order differs between runs"),
];

/// Files that use an avoided type, each with the reason that it does no harm.
const UNORDERED: [(&str, &str, &str); 4] = [
    ("harness/sim/src/digest.rs", "Hasher", "siphasher's interface; it is fed explicit bytes"),
    ("harness/servers/src/docker.rs", "HashMap", "the Docker client's own argument type"),
    ("harness/src/gherkin/reporter.rs", "HashMap", "only looked up; its key has no order"),
    ("harness/src/linearizability.rs", "HashSet", "only asked for membership"),
];

#[test]
fn every_file_says_what_it_is_for() {
    let wrong = tree::rust().into_iter().filter(|file| !file.text.starts_with("//!"));
    expect_none("these files do not begin with `//!`", wrong.map(|file| file.path));
}

#[test]
fn no_file_is_too_long() {
    let limit = |path: &str| {
        let longer = LONGER.iter().find(|(longer, ..)| *longer == path);
        longer.map_or(MAX_LINES, |(_, limit, _)| *limit)
    };
    let lines = |file: &File| file.text.lines().count();
    let wrong = tree::rust().into_iter().filter(|file| lines(file) > limit(&file.path));
    expect_none(
        "these files are too long; split them by job",
        wrong.map(|file| format!("{}: {} lines", file.path, lines(&file))),
    );
}

#[test]
fn every_exception_is_needed() {
    let files = tree::rust();
    let is_long = |path: &str| {
        files.iter().any(|file| file.path == path && file.text.lines().count() > MAX_LINES)
    };
    let uses = |path: &str, name: &str| {
        files.iter().any(|file| file.path == path && file.text.contains(name))
    };
    let long = LONGER.iter().filter(|(path, ..)| !is_long(path)).map(|(path, ..)| *path);
    let avoided = UNORDERED.iter().filter(|(path, name, _)| !uses(path, name));
    let unneeded = long.chain(avoided.map(|(path, ..)| *path)).map(str::to_owned);
    expect_none("these exceptions are not needed any more", unneeded);
}

#[test]
fn nothing_is_unfinished() {
    let wrong = tree::rust().into_iter().filter(|file| {
        let is_this_list = file.path.ends_with("repository/files.rs");
        !is_this_list && UNFINISHED.iter().any(|mark| file.text.contains(mark))
    });
    expect_none("these files are unfinished", wrong.map(|file| file.path));
}

#[test]
fn services_reach_the_world_only_through_ports() {
    let services = ticketing::SERVICES.iter().map(|entry| format!("system/{}", entry.name));
    let services: Vec<String> = services.collect();
    let services: Vec<&str> = services.iter().map(String::as_str).collect();
    let mut wrong = Vec::new();
    for file in tree::rust().into_iter().filter(|file| file.is_under(&services)) {
        let calls = BY_ITSELF.iter().filter(|call| file.text.contains(**call));
        wrong.extend(calls.map(|call| format!("{}: {call}", file.path)));
    }
    expect_none("these services act by themselves", wrong);
}

#[test]
fn every_name_says_what_is_inside() {
    let wrong = tree::all().into_iter().filter(|file| {
        let mut parts = file.path.split(['/', '.']);
        parts.any(|part| VAGUE.contains(&part))
    });
    expect_none("these names are vague", wrong.map(|file| file.path));
}

#[test]
fn no_lock_or_hash_of_the_standard_library_is_used() {
    let mut wrong = Vec::new();
    for file in tree::rust().into_iter().filter(|file| file.is_under(&["harness", "system"])) {
        let named = imports::paths(&file.text, &["std"]);
        for (name, reason) in AVOIDED {
            let is_excepted =
                UNORDERED.iter().any(|(path, used, _)| *path == file.path && *used == name);
            let is_used = named.iter().any(|path| path.iter().any(|part| part == name));
            if is_used && !is_excepted {
                wrong.push(format!("{}: {name}: {reason}", file.path));
            }
        }
    }
    expect_none("these files use a type that is avoided", wrong);
}
