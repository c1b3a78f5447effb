//! The files of the repository, for the tests beside this one.

use std::path::{Path, PathBuf};

/// Folders that hold nothing of the repository's own.
const FOREIGN: [&str; 2] = ["target", ".git"];

/// A text file.
pub(super) struct File {
    /// Its path from the root of the workspace, with `/` between the parts.
    pub(super) path: String,
    pub(super) text: String,
}

impl File {
    pub(super) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    pub(super) fn is_under(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| Path::new(&self.path).starts_with(folder))
    }
}

/// The root of the workspace.
pub(super) fn root() -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_folder.parent().expect("this crate is in the workspace").to_owned()
}

/// All text files, sorted by path.
pub(super) fn all() -> Vec<File> {
    let root = root();
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("the folder is readable") {
            let path = entry.expect("the folder is readable").path();
            let is_foreign =
                path.file_name().is_some_and(|name| FOREIGN.iter().any(|f| name == *f));
            if is_foreign {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let path = path.strip_prefix(&root).expect("the file is below the root");
                let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
                files.push(File { path: parts.join("/"), text });
            }
        }
    }
    files.sort_by(|left, right| left.path.cmp(&right.path));
    files
}

/// All Rust files.
pub(super) fn rust() -> Vec<File> {
    let files: Vec<File> = all().into_iter().filter(File::is_rust).collect();
    assert!(files.len() > 100, "only {} Rust files were found", files.len());
    files
}

/// Fails with one line for each complaint.
pub(super) fn expect_none(rule: &str, complaints: impl IntoIterator<Item = String>) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "{rule}:\n{}", complaints.join("\n"));
}
