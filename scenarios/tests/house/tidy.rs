//! Files look as they should.

use std::path::{Path, PathBuf};

/// The most lines that a file has.
const LONGEST: usize = 450;

/// What no file holds, however it came there.
const UNFINISHED: [&str; 3] = ["todo!(", "unimplemented!(", "dbg!("];

/// What a service asks a port or the runner for instead.
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

/// Names that say nothing of what is inside.
const SAYS_NOTHING: [&str; 7] =
    ["utils", "util", "common", "helpers", "helper", "manager", "managers"];

/// A file of ours, from the root, and its text.
struct File {
    path: PathBuf,
    text: String,
}

#[test]
fn every_file_says_what_it_is_for() {
    complain("does not begin with `//!`", |file| {
        let tests = file.path.ends_with("tests.rs") || file.is_under("tests");
        !tests && !file.text.starts_with("//!")
    });
}

#[test]
fn no_file_is_too_long() {
    complain(&format!("has more than {LONGEST} lines"), |file| file.text.lines().count() > LONGEST);
}

#[test]
fn nothing_is_unfinished() {
    complain("holds something unfinished", |file| {
        let this = file.path.ends_with("house/tidy.rs");
        !this && UNFINISHED.iter().any(|mark| file.text.contains(mark))
    });
}

#[test]
fn services_do_nothing_by_themselves() {
    complain("reaches past its ports", |file| {
        let services = ticketing::SERVICES.iter().map(|entry| Path::new("system").join(entry.name));
        let service = services.into_iter().any(|service| file.path.starts_with(service));
        service && BY_ITSELF.iter().any(|call| file.text.contains(call))
    });
}

#[test]
fn names_say_something() {
    complain("has a name that says nothing", |file| {
        let parts = file.path.with_extension("");
        let said = |part: &str| SAYS_NOTHING.contains(&part);
        parts.iter().any(|part| part.to_str().is_some_and(said))
    });
}

/// Fails with the files that something is wrong with.
fn complain(what: &str, is_wrong: impl Fn(&File) -> bool) {
    let files = files();
    assert!(files.len() > 100, "only {} files were found", files.len());
    let wrong = files.iter().filter(|file| is_wrong(file));
    let wrong: Vec<_> = wrong.map(|file| format!("{} {what}", file.path.display())).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

impl File {
    fn is_under(&self, folder: &str) -> bool {
        self.path.iter().any(|part| part == folder)
    }
}

/// The root of the workspace.
pub(super) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this crate lies in the workspace").to_owned()
}

/// All Rust files of the workspace.
fn files() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders: Vec<_> =
        ["system", "harness", "scenarios", "benches"].map(|folder| root.join(folder)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder of ours can be read") {
            let path = entry.expect("a folder of ours can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).expect("a file of ours is text");
                let path = path.strip_prefix(&root).expect("it was found there").to_owned();
                files.push(File { path, text });
            }
        }
    }
    files
}
