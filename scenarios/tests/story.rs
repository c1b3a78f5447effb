//! Stories: their sentences, and their scenarios, which repeat the described run decision by
//! decision, with and without the planted bug.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use contracts::Cents;
use harness::case::{Case, Decision, FaultPlan, Schedule};
use harness::console;
use harness::faults::{Effect, FaultRule, Operation as Call};
use harness::gherkin::{self, Choice, Summary, WorldKind};
use harness::regressions::Regression;
use harness::report::trace;
use harness::run::{self, Run};
use harness::script::Then;
use harness::story::Story;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use scenarios::operation::Operation;
use scenarios::workloads::{Round, Script};
use serde_json::Value;

fn subject() -> AnySubject {
    AnySubject::new(Ticketing)
}

fn regressions(subject: &AnySubject) -> Vec<(String, Regression)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions");
    let all = Regression::all(subject, &folder).expect("regressions can be read");
    all.into_iter().map(|(path, kept)| (path.display().to_string(), kept)).collect()
}

/// Runs a feature; returns the outcome and the trace of its one scenario.
async fn play(subject: &AnySubject, feature: &str) -> (Summary, String) {
    let folder = tempfile::tempdir().expect("there is room for a feature");
    fs::write(folder.path().join("found.feature"), feature).expect("it can be written");
    let choice = Choice { folder: Some(folder.path().to_owned()), ..Choice::default() };
    let output = Some(folder.path().join("out"));
    let run = gherkin::Run { choice, output, ..gherkin::Run::all(WorldKind::simulated(1)) };
    let summary = gherkin::run(subject, &run, |_| ()).await.expect("features can be read");
    assert_eq!(summary.unreadable, Vec::<String>::new());
    assert_eq!(summary.scenarios.len(), 1, "{feature}");
    let trace = summary.scenarios[0].trace.as_ref().expect("it was written");
    let trace = fs::read_to_string(trace).expect("it was written");
    (summary, trace)
}

/// A trace without the lines of the scenario, and so without numbers.
fn records(trace: &str) -> Vec<Value> {
    let records = trace.lines().map(|line| {
        let mut record: Value = serde_json::from_str(line).expect("a trace is JSON");
        record.as_object_mut().expect("a record is an object").remove("n");
        record
    });
    records.filter(|record| record["port"] != "scenario").collect()
}

/// Compares up to the end of the run: after it, the world of the scenario is ended.
fn assert_same(name: &str, run: &Run, played: &str) {
    let (described, played) = (records(&trace::text(&run.trace)), records(played));
    assert!(played.len() >= described.len(), "{name}: the scenario ends early");
    for (at, (described, played)) in described.iter().zip(&played).enumerate() {
        assert_eq!(described, played, "{name}: record {at} differs");
    }
}

#[tokio::test]
async fn the_scenario_of_a_planted_bug_violates_the_same_invariant_by_the_same_run() {
    let subject = subject();
    for (name, kept) in regressions(&subject) {
        let run = run::run_watched(&subject, &kept.with_bug()).expect("the harness works");
        let story = Story::of(&subject, &run, Some(&kept.invariant), &[]);
        let (summary, trace) = play(&subject, &story.gherkin).await;
        let failure = summary.scenarios[0].failure.as_ref();
        let failure = failure.unwrap_or_else(|| panic!("{name} passes:\n{}", story.gherkin));
        assert!(failure.why.starts_with(&kept.invariant), "{name}: {failure:?}");
        assert_same(&name, &run, &trace);
    }
}

#[tokio::test]
async fn the_same_scenario_holds_in_the_system_as_it_is() {
    let subject = subject();
    for (name, kept) in regressions(&subject) {
        let run = run::run_watched(&subject, &kept.case).expect("the harness works");
        let story = Story::of(&subject, &run, Some(&kept.invariant), &[]);
        assert!(!story.gherkin.contains("planted"), "{name}");
        let (summary, trace) = play(&subject, &story.gherkin).await;
        assert_eq!(summary.scenarios[0].failure, None, "{name}:\n{}", story.gherkin);
        assert_same(&name, &run, &trace);
    }
}

#[test]
fn a_story_has_a_line_for_each_action_fault_and_delayed_call_and_no_ids() {
    let subject = subject();
    for (name, kept) in regressions(&subject) {
        let run = run::run_watched(&subject, &kept.with_bug()).expect("the harness works");
        let story = Story::of(&subject, &run, Some(&kept.invariant), &[]);
        let delayed = run.reorderings().map(|choice| choice.waited().number);
        let delayed = delayed.collect::<BTreeSet<_>>().len();
        // Time that passes after the last action has a line of its own, and so has the end.
        let last = run.exact.script.rounds.last().expect("a script has a round");
        let pause = usize::from(last.then.seconds() > 0);
        let lines = run.history.calls().len() + run.injected().len() + delayed + pause + 1;
        assert_eq!(story.steps.len(), lines, "{name}: {:#?}", story.steps);
        let is_id = |word: &str| word.len() >= 24 && word.bytes().all(|b| b.is_ascii_hexdigit());
        let words = story.steps.iter().flat_map(|step| step.split(|c: char| !c.is_alphanumeric()));
        let ids: Vec<&str> = words.filter(|word| is_id(word)).collect();
        assert!(ids.is_empty(), "{name}: {ids:?} in {:#?}", story.steps);
        let last = story.steps.last().expect("a story has an end");
        assert!(last.contains(&kept.invariant), "{name}: {last}");
    }
}

