//! From the runner's events to the outcome of each scenario.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use cucumber::event::{self, Hook, Source, Step, StepError};
use cucumber::{Event, cli, gherkin, parser};

use super::features::place;
use super::scenario_world::ScenarioWorld;
use super::{Failure, Finished, PlayedStep, trace_path};

/// Reports each scenario as it ends, and keeps a list.
pub(super) struct Reporter<F> {
    on_finished: F,
    finished: Rc<RefCell<Vec<Finished>>>,
    output: Option<PathBuf>,
    running: HashMap<Source<gherkin::Scenario>, Running>,
}

/// A scenario that runs.
struct Running {
    began: Instant,
    failure: Option<Failure>,
    steps: Vec<PlayedStep>,
    /// When its current step began.
    step_began: Instant,
}

impl Running {
    fn begin() -> Self {
        let now = Instant::now();
        Self { began: now, failure: None, steps: Vec::new(), step_began: now }
    }

    fn end_step(&mut self, text: String, failed: bool) {
        let took = self.step_began.elapsed();
        self.steps.push(PlayedStep { text, took, failed });
    }
}

impl<F: FnMut(&Finished)> Reporter<F> {
    pub(super) fn new(
        on_finished: F,
        finished: Rc<RefCell<Vec<Finished>>>,
        output: Option<PathBuf>,
    ) -> Self {
        Self { on_finished, finished, output, running: HashMap::new() }
    }

    fn scenario(
        &mut self,
        feature: &gherkin::Feature,
        scenario: Source<gherkin::Scenario>,
        event: event::Scenario<ScenarioWorld>,
    ) {
        let failure = match event {
            event::Scenario::Started => {
                self.running.insert(scenario, Running::begin());
                return;
            }
            event::Scenario::Finished => return self.finish(feature, &scenario),
            event::Scenario::Hook(_, Hook::Failed(_, why)) => {
                Failure { step: None, why: panic_text(&*why) }
            }
            event::Scenario::Background(step, event) | event::Scenario::Step(step, event) => {
                let Some(running) = self.running.get_mut(&scenario) else { return };
                let text = format!("{} {}", step.keyword.trim(), step.value);
                let why = match event {
                    Step::Failed(_, _, _, StepError::Panic(why)) => panic_text(&*why),
                    Step::Failed(_, _, _, why) => why.to_string(),
                    Step::Skipped => "the step was skipped".to_owned(),
                    Step::Started => {
                        running.step_began = Instant::now();
                        return;
                    }
                    Step::Passed(..) => return running.end_step(text, false),
                };
                running.end_step(text.clone(), true);
                Failure { step: Some(text), why }
            }
            event::Scenario::Hook(..) | event::Scenario::Log(_) => return,
        };
        if let Some(running) = self.running.get_mut(&scenario) {
            running.failure.get_or_insert(failure);
        }
    }

    fn finish(&mut self, feature: &gherkin::Feature, scenario: &Source<gherkin::Scenario>) {
        let Some(running) = self.running.remove(scenario) else { return };
        let trace = self.output.as_deref().map(|output| trace_path(output, feature, scenario));
        let finished = Finished {
            feature: feature.name.clone(),
            scenario: scenario.name.clone(),
            place: place(feature, scenario),
            failure: running.failure,
            took: running.began.elapsed(),
            trace: trace.filter(|path| path.exists()),
            steps: running.steps,
            again: None,
        };
        (self.on_finished)(&finished);
        self.finished.borrow_mut().push(finished);
    }
}

impl<F: FnMut(&Finished)> cucumber::Writer<ScenarioWorld> for Reporter<F> {
    type Cli = cli::Empty;

    async fn handle_event(
        &mut self,
        event: parser::Result<Event<event::Cucumber<ScenarioWorld>>>,
        _: &Self::Cli,
    ) {
        let Ok(event) = event else { return };
        if let event::Cucumber::Feature(feature, event) = event.into_inner()
            && let event::Feature::Scenario(scenario, event) = event
        {
            self.scenario(&feature, scenario, event.event);
        }
    }
}

impl<F> cucumber::writer::NonTransforming for Reporter<F> {}

/// It accepts events in any order.
impl<F> cucumber::writer::Normalized for Reporter<F> {}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "it panicked without a message".to_owned())
}
