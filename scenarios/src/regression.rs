//! Regressions: cases that once broke a promise and must never again, kept as small files.
//!
//! A case is worth something only as long as it does what it did when it was kept: the faults
//! strike, and the decisions turn the same calls. Where it does not, it has drifted, and says
//! so. That it can fail at all, it shows under a planted bug. It finds no cases; see
//! [`crate::explore`] and [`crate::shrink`].

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use harness::world::WorldError;
use serde::{Deserialize, Serialize};
use sim::scheduler::Decision;

use crate::case::{Case, Schedule, Trouble};
use crate::simulate::{self, Run};
use crate::story::{self, fault};

/// A case that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression {
    /// What happens in it, in a sentence.
    pub name: String,
    /// Why it is kept.
    pub why: String,
    /// The promise that it once broke.
    pub invariant: String,
    /// The planted bug under which it still breaks it; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The run, without chance and without the bug.
    pub case: Case,
    /// What the run was when it was kept.
    pub recorded: Recorded,
}

/// What a run of the system as it is was like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// How many decisions it had.
    pub decisions: usize,
    /// The decisions that were not the polite one, in words.
    pub turned: Vec<String>,
}

/// How a run is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Drift {
    /// A fault did not strike.
    #[error("a fault did not strike: {0}")]
    Missed(String),
    /// A decision was not there to be made.
    #[error("decision {number} has no position {position} any more")]
    Gone {
        /// Its number.
        number: u32,
        /// The position that was to be chosen.
        position: Decision,
    },
    /// The decisions turned other calls.
    #[error("other calls went first: {now:?}, and not {recorded:?}")]
    Reordering {
        /// As recorded.
        recorded: Vec<String>,
        /// As it is now.
        now: Vec<String>,
    },
}

/// Why there is no regression.
#[derive(Debug, thiserror::Error)]
pub enum RegressionError {
    /// A file cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The case does not break the promise where it should.
    #[error("it does not break {0}, so it would prove nothing")]
    Harmless(String),
    /// The case does not fit the system as it is.
    #[error("the case does not fit the system as it is: {0}")]
    Unfit(Drift),
    /// The harness failed.
    #[error(transparent)]
    World(#[from] WorldError),
}

impl Regression {
    /// Keeps a case that breaks this promise under the bug that it names, or else in the
    /// system as it is.
    ///
    /// # Errors
    ///
    /// When it does not break it, or does not fit the system without the bug.
    pub fn record(
        name: &str,
        why: &str,
        invariant: &str,
        case: &Case,
    ) -> Result<Self, RegressionError> {
        if !breaks(&simulate::run(case)?, invariant) {
            return Err(RegressionError::Harmless(invariant.to_owned()));
        }
        let bug = case.bug.clone();
        let case = Case { bug: None, ..case.clone() };
        let run = simulate::run_watched(&case)?;
        if let Some(drift) = drift(&case, &run).into_iter().next() {
            return Err(RegressionError::Unfit(drift));
        }
        let recorded = Recorded::of(&run);
        let [name, why, invariant] = [name, why, invariant].map(str::to_owned);
        Ok(Self { name, why, invariant, bug, case, recorded })
    }

    /// The same regression, recorded in the system as it is now.
    ///
    /// # Errors
    ///
    /// As [`Self::record`].
    pub fn again(&self) -> Result<Self, RegressionError> {
        Self::record(&self.name, &self.why, &self.invariant, &self.with_bug())
    }

    /// The case under the planted bug.
    pub fn with_bug(&self) -> Case {
        Case { bug: self.bug.clone(), ..self.case.clone() }
    }

    /// Runs the case in the system as it is; returns how it has drifted, too.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub fn replay(&self) -> Result<(Run, Vec<Drift>), WorldError> {
        let run = simulate::run_watched(&self.case)?;
        let mut drifts = drift(&self.case, &run);
        let now = Recorded::of(&run).turned;
        if drifts.is_empty() && now != self.recorded.turned {
            let recorded = self.recorded.turned.clone();
            drifts.push(Drift::Reordering { recorded, now });
        }
        Ok((run, drifts))
    }

    /// Whether it can fail: whether the promise breaks under the planted bug. `None` where it
    /// names no bug.
    ///
    /// # Errors
    ///
    /// When the harness fails, or there is no such bug.
    pub fn fails(&self) -> Result<Option<bool>, WorldError> {
        if self.bug.is_none() {
            return Ok(None);
        }
        Ok(Some(breaks(&simulate::run(&self.with_bug())?, &self.invariant)))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is not there or holds no regression.
    pub fn read(path: &Path) -> Result<Self, RegressionError> {
        let text = fs::read_to_string(path).map_err(|why| file(path, why))?;
        serde_json::from_str(&text).map_err(|why| file(path, why.into()))
    }

    /// Writes a file.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn write(&self, path: &Path) -> Result<(), RegressionError> {
        let text = serde_json::to_string_pretty(self).expect("a regression is plain data");
        fs::write(path, text + "\n").map_err(|why| file(path, why))
    }

