//! `ticketing dead-letters`: lists the messages that consumers gave up on, and replays or removes
//! those that are chosen.

use std::process::ExitCode;

use adapters::jetstream::JetStream;
use adapters::system::{SystemClock, SystemEntropy};
use anyhow::Context;
use platform::deadletter::{self, Selection};
use ports::clock::Clock;
use ports::entropy::Entropy;

use crate::cli::DeadLetters;

/// Prints one line per chosen dead letter, oldest first; with `--replay`, publishes each again, and
/// with `--remove` deletes it.
pub(crate) async fn list(args: DeadLetters) -> anyhow::Result<ExitCode> {
    let bus = JetStream::connect(&args.bus.nats_url, args.bus.namespace).await;
    let bus = bus.context("NATS_URL")?;
    let letters = deadletter::list(&bus, &SystemClock).await;
    let mut letters = letters.context("dead letters cannot be read")?;
    let selection = Selection {
        sequences: args.sequence.into_iter().collect(),
        ids: args.id.into_iter().collect(),
        subjects: args.subject.into_iter().collect(),
        services: args.service.into_iter().collect(),
    };
    letters.retain(|letter| selection.contains(letter));
    let entropy: &dyn Entropy = &SystemEntropy;
    for letter in &letters {
        let (consumer, message) = (&letter.consumer, &letter.message);
        let (attempts, reason) = (&letter.attempts, &letter.reason);
        let subject = &message.subject;
        let (sequence, id) = (letter.sequence, letter.message_id());
        println!("{sequence}\t{consumer}\t{subject}\t{id}\tattempts: {attempts}\t{reason}");
        if args.replay {
            let id = entropy.id(SystemClock.now());
            deadletter::replay(&bus, letter, id).await.context("replay failed")?;
        }
        if args.remove {
            deadletter::remove(&bus, sequence).await.context("removal failed")?;
        }
    }
    let done = match (args.replay, args.remove) {
        (true, _) => ", all published again: each is removed once it is handled",
        (_, true) => ", all removed",
        _ => "",
    };
    eprintln!("dead letters: {}{done}", letters.len());
    Ok(ExitCode::SUCCESS)
}
