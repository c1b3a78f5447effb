//! A story's scenario is the run that it tells: decision by decision, with the bug and without.

use std::fs;
use std::path::Path;

use harness::report::trace as json;
use scenarios::gherkin::{self, Choice, Summary};
use scenarios::regression::Regression;
use scenarios::simulate::{self, Run};
use scenarios::stage::WorldKind;
use scenarios::story;
use serde_json::Value;

fn regressions() -> Vec<(String, Regression)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let all = Regression::all(&folder).expect("regressions can be read");
    all.into_iter().map(|(path, kept)| (path.display().to_string(), kept)).collect()
}

/// Runs a feature; returns what came of it and the trace of its one scenario.
async fn play(feature: &str) -> (Summary, String) {
    let folder = tempfile::tempdir().expect("there is room for a feature");
    fs::write(folder.path().join("found.feature"), feature).expect("it can be written");
    let choice = Choice { folder: Some(folder.path().to_owned()), ..Choice::default() };
    let output = Some(folder.path().join("out"));
    let run = gherkin::Run { choice, output, ..gherkin::Run::all(WorldKind::simulated(1)) };
    let summary = gherkin::run(&run, |_| ()).await.expect("features can be read");
    assert_eq!(summary.unreadable, Vec::<String>::new());
    assert_eq!(summary.scenarios.len(), 1, "{feature}");
    let trace = summary.scenarios[0].trace.as_ref().expect("it was written");
    let trace = fs::read_to_string(trace).expect("it was written");
    (summary, trace)
}

/// A trace without the lines of the scenario, and so without numbers.
fn what_happened(trace: &str) -> Vec<Value> {
    let records = trace.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).expect("a trace is JSON");
        record.as_object_mut().expect("a record is an object").remove("n");
        record
    });
    records.filter(|record| record["port"] != "scenario").collect()
}

/// Compares up to where the run ended: after it, a scenario's stage is cleared.
fn assert_same(name: &str, run: &Run, trace: &str) {
    let (told, played) = (what_happened(&json::text(&run.trace)), what_happened(trace));
    assert!(played.len() >= told.len(), "{name}: the scenario ends early");
    for (at, (told, played)) in told.iter().zip(&played).enumerate() {
        assert_eq!(told, played, "{name}: record {at} is another one");
    }
}

#[tokio::test]
async fn the_scenario_of_a_planted_bug_breaks_the_same_promise_by_the_same_run() {
    for (name, kept) in regressions() {
        let run = simulate::run_watched(&kept.with_bug()).expect("the harness works");
        let told = story::of(&run, Some(&kept.invariant), &[]);
        let (summary, trace) = play(&told.gherkin).await;
        let failure = summary.scenarios[0].failure.as_ref();
        let failure = failure.unwrap_or_else(|| panic!("{name} passes:\n{}", told.gherkin));
        assert!(failure.why.starts_with(&kept.invariant), "{name}: {failure:?}");
        assert_same(&name, &run, &trace);
    }
}

#[tokio::test]
async fn the_same_scenario_holds_in_the_system_as_it_is() {
    for (name, kept) in regressions() {
        let run = simulate::run_watched(&kept.case).expect("the harness works");
        let told = story::of(&run, Some(&kept.invariant), &[]);
        assert!(!told.gherkin.contains("planted"), "{name}");
        let (summary, trace) = play(&told.gherkin).await;
        assert_eq!(summary.scenarios[0].failure, None, "{name}:\n{}", told.gherkin);
        assert_same(&name, &run, &trace);
    }
}

#[test]
fn a_story_has_a_line_for_each_act_fault_and_decision_and_no_ids() {
    for (name, kept) in regressions() {
        let run = simulate::run_watched(&kept.with_bug()).expect("the harness works");
        let told = story::of(&run, Some(&kept.invariant), &[]);
        let lines = run.performed.len() + run.injected().len() + run.turned.len() + 1;
        assert_eq!(told.steps.len(), lines, "{name}: {:#?}", told.steps);
        let is_id = |word: &str| word.len() >= 24 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = told.steps.iter().flat_map(|step| step.split(|c: char| !c.is_alphanumeric()));
        let ids: Vec<&str> = words.filter(|word| is_id(word)).collect();
        assert!(ids.is_empty(), "{name}: {ids:?} in {:#?}", told.steps);
        let last = told.steps.last().expect("a story has an end");
        assert!(last.contains(&kept.invariant), "{name}: {last}");
    }
}
