//! A scenario that plays without cucumber's runner: one step after the other, and on after one
//! that fails. The crash sweep plays it; faults that the scenario plans itself stay.

use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;

use cucumber::gherkin::{Feature, Scenario, Step};
use cucumber::step::Collection;
use futures::FutureExt;
use sim::scheduler::{Fifo, Random};

use super::features;
use super::scenario_world::{MakeScheduler, ScenarioWorld, StepError};
use super::steps;
use crate::faults::Effect;
use crate::search::played::Played;
use crate::session::RunError;
use crate::subject::AnySubject;
use crate::system::System;

/// A scenario, with the steps of its background.
#[derive(Debug, Clone)]
pub struct Playable {
    /// Its name.
    pub name: String,
    /// Its file and line.
    pub place: String,
    steps: Vec<Step>,
}

impl Playable {
    /// A scenario of a feature.
    pub fn new(feature: &Feature, scenario: &Scenario) -> Self {
        let background = feature.background.iter().flat_map(|background| &background.steps);
        Self {
            name: scenario.name.clone(),
            place: features::place(feature, scenario),
            steps: background.chain(&scenario.steps).cloned().collect(),
        }
    }

    /// Plays it in simulation, with a fault at the call of this number.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub(crate) fn play(
        &self,
        subject: &AnySubject,
        seed: u64,
        random: bool,
        change: fn(System) -> System,
        at_call: Option<(u64, Effect)>,
    ) -> Result<Played, RunError> {
        let scheduler: MakeScheduler =
            if random { |seed| Box::new(Random::new(seed)) } else { |_| Box::new(Fifo) };
        let mut world = ScenarioWorld::open_reviving(subject, seed, scheduler, change)?;
        let playing = self.play_in(&mut world, at_call).now_or_never();
        playing.expect("a simulated world never waits for anything real")
    }

    async fn play_in(
        &self,
        world: &mut ScenarioWorld,
        at_call: Option<(u64, Effect)>,
    ) -> Result<Played, RunError> {
        // From here on calls are counted.
        world.world().faults().plan([]);
        if let Some((call, effect)) = at_call {
            world.world().faults().inject_at_call(call, effect);
        }
        let mut failed_step = None;
        for step in &self.steps {
            if let Err(why) = perform(world, step).await {
                failed_step.get_or_insert(format!("{}{}: {why}", step.keyword, step.value));
            }
        }
        let calls = world.world().faults().calls();
        drop(world.reopen().await);
        let violations = match world.judge_with(false).await {
            Ok(violations) => violations,
            Err(StepError::NotQuiescent(why)) => vec![why.into()],
            Err(StepError::World(why)) => return Err(why.into()),
            Err(StepError::Run(why)) => return Err(why),
            Err(StepError::Unprepared(why)) => return Err(RunError::Unprepared(why)),
            Err(StepError::Failed(why)) => {
                failed_step.get_or_insert(why);
                Vec::new()
            }
        };
        let injected = world.world().faults().injected_at_call();
        let trace = world.world().trace().records();
        Ok(Played { calls, injected, violations, failed_step, trace })
    }
}

/// Carries out a step as the runner would; a panic is a failure.
async fn perform(world: &mut ScenarioWorld, step: &Step) -> Result<(), StepError> {
    static STEPS: OnceLock<Collection<ScenarioWorld>> = OnceLock::new();
    let found = STEPS.get_or_init(steps::recorded).find(step);
    let found = found.map_err(|ambiguous| StepError::new(ambiguous.to_string()))?;
    let (perform, _, _, context) = found.ok_or_else(|| StepError::new("there is no such step"))?;
    let done = AssertUnwindSafe(perform(world, context)).catch_unwind().await;
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        StepError::new(text.unwrap_or_default())
    })
}
