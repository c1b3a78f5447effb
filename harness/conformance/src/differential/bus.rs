//! The simulated broker against a NATS server: generated scripts of port calls by several
//! instances, each played on both.
//!
//! A script runs by the clock, so an outcome may depend on a few milliseconds. A script is
//! compared only where it does not: the simulation plays it several times with small delays of
//! each call, and must come to the same outcome. On the server, a run in which a call was later
//! than those delays is void and is repeated; a difference counts once it has shown in several
//! runs.

mod play;
mod report;
mod script;
mod shrink;
mod sides;

use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::stream;
use ports::bus::BusError;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub use report::{Difference, Report};

use script::Script;
use sides::{Real, allows, simulate};

/// The number of scripts that play on the server at once: they mostly wait.
const AT_ONCE: usize = 64;
/// The number of runs in which a difference must show.
const CONFIRMATIONS: u32 = 3;
/// The number of times that a void run is repeated.
const REPETITIONS: u32 = 6;

/// The comparison of one script.
enum Compared {
    /// The outcomes are equal.
    Alike,
    /// The outcome depends on a few milliseconds, already in simulation.
    Close,
    /// The server, or this process, was too slow in every run.
    Void,
    /// The outcomes differed once, and not again.
    Unsteady,
    /// The outcome on the server is one that the simulation comes to in another order of
    /// simultaneous calls.
    Reordered,
    /// The outcomes differ: by call, in simulation and on the server.
    Differs(Vec<String>, Vec<String>),
}

/// Compares this many generated scripts on the server at this URL. `progress` is called after
/// each with the number of scripts so far.
///
/// # Errors
///
/// If the server cannot be reached.
pub async fn run(
    cases: u32,
    seed: u64,
    nats_url: &str,
    progress: impl Fn(u32),
) -> Result<Report, BusError> {
    let real = &Real::connect(nats_url).await?;
    let started = Instant::now();
    let numbers = stream::iter(0..cases).map(|case| async move {
        let script = Script::generate(&mut generator(seed, case));
        let compared = compare(&script, real).await;
        (case, script, compared)
    });
    let mut compared = numbers.buffer_unordered(AT_ONCE);
    let mut report = Report { cases, seed, ..Report::default() };
    let mut found = Vec::new();
    let mut done = 0;
    while let Some((case, script, compared)) = compared.next().await {
        match compared {
            Compared::Alike => report.alike += 1,
            Compared::Close => report.close += 1,
            Compared::Void => report.void += 1,
            Compared::Unsteady => report.unsteady += 1,
            Compared::Reordered => report.reordered += 1,
            Compared::Differs(simulated, on_server) => {
                found.push((case, script, simulated, on_server));
            }
        }
        done += 1;
        progress(done);
    }
    report.took = started.elapsed();
    found.sort_by_key(|&(case, ..)| case);
    for (case, script, simulated, on_server) in found {
        // The first are worth the time; more of them mostly repeat those.
        let smallest = match report.differences.len() {
            0..3 => shrink::shrink(script, simulated, on_server, real).await,
            _ => (script, simulated, on_server),
        };
        let (script, simulated, real) = smallest;
        report.differences.push(Difference::new(case, &script, simulated, real));
    }
    Ok(report)
}

fn generator(seed: u64, case: u32) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(case.into());
    rng
}

/// Plays a script on both sides.
async fn compare(script: &Script, real: &Real) -> Compared {
    let Some(simulated) = simulate(script) else { return Compared::Close };
    let mut differing = None;
    for confirmed in 0..CONFIRMATIONS {
        let Some(played) = play_in_time(script, real).await else { return Compared::Void };
        if played == simulated {
            return if confirmed == 0 { Compared::Alike } else { Compared::Unsteady };
        }
        differing = Some(played);
    }
    match differing {
        Some(played) if allows(script, &played) => Compared::Reordered,
        Some(played) => Compared::Differs(simulated, played),
        None => Compared::Alike,
    }
}

/// Plays a script on the server until no call is late.
async fn play_in_time(script: &Script, real: &Real) -> Option<Vec<String>> {
    for repetition in 0..REPETITIONS {
        let played = real.play(script).await;
        if played.late <= script::TOLERANCE {
            return Some(played.outcomes);
        }
        tokio::time::sleep(Duration::from_millis(100) * repetition).await;
    }
    None
}
