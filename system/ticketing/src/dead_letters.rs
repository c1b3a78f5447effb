//! `ticketing dead-letters`: lists the messages that consumers gave up on, and replays them.

use std::process::ExitCode;

use adapters::jetstream::JetStream;
use adapters::system::{SystemClock, SystemEntropy};
use anyhow::Context;
use platform::deadletter;
use ports::clock::Clock;
use ports::entropy::Entropy;

use crate::cli::DeadLetters;

/// Prints one line per dead letter, oldest first; with `--replay`, publishes each again.
pub(crate) async fn list(args: DeadLetters) -> anyhow::Result<ExitCode> {
    let bus = JetStream::connect(&args.bus.nats_url, args.bus.namespace).await;
    let bus = bus.context("NATS_URL")?;
    let letters = deadletter::list(&bus).await.context("dead letters cannot be read")?;
    let entropy: &dyn Entropy = &SystemEntropy;
    for letter in &letters {
        let (consumer, message) = (&letter.consumer, &letter.message);
        let (attempts, reason) = (&letter.attempts, &letter.reason);
        let subject = &message.subject;
        // The id of a dead letter is `<consumer>/<id of the message>`.
        let id = message.id.rsplit('/').next().unwrap_or_default();
        println!("{consumer}\t{subject}\t{id}\tattempts: {attempts}\t{reason}");
        if args.replay {
            let id = entropy.id(SystemClock.now());
            deadletter::replay(&bus, letter, id).await.context("replay failed")?;
        }
    }
    let replayed = if args.replay { ", all published again" } else { "" };
    eprintln!("dead letters: {}{replayed}", letters.len());
    Ok(ExitCode::SUCCESS)
}
