//! Feature files, and the sentences in them that describe faults.

use std::sync::LazyLock;

use harness::gherkin::parse;
use harness::subject::AnySubject;
use scenarios::Ticketing;

static SUBJECT: LazyLock<AnySubject> = LazyLock::new(|| AnySubject::new(Ticketing));

/// A file is a feature in which every scenario has steps, or is refused with a reason. A sentence
/// that describes a fault describes the same one when it is written again.
///
/// # Panics
///
/// If that is false.
pub fn feature(data: &[u8]) {
    match parse("a.feature", data) {
        Ok(feature) => {
            assert!(!feature.scenarios.is_empty(), "a feature without scenarios");
            for scenario in &feature.scenarios {
                assert!(!scenario.steps.is_empty(), "a scenario without steps");
                scenario.steps.iter().for_each(|step| sentence(&step.value));
            }
        }
        Err(why) => assert!(!why.trim().is_empty(), "refused without a reason"),
    }
    if let Ok(text) = std::str::from_utf8(data) {
        text.lines().for_each(|line| sentence(line.trim()));
    }
}

fn sentence(text: &str) {
    let sentences = SUBJECT.sentences();
    let Ok(rule) = sentences.rule(text) else { return };
    let written = sentences.of(&rule);
    assert_eq!(sentences.rule(&written).ok(), Some(rule), "{text:?} is written {written:?}");
}
