//! The properties hold for every committed input, and for changes of them that chance makes.

use std::path::{Path, PathBuf};
use std::{fs, panic};

use parsers::TARGETS;
use proptest::prelude::*;

fn corpus(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("it is readable").path()).collect();
    paths.sort();
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("it is readable"));
    paths.into_iter().map(read).collect()
}

#[test]
fn every_property_holds_for_its_corpus() {
    for (name, property) in TARGETS {
        let corpus = corpus(name);
        assert!(corpus.len() > 1, "{name} has a corpus");
        for (path, data) in corpus {
            let held = panic::catch_unwind(|| property(&data));
            assert!(held.is_ok(), "{name} is violated by {}", path.display());
        }
    }
}

/// One change of an input: at this place, replace this many bytes by these.
type Edit = (prop::sample::Index, usize, Vec<u8>);

fn edited(mut data: Vec<u8>, edits: &[Edit]) -> Vec<u8> {
    for (at, removed, inserted) in edits {
        let at = at.index(data.len() + 1);
        let end = (at + removed).min(data.len());
        data.splice(at..end, inserted.iter().copied());
    }
    data
}

#[test]
fn every_property_holds_for_edits_of_its_corpus() {
    for (name, property) in TARGETS {
        let inputs: Vec<_> = corpus(name).into_iter().map(|(_, data)| data).collect();
        let byte = prop_oneof![any::<u8>(), prop::sample::select(&b"\"{}[]:,=;.-09aZ% \n"[..])];
        let edit = (any::<prop::sample::Index>(), 0..4_usize, prop::collection::vec(byte, 0..4));
        let edits = prop::collection::vec(edit, 0..4);
        let config =
            ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) };
        proptest!(config, |(data in prop::sample::select(inputs), edits in edits)| {
            property(&edited(data, &edits));
        });
    }
}
