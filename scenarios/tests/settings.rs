//! Settings that vary from run to run: they find bugs that the defaults hide, and a failure keeps
//! those alone that it needs.

use std::time::Duration;

use harness::case::{Case, Token};
use harness::run;
use harness::search::explore::{Plan, SettingsChoice, explore};
use harness::settings::{Settings, Value};
use harness::shrink::case::shrink;
use harness::story::Story;
use harness::subject::AnySubject;
use scenarios::Ticketing;
use scenarios::system::{HOLD_WINDOW, SETTINGS};

const BUG: &str = "window-without-hours";

fn subject() -> AnySubject {
    AnySubject::new(Ticketing)
}

fn plan(settings: SettingsChoice) -> Plan {
    let all = Plan::all("race", 0..120);
    Plan { bug: Some(BUG.to_owned()), settings, jobs: 1, first_only: true, ..all }
}

#[test]
fn a_bug_that_the_default_hides_is_found_and_only_its_setting_is_kept() {
    let subject = subject();
    let defaults = SettingsChoice { defaults: true, fixed: Vec::new() };
    let hidden = explore(&subject, &plan(defaults), |_| ()).expect("the harness works");
    assert_eq!(hidden.failures.len(), 0, "{:#?}", hidden.failures);
    let found = explore(&subject, &plan(SettingsChoice::default()), |_| ());
    let found = found.expect("the harness works");
    let failure = found.failures.values().next().expect("another window shows the bug");

    // More settings than the bug needs.
    let mut case = failure.case.clone();
    let set = |case: &mut Case, name: &str, value: &str| {
        let value = Value::try_from(value.to_owned()).expect("it is a value");
        case.settings.set_named(subject.settings(), name, value).expect("it is a setting");
    };
    set(&mut case, "relay-batch", "1");
    set(&mut case, "tickets-instances", "2");
    let shrunk = shrink(&subject, &case, &failure.invariant, || ()).expect("the harness works");
    let shrunk = shrunk.expect("the other settings make no difference");
    let kept: Vec<(&str, Value)> = shrunk.run.exact.settings.iter().collect();
    assert_eq!(kept, [("hold-window", Value::Time(Duration::from_secs(3_600)))]);

    let story = Story::of_shrunk(&subject, &shrunk);
    assert_eq!(story.steps[0], "The setting hold-window is 1 hour instead of 15 minutes");
    assert!(story.gherkin.contains("And the setting hold-window is 1 hour\n"), "{}", story.gherkin);
    let again = story.token.case().expect("it is a token").read(&subject).expect("of ticketing");
    assert_eq!(again.settings, shrunk.run.exact.settings);
    assert!(run::judge(&subject, &again).expect("the harness works").violates(&shrunk.invariant));
}

#[test]
fn a_case_without_settings_has_the_defaults_and_its_token_says_nothing_of_them() {
    let subject = subject();
    let scripts = subject.scripts("race").expect("there is such a workload");
    let defaults = SettingsChoice { defaults: true, fixed: Vec::new() };
    let case = Plan { bug: None, ..plan(defaults) }.case(&subject, &scripts, 7);
    let json = serde_json::to_value(&case).expect("a case is plain data");
    assert_eq!(json.get("settings"), None);
    let read = Token::of(&case).case().expect("it is a token").read(&subject);
    assert_eq!(read.expect("of ticketing").settings, Settings::default());
}

#[test]
fn a_token_with_an_unknown_setting_is_refused_by_name() {
    let subject = subject();
    let scripts = subject.scripts("race").expect("there is such a workload");
    let case = plan(SettingsChoice::default()).case(&subject, &scripts, 7);
    let mut json = serde_json::to_value(&case).expect("a case is plain data");
    json["settings"] = serde_json::json!({ "patience": "3" });
    let raw: harness::case::RawCase = serde_json::from_value(json).expect("it is a case");
    let why = raw.read(&subject).expect_err("there is no such setting").to_string();
    assert!(why.contains("patience") && why.contains("hold-window"), "{why}");
}

#[test]
fn every_setting_of_ticketing_reaches_the_services_and_the_model() {
    let time = harness::time_scale::TimeScale::simulated();
    let usual = scenarios::system::settings(&time, &Settings::default());
    for setting in SETTINGS {
        for value in setting.values {
            let mut drawn = Settings::default();
            drawn.set(setting, *value);
            let changed = scenarios::system::settings(&time, &drawn);
            let fields = |s: &ticketing::Settings| {
                let keys = s.session.previous_key.clone();
                (s.reservation_window, s.session.lifetime, keys, s.max_open_orders)
            };
            assert_ne!(fields(&changed), fields(&usual), "{} {value}", setting.name);
        }
    }
    assert_eq!(usual.reservation_window, Settings::default().time(&HOLD_WINDOW));
}
