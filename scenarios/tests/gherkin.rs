//! The Gherkin runner with ticketing's steps: every failure is detected and explained.

use std::fs;

use harness::gherkin::{self, Choice, Failure, Run, Summary, WorldKind, features, steps};
use harness::subject::AnySubject;
use scenarios::Ticketing;

fn folder(text: &str) -> (tempfile::TempDir, Choice) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one.feature"), text).unwrap();
    let choice = Choice { folder: Some(folder.path().to_owned()), ..Choice::default() };
    (folder, choice)
}

async fn run_text(text: &str) -> (Summary, tempfile::TempDir) {
    let (folder, choice) = folder(text);
    let output = Some(folder.path().join("out"));
    let options = Run { choice, output, ..Run::all(WorldKind::simulated(1)) };
    (gherkin::run(&AnySubject::new(Ticketing), &options, |_| ()).await.unwrap(), folder)
}

fn failure(summary: &Summary) -> &Failure {
    summary.scenarios[0].failure.as_ref().expect("it fails")
}

#[test]
fn every_step_of_every_scenario_is_known() {
    let subject = AnySubject::new(Ticketing);
    let program = features::program(&subject, &Choice::default(), "simulated").unwrap();
    assert_eq!(program.unreadable, Vec::<String>::new());
    for feature in &program.features {
        for scenario in &feature.scenarios {
            let background = feature.background.iter().flat_map(|background| &background.steps);
            for step in background.chain(&scenario.steps) {
                let found = steps::all(&subject).find(step);
                assert!(matches!(found, Ok(Some(_))), "{}: {}", scenario.name, step.value);
            }
        }
    }
}

#[tokio::test]
async fn scenarios_of_one_name_have_traces_of_their_own() {
    let text = "Feature: F\n  Scenario: S\n    Given Anna has signed up\n  \
                Scenario: S\n    Given Ben has signed up\n";
    let (summary, _folder) = run_text(text).await;
    let traces: Vec<_> = summary.scenarios.iter().map(|s| s.trace.clone().unwrap()).collect();
    assert_ne!(traces[0], traces[1]);
}

#[tokio::test]
async fn a_folder_without_a_feature_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let choice = Choice { folder: Some(folder.path().to_owned()), ..Choice::default() };
    let options = Run { choice, ..Run::all(WorldKind::simulated(1)) };
    let error = gherkin::run(&AnySubject::new(Ticketing), &options, |_| ()).await.unwrap_err();
    assert!(error.to_string().contains("holds no file that ends in .feature"), "{error}");
}

#[tokio::test]
async fn a_step_that_fails_is_named_with_its_reason() {
    let text = "Feature: F\n  Scenario: S\n    Given Anna has listed \"Opera\" for 20\n    \
                Then \"Opera\" is for sale for 21\n";
    let (summary, folder) = run_text(text).await;
    assert!(!summary.is_success());
    let failure = failure(&summary);
    assert_eq!(failure.step.as_deref(), Some("Then \"Opera\" is for sale for 21"));
    assert_eq!(failure.why, "\"Opera\" is for sale for 20");
    let trace = summary.scenarios[0].trace.clone().unwrap();
    assert!(fs::read_to_string(trace).unwrap().contains("Given Anna has listed"));
    let junit = fs::read_to_string(folder.path().join("out/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"1\""), "{junit}");
}

#[tokio::test]
async fn a_fault_that_is_never_injected_fails_the_scenario_in_every_report() {
    let text = "Feature: F\n  Scenario: S\n    Given the next publish of UserBanned fails\n";
    let (summary, folder) = run_text(text).await;
    assert_eq!(summary.failed(), 1);
    assert!(failure(&summary).why.contains("never injected"), "{summary:?}");
    let junit = fs::read_to_string(folder.path().join("out/junit.xml")).unwrap();
    assert!(junit.contains("failures=\"1\""), "{junit}");
    let json = fs::read_to_string(folder.path().join("out/cucumber.json")).unwrap();
    assert!(json.contains("never injected"), "{json}");
}

#[tokio::test]
async fn an_unknown_step_fails_the_scenario_and_the_nearest_are_offered() {
    let (summary, _folder) =
        run_text("Feature: F\n  Scenario: S\n    When Anna reserve \"A\"\n").await;
    let why = &failure(&summary).why;
    assert!(why.contains("no such step") && why.contains("reserves"), "{why}");
}

#[tokio::test]
async fn one_winner_too_many_fails_the_scenario() {
    let text = "Feature: F\n  Scenario: S\n    Given Anna has listed \"Opera\" for 20\n    \
                When 5 buyers reserve \"Opera\" at the same moment\n    \
                Then exactly 2 of them has \"Opera\"\n";
    let (summary, _folder) = run_text(text).await;
    assert_eq!(failure(&summary).why, "1 of them were given an order");
}

#[tokio::test]
async fn a_missing_charge_fails_the_scenario() {
    let text = "Feature: F\n  Scenario: S\n    Given Anna has listed \"Opera\" for 20\n    \
                And Boris has reserved \"Opera\"\n    \
                Then Boris has paid 20 for \"Opera\" exactly once\n";
    let (summary, _folder) = run_text(text).await;
    assert_eq!(failure(&summary).why, "the provider's ledger shows no charge");
}

#[tokio::test]
async fn scenarios_for_the_other_world_are_left_out_and_counted() {
    let text = "Feature: F\n  @real-only\n  Scenario: S\n    When pigs fly\n";
    let (summary, _folder) = run_text(text).await;
    assert_eq!((summary.scenarios.len(), summary.left_out), (0, 1));
}

#[tokio::test]
async fn an_unreadable_feature_is_a_failure() {
    let (summary, _folder) = run_text("Scenario: without a feature\n").await;
    assert_eq!(summary.unreadable.len(), 1);
    assert!(!summary.is_success());
}
