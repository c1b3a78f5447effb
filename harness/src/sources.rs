//! Waits for changes of source files.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};

/// Changes within this time of one another count as one.
const DEBOUNCE: Duration = Duration::from_millis(150);

/// Folders of sources that are watched.
pub(crate) struct Sources {
    changes: Receiver<()>,
    _watcher: RecommendedWatcher,
}

impl Sources {
    /// Watches these folders, with all folders in them.
    ///
    /// # Errors
    ///
    /// When a folder cannot be watched.
    pub(crate) fn watch(folders: &[PathBuf]) -> notify::Result<Self> {
        let (changed, changes) = channel();
        let on_event = move |event: notify::Result<notify::Event>| {
            if let Ok(event) = event
                && !event.kind.is_access()
                && event.paths.iter().any(|path| is_source(path))
            {
                // The receiver lives as long as the watcher.
                _ = changed.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(on_event)?;
        for folder in folders {
            watcher.watch(folder, RecursiveMode::Recursive)?;
        }
        Ok(Self { changes, _watcher: watcher })
    }

    /// Waits until sources have changed, and no change follows at once.
    pub(crate) fn wait(&self) {
        // The sender lives in the watcher.
        _ = self.changes.recv();
        while self.changes.recv_timeout(DEBOUNCE).is_ok() {}
    }
}

fn is_source(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    let is_build = path.components().any(|part| part.as_os_str() == "target");
    matches!(extension, Some("rs" | "toml" | "feature" | "html" | "css" | "js")) && !is_build
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_code_manifests_features_and_pages_outside_of_the_build() {
        for source in
            ["system/loans/src/model.rs", "Cargo.toml", "features/01_loan.feature", "page.js"]
        {
            assert!(is_source(Path::new(source)), "{source}");
        }
        for other in ["target/debug/build/out.rs", "Cargo.lock", "README.md", "src"] {
            assert!(!is_source(Path::new(other)), "{other}");
        }
    }
}
