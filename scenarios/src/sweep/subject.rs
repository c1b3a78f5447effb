//! What is swept: a scenario of the features, or a script of a workload. It plays once, with
//! a crash or without, and says which promises were broken.
//!
//! A scenario plays without cucumber's runner: one step after the other, and on after one
//! that fails. Faults that it plans by itself stay.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, LazyLock};

use cucumber::gherkin::{Feature, Scenario, Step};
use cucumber::step::Collection;
use futures::FutureExt;
use harness::faults::FaultRule;
use harness::simulated::Simulated;
use harness::trace::Record;
use harness::world::{Inspect, Operate, World, WorldError};
use sim::scheduler::{Fifo, Random};

use ticketing::Settings;

use super::{Plan, Point};
use crate::invariants::Violation;
use crate::pace::Pace;
use crate::perform::{Company, come_to_rest, conclude};
use crate::provider::Provider;
use crate::script::Script;
use crate::simulate::{WINDOW, verdict};
use crate::stage::opening::Choosing;
use crate::stage::{Stage, Wrong};
use crate::system::system;
use crate::workloads;
use crate::{gherkin::features, steps};

/// What is swept.
#[derive(Debug, Clone)]
pub struct Subject {
    /// Its name: the scenario's, or as in `market:17`.
    pub name: String,
    /// Where it stands, for people.
    pub place: String,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    /// The background's steps and its own.
    Steps(Vec<Step>),
    Script(Script),
}

/// What came of one run.
#[derive(Debug, Clone)]
pub struct Played {
    /// How many calls there were, up to the end of what was played.
    pub calls: u64,
    /// The call at which a service crashed.
    pub injected: Option<FaultRule>,
    /// The promises that were broken.
    pub violations: Vec<Violation>,
    /// The first step that did not go as its author says, and why.
    pub broke_its_words: Option<String>,
    /// The record.
    pub trace: Arc<Vec<Record>>,
}

impl Subject {
    /// A scenario of a feature.
    pub fn scenario(feature: &Feature, scenario: &Scenario) -> Self {
        let background = feature.background.iter().flat_map(|background| &background.steps);
        Self {
            name: scenario.name.clone(),
            place: features::place(feature, scenario),
            what: What::Steps(background.chain(&scenario.steps).cloned().collect()),
        }
    }

    /// What a workload draws, named as in `market:17`; `None` where there is no such workload.
    ///
    /// ```
    /// use scenarios::sweep::Subject;
    ///
    /// assert!(Subject::workload("market:17").is_some());
    /// assert!(Subject::workload("Buying: a story").is_none());
    /// ```
    pub fn workload(name: &str) -> Option<Self> {
        let (workload, seed) = name.split_once(':')?;
        let (workload, seed) = (workloads::named(workload)?, seed.parse().ok()?);
        let what = What::Script(workload.open().draw(seed));
        Some(Self { name: name.to_owned(), place: workload.about.to_owned(), what })
    }

    /// Plays it, with a crash at this point.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub fn play(&self, plan: &Plan, point: Option<Point>) -> Result<Played, WorldError> {
        let playing = async {
            match &self.what {
                What::Steps(steps) => play_steps(steps, plan, point).await,
                What::Script(script) => play_script(script, plan, point).await,
            }
        };
        playing.now_or_never().expect("a simulated world never waits for anything outside")
    }
}

fn choosing(plan: &Plan) -> Choosing {
    if plan.random { |seed| Box::new(Random::new(seed)) } else { |_| Box::new(Fifo) }
}

/// From here on calls are counted, and the one of this point is struck.
fn aim(world: &dyn World, point: Option<Point>) {
    world.faults().plan([]);
    if let Some(point) = point {
        world.faults().inject_at_call(point.call - 1, point.effect());
    }
}

async fn play_steps(
    steps: &[Step],
    plan: &Plan,
    point: Option<Point>,
) -> Result<Played, WorldError> {
    let mut stage = Stage::open_reviving(plan.seed, choosing(plan), plan.change);
    aim(stage.world(), point);
    let mut broke = None;
    for step in steps {
        if let Err(why) = perform(&mut stage, step).await {
            broke.get_or_insert(format!("{}{}: {why}", step.keyword, step.value));
        }
    }
    let calls = stage.world().faults().calls();
    drop(stage.reopen().await);
    let (provider, shown) = (stage.provider().clone(), stage.shown.clone());
    let policy = stage.pace().policy.clone();
    let evidence = come_to_rest(stage.world(), &provider, &policy, true, &shown).await;
    let violations = verdict(&evidence)?;
    Ok(played(stage.world(), calls, violations, broke))
}

/// Carries out a step, as the runner would; what it panics with is why it fails.
async fn perform(stage: &mut Stage, step: &Step) -> Result<(), Wrong> {
    static STEPS: LazyLock<Collection<Stage>> = LazyLock::new(steps::prompted);
    let found = STEPS.find(step).map_err(|ambiguous| Wrong(ambiguous.to_string()))?;
    let (perform, _, _, context) = found.ok_or_else(|| Wrong("no step reads so".to_owned()))?;
    let done = AssertUnwindSafe(perform(stage, context)).catch_unwind().await;
    done.map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Wrong(text.unwrap_or_default())
    })
}

async fn play_script(
    script: &Script,
    plan: &Plan,
    point: Option<Point>,
) -> Result<Played, WorldError> {
    let provider = Provider::new(&Settings::rehearsal().provider.key);
    let policy = Pace::simulated().policy;
    let system = (plan.change)(system(&provider, WINDOW, policy.clone()));
    let mut world = Simulated::start(system, plan.seed, Box::new(Fifo));
    let mut company = match Company::sign_up(script, &mut world).await {
        Ok(company) => company,
        Err(why) => return Err(WorldError::other(format!("people cannot sign up: {why}"))),
    };
    world.revive();
    world.kernel().set_scheduler(choosing(plan)(plan.seed));
    aim(&world, point);
    company.play(script, &mut world).await?;
    let calls = world.faults().calls();
    let evidence = conclude(&company, &mut world, &provider, &policy, true).await;
    let violations = verdict(&evidence)?;
    Ok(played(&mut world, calls, violations, None))
}

fn played(
    world: &mut dyn World,
    calls: u64,
    violations: Vec<Violation>,
    broke_its_words: Option<String>,
) -> Played {
    let (injected, trace) = (world.faults().injected_at_call(), world.trace().records());
    Played { calls, injected, violations, broke_its_words, trace }
}
