//! The hooks around a scenario. The world opens before the first step. After the last step, all
//! planned faults must have been injected, and the system must reach quiescence with all
//! invariants intact.
//!
//! A failure here is a panic, because that is how the runner learns that a hook failed; it
//! counts as a failure of the scenario.

use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cucumber::event::ScenarioFinished;
use cucumber::gherkin::{Feature, Scenario};

use super::features;
use super::scenario_world::{ScenarioWorld, StepError, WorldKind};
use crate::report::trace;
use crate::subject::AnySubject;
use crate::time_scale::{TimeScale, pause_in};

/// The tag of scenarios in which an ack wait runs out.
const SHORT_ACK_WAIT: &str = "short-ack-wait";

pub(super) async fn open(
    subject: &AnySubject,
    kind: WorldKind,
    feature: &Feature,
    scenario: &Scenario,
    world: &mut ScenarioWorld,
) {
    match ScenarioWorld::open(subject, kind, time(subject, kind, feature, scenario)).await {
        Ok(open) => *world = open,
        Err(why) => panic!("the world does not open: {why}"),
    }
}

/// The time scale of a scenario.
pub(super) fn time(
    subject: &AnySubject,
    kind: WorldKind,
    feature: &Feature,
    scenario: &Scenario,
) -> TimeScale {
    match kind {
        WorldKind::Simulated { .. } => TimeScale::simulated(),
        WorldKind::Real => {
            let longest = features::steps(feature, scenario).map(pause_in).max();
            let deadline = subject.deadlines().iter().min().copied();
            let short_ack_wait = features::tags(feature, scenario).any(|tag| tag == SHORT_ACK_WAIT);
            let hour = Duration::from_secs(60 * 60);
            TimeScale::real(longest.unwrap_or_default(), deadline.unwrap_or(hour), short_ack_wait)
        }
    }
}

pub(super) async fn close(
    trace: Option<PathBuf>,
    end: &ScenarioFinished,
    world: Option<&mut ScenarioWorld>,
) {
    let Some(world) = world.filter(|world| world.is_open()) else { return };
    let passed = matches!(end, ScenarioFinished::StepPassed);
    let judged = if passed { judge(world).await } else { Ok(()) };
    let written = trace.map_or(Ok(()), |path| write(world, &path));
    world.end().await;
    if let Err(why) = judged.and(written) {
        panic!("{why}");
    }
}

/// Whether the planned faults were injected, and all invariants hold.
async fn judge(world: &mut ScenarioWorld) -> Result<(), StepError> {
    let not_injected = world.world().faults().not_injected();
    StepError::unless(not_injected.is_empty(), || {
        let sentences = world.subject().sentences();
        let faults: Vec<String> = not_injected.iter().map(|rule| sentences.of(rule)).collect();
        format!("a planned fault was never injected, as no call matched it: {}", faults.join("; "))
    })?;
    world.restore().await?;
    let violations = world.judge_now().await?;
    StepError::unless(violations.is_empty(), || {
        let records = world.session_ref().world_ref().trace().records();
        let names = world.subject().names(&records);
        let lines = violations.iter().map(|v| names.replace_ids(&v.to_string()));
        format!("an invariant is violated: {}", lines.collect::<Vec<_>>().join("; "))
    })
}

fn write(world: &mut ScenarioWorld, path: &Path) -> Result<(), StepError> {
    let records = world.world().trace().records();
    let written =
        File::create(path).and_then(|file| trace::write(&records, &mut BufWriter::new(file)));
    written.map_err(|why| StepError::new(format!("{}: {why}", path.display())))
}
