//! What was broken once holds now, and each file that says so is still able to fail.

use std::path::Path;

use scenarios::regression::Regression;

/// What is wrong with a regression, if anything.
fn complaint(name: &str, kept: &Regression) -> Option<String> {
    let (run, drifts) = kept.replay().expect("the harness works");
    if let Some(broken) = run.broken() {
        return Some(format!("{name}: {broken}\n  see: rehearse replay {name}"));
    }
    if !drifts.is_empty() {
        let drifts: Vec<_> = drifts.iter().map(|drift| format!("\n  - {drift}")).collect();
        let drifts = drifts.concat();
        return Some(format!(
            "{name} has drifted: its run is not what it was when it was kept{drifts}\n  \
             If that is right, keep it as it is now: rehearse replay {name} --record"
        ));
    }
    match kept.fails().expect("the harness works") {
        Some(false) => {
            let (bug, invariant) = (kept.bug.as_deref().unwrap_or_default(), &kept.invariant);
            Some(format!(
                "{name} proves nothing: {invariant} is kept even with the planted bug {bug}\n  \
                 Find another case of it, and keep that: rehearse replay TOKEN --record"
            ))
        }
        _ => None,
    }
}

#[test]
fn what_was_broken_once_holds_now() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let all = Regression::all(&folder).expect("regressions can be read");
    assert!(all.len() >= 4, "only {} regressions were found", all.len());
    let complaints: Vec<_> = all
        .iter()
        .filter_map(|(path, kept)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            complaint(&format!("scenarios/regressions/{name}"), kept)
        })
        .collect();
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}