/// Two buyers of one ticket at the same moment, perhaps with a bug planted.
fn rivals(bug: Option<&str>) -> Case {
    let reserve = |who| Operation::reserve(who, "Opera");
    let rounds = vec![
        Round::one(Operation::list("Anna", "Opera", Cents(2000)), Then::Quiesce),
        Round::of([reserve("Ben"), reserve("Cleo")], Then::Pass(90)),
    ];
    let script = Script::new(["Anna", "Ben", "Cleo"], rounds);
    Case {
        workload: "race".to_owned(),
        bug: bug.map(str::to_owned),
        faults: FaultPlan::Exact(Vec::new()),
        schedule: Schedule::Exact(Vec::new()),
        ..Case::of(script.erased(), 1)
    }
}

fn story(case: &Case) -> Story {
    let subject = subject();
    Story::of(&subject, &run::run_watched(&subject, case).unwrap(), None, &[])
}

#[test]
fn a_story_has_replies_and_the_violated_invariant() {
    let story = story(&rivals(Some("look-then-insert")));
    assert_eq!(
        story.steps,
        [
            "Anna lists \"Opera\" for 20.00: 201",
            "Ben reserves \"Opera\": 201",
            "At the same moment, Cleo reserves \"Opera\": 201",
            "90 seconds pass",
            "one-holder is violated: ticket \"Opera\" is held by orders of Ben and of Cleo",
        ]
    );
    assert_eq!(story.invariant.as_deref(), Some("one-holder"));
}

#[test]
fn a_refusal_is_quoted_and_a_run_in_which_everything_held_says_so() {
    let story = story(&rivals(None));
    assert!(story.steps[2].ends_with("Cleo reserves \"Opera\": 400 `Ticket is already reserved`"));
    assert_eq!(story.steps.last().unwrap(), "Every invariant holds");
    assert_eq!(story.invariant, None);
}

#[test]
fn faults_and_reorderings_stand_where_they_happened() {
    let lost = FaultRule {
        service: Some("tickets".to_owned()),
        operation: Call::Ack,
        target: Some("order.created".to_owned()),
        skip: 0,
        times: 1,
        effect: Effect::LoseAck,
    };
    let faults = FaultPlan::Exact(vec![lost.clone()]);
    let schedule = Schedule::Exact(vec![(21, Decision::Run(1))]);
    let story = story(&Case { faults, schedule, ..rivals(None) });
    let at = |what: &str| story.steps.iter().position(|step| step.contains(what)).unwrap();
    assert!(
        at("Cleo reserves") < at("acknowledgement of the 1st OrderCreated"),
        "{:#?}",
        story.steps
    );
    assert!(at(" before ") < at("seconds pass"), "{:#?}", story.steps);
    let sentence = subject().sentences().of(&lost);
    assert!(story.gherkin.contains(&sentence), "{}", story.gherkin);
    assert!(story.gherkin.contains("the order 21:1 from here on"), "{}", story.gherkin);
}

#[test]
fn the_calls_that_run_while_one_call_waits_share_a_line() {
    let order: Vec<_> = (21..25).map(|number| (number, Decision::Run(1))).collect();
    let case = Case { schedule: Schedule::Exact(order), ..rivals(None) };
    let run = run::run_watched(&subject(), &case).unwrap();
    let delayed: Vec<_> = run.reorderings().map(|choice| choice.waited().number).collect();
    assert_eq!(delayed, [delayed[0]; 4]);
    let story = Story::of(&subject(), &run, None, &[]);
    let merged = story.steps.iter().filter(|step| step.contains(" before "));
    let merged: Vec<_> = merged.collect();
    let [line] = &merged[..] else { panic!("{:#?}", story.steps) };
    assert!(line.starts_with("3 other calls run, and then "), "{line}");
    assert_eq!(story.gherkin.matches("    # 2").count(), 4, "{}", story.gherkin);
}

#[test]
fn the_stories_of_an_earlier_run_are_removed_and_other_files_stay() {
    let folder = tempfile::tempdir().expect("there is room for a story");
    let case = rivals(Some("look-then-insert"));
    let run = run::run_watched(&subject(), &case).unwrap();
    let story = story(&case);
    let page = console::page(&subject(), &run, "rehearse replay");
    let write = harness::report::story::write;
    let files =
        write(&story, &run, folder.path(), "1-one-holder", &page, "").expect("it can be written");
    let notes = folder.path().join("notes.md");
    fs::write(&notes, "keep me").expect("it can be written");
    harness::report::story::clear(folder.path()).expect("it can be cleared");
    for file in [&files.story, &files.feature, &files.trace, &files.page] {
        assert!(!file.exists(), "{}", file.display());
    }
    assert!(notes.exists());
    let missing = folder.path().join("missing");
    harness::report::story::clear(&missing).expect("nothing is there to be cleared");
}

#[test]
fn the_scenario_reads_as_one_written_by_hand() {
    let story = story(&rivals(Some("look-then-insert")));
    let lines = [
        "    Given the seed 1",
        "    And the planted bug look-then-insert",
        "    And the clients Anna, Ben and Cleo",
        "    When at the same moment",
        "      | Anna | lists | Opera | 20.00 |",
        "    And the system reaches quiescence",
        "    And at the same moment",
        "      | Ben  | reserves | Opera |",
        "      | Cleo | reserves | Opera |",
        "    And 90 seconds pass",
        "    Then the invariant one-holder holds",
    ];
    assert!(story.gherkin.contains(&lines.join("\n")), "{}", story.gherkin);
}
