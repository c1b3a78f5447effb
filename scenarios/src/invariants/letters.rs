//! Nothing is given up on lightly: a dead letter is there only where enough went wrong.

use harness::trace::RecordKind;
use ports::bus::Stream;

use super::Evidence;

/// Fewer faults than this explain no dead letter: a message is tried ten times within more
/// than four minutes, and no single fault lasts longer than two.
const FEW: usize = 3;

pub(super) fn check(evidence: &Evidence) -> Vec<String> {
    let trouble = |what: &RecordKind| matches!(what, RecordKind::Fault { .. } | RecordKind::Crash);
    let troubles = evidence.trace.iter().filter(|record| trouble(&record.kind)).count();
    if troubles >= FEW {
        return Vec::new();
    }
    // What somebody outside has published may well be nonsense.
    let ours = |id: &str| {
        evidence.trace.iter().any(|record| match &record.kind {
            RecordKind::Publish { stream: Stream::Events, message, .. } => message.id == id,
            _ => false,
        })
    };
    let letters = evidence.letters.iter().filter(|letter| {
        let id = letter.message.id.split_once('/').map_or("", |(_, id)| id);
        ours(id)
    });
    letters
        .map(|letter| {
            let (consumer, subject) = (&letter.consumer, &letter.message.subject);
            format!("{consumer} gave up on {subject} after {troubles} faults: {}", letter.reason)
        })
        .collect()
}