    /// Reads all regressions in a folder, by name of file.
    ///
    /// # Errors
    ///
    /// When one cannot be read.
    pub fn all(folder: &Path) -> Result<Vec<(PathBuf, Self)>, RegressionError> {
        let entries = fs::read_dir(folder).map_err(|why| file(folder, why))?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|why| file(folder, why))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths.into_iter().map(|path| Self::read(&path).map(|read| (path, read))).collect()
    }
}

impl Recorded {
    /// What this run was like.
    pub fn of(run: &Run) -> Self {
        let turned = story::turned(run).into_iter().map(|(_, sentence)| sentence);
        Self { decisions: run.decisions, turned: turned.collect() }
    }
}

/// How the run of an exact case is not what the case says.
pub fn drift(case: &Case, run: &Run) -> Vec<Drift> {
    let mut drifts = Vec::new();
    if let Trouble::Exact(rules) = &case.trouble {
        let mut injected = run.injected().to_vec();
        for rule in rules {
            match injected.iter().position(|other| other == rule) {
                Some(at) => drop(injected.swap_remove(at)),
                None => drifts.push(Drift::Missed(fault::sentence(rule))),
            }
        }
    }
    if let (Schedule::Exact(planned), Schedule::Exact(made)) = (&case.schedule, &run.exact.schedule)
    {
        let gone = planned.iter().filter(|turn| !made.contains(turn));
        drifts.extend(gone.map(|&(number, position)| Drift::Gone { number, position }));
    }
    drifts
}

fn breaks(run: &Run, invariant: &str) -> bool {
    run.violations.iter().any(|violation| violation.invariant == invariant)
}

fn file(path: &Path, why: io::Error) -> RegressionError {
    RegressionError::File { path: path.to_owned(), why }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contracts::Cents;
    use harness::faults::{Effect, FaultRule, Operation};

    use super::*;
    use crate::script::{Act, Round, Script, Then};

    fn case(trouble: Vec<FaultRule>, turns: Vec<(u32, Decision)>) -> Case {
        let list = Act::List { who: 0, ticket: 0, price: Cents(2000) };
        let rounds = vec![Round { acts: vec![list], then: Then::Settle }];
        Case {
            trouble: Trouble::Exact(trouble),
            schedule: Schedule::Exact(turns),
            ..Case::of(Script { people: 1, rounds }, 1)
        }
    }

    fn late(skip: u32) -> FaultRule {
        FaultRule {
            service: Some("orders".to_owned()),
            operation: Operation::Deliver,
            target: Some("ticket.created".to_owned()),
            skip,
            times: 1,
            effect: Effect::Delay(Duration::from_secs(1)),
        }
    }

    fn drift_of(case: &Case) -> Vec<Drift> {
        drift(case, &simulate::run(case).unwrap())
    }

    #[test]
    fn what_fits_has_not_drifted() {
        assert_eq!(drift_of(&case(vec![late(0)], Vec::new())), []);
    }

    #[test]
    fn a_fault_that_does_not_strike_is_drift() {
        let missed = fault::sentence(&late(7));
        assert_eq!(drift_of(&case(vec![late(7)], Vec::new())), [Drift::Missed(missed)]);
    }

    #[test]
    fn a_decision_that_is_not_there_is_drift() {
        let gone = Drift::Gone { number: 90_000, position: Decision::Run(1) };
        assert_eq!(drift_of(&case(Vec::new(), vec![(90_000, Decision::Run(1))])), [gone]);
    }

    #[test]
    fn other_calls_are_drift() {
        let case = case(Vec::new(), Vec::new());
        let recorded = Recorded { decisions: 1, turned: vec!["one before another".to_owned()] };
        let [name, why, invariant] = ["", "", "copies"].map(str::to_owned);
        let kept = Regression { name, why, invariant, bug: None, case, recorded };
        assert!(matches!(kept.replay().unwrap().1[..], [Drift::Reordering { .. }]));
    }

    #[test]
    fn what_breaks_nothing_is_not_kept() {
        let harmless = Regression::record("", "", "copies", &case(Vec::new(), Vec::new()));
        assert!(matches!(harmless, Err(RegressionError::Harmless(_))));
    }
}
