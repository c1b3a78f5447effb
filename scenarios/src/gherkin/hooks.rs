//! What surrounds a scenario: its world opens before the first step; after the last one the
//! faults it planned must have struck, everything comes to rest, and all promises must hold.
//!
//! What goes wrong here is a panic, because that is how the runner learns that a hook failed;
//! it counts as a failure of the scenario.

use std::fs::File;
use std::io::BufWriter;
use std::path::PathBuf;

use cucumber::event::ScenarioFinished;
use cucumber::gherkin::{Feature, Scenario};
use harness::report::trace as json;

use super::features;
use crate::invariants::{self, Evidence};
use crate::stage::{Opening, Stage, WorldKind, Wrong};
use crate::story::fault;

pub(super) async fn open(
    kind: WorldKind,
    feature: &Feature,
    scenario: &Scenario,
    stage: &mut Stage,
) {
    let pace = kind.pace(features::steps(feature, scenario));
    match Stage::open(&Opening { kind, pace }).await {
        Ok(open) => *stage = open,
        Err(why) => panic!("the world does not open: {why}"),
    }
}

pub(super) async fn close(
    trace: Option<PathBuf>,
    end: &ScenarioFinished,
    stage: Option<&mut Stage>,
) {
    let Some(stage) = stage.filter(|stage| stage.is_open()) else { return };
    let passed = matches!(end, ScenarioFinished::StepPassed);
    let judged = if passed { judge(stage).await } else { Ok(()) };
    let written = trace.map_or(Ok(()), |path| write(stage, &path));
    stage.end().await;
    if let Err(wrong) = judged.and(written) {
        panic!("{wrong}");
    }
}

/// Whether the scenario did what it planned, and the system what it promises.
async fn judge(stage: &mut Stage) -> Result<(), Wrong> {
    let not_injected = stage.world().faults().not_injected();
    Wrong::unless(not_injected.is_empty(), || {
        let faults: Vec<String> = not_injected.iter().map(fault::sentence).collect();
        format!("a fault that was planned never struck: {}", faults.join("; "))
    })?;
    stage.restore().await?;
    let (exact, ledger, shown) =
        (stage.is_exact(), stage.provider().charges(), stage.shown.clone());
    let evidence = Evidence::gather(stage.world(), exact, ledger, shown).await?;
    let violations = invariants::violations(&evidence);
    Wrong::unless(violations.is_empty(), || {
        let lines: Vec<String> = violations.iter().map(ToString::to_string).collect();
        format!("a promise was broken: {}", lines.join("; "))
    })
}

fn write(stage: &mut Stage, path: &std::path::Path) -> Result<(), Wrong> {
    let trace = stage.world().trace();
    let written = File::create(path)
        .and_then(|file| json::write(&trace.records(), &mut BufWriter::new(file)));
    written.map_err(|why| Wrong(format!("{}: {why}", path.display())))
}
