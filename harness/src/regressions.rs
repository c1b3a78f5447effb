//! Regressions: cases that once violated an invariant and must never again, kept as small
//! files.
//!
//! A regression is useful only as long as its faults are still injected and its decisions still
//! reorder the same calls; otherwise it has drifted, and replaying it reports that. A planted bug
//! proves that it can still fail.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::case::{Case, Decision, FaultPlan, Schedule};
use crate::run::{self, Run};
use crate::session::RunError;
use crate::story;
use crate::subject::{AnyOperation, AnySubject};

/// A case that must hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Regression<O = AnyOperation> {
    /// A sentence about it.
    pub name: String,
    /// Why it is kept.
    pub why: String,
    /// The invariant that it once violated.
    pub invariant: String,
    /// The planted bug under which it still violates it; `None` where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The exact case, in the system as it is.
    pub case: Case<O>,
    /// Its run when it was kept.
    pub recorded: Recorded,
}

/// A run as it was when it was kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// The number of its decisions.
    pub decisions: usize,
    /// The decisions that deviated from FIFO, in words.
    pub reorderings: Vec<String>,
}

/// A difference between a run and its record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Drift {
    /// A fault was not injected.
    #[error("a fault was not injected: {0}")]
    NotInjected(String),
    /// A decision could not be made.
    #[error("decision {number} cannot be {decision} any more")]
    Gone {
        /// Its number.
        number: u32,
        /// The recorded decision.
        decision: Decision,
    },
    /// The decisions reordered other calls.
    #[error("other calls ran first: {}, and not {}", now.join("; "), recorded.join("; "))]
    Reordered {
        /// As recorded.
        recorded: Vec<String>,
        /// As it is now.
        now: Vec<String>,
    },
}

/// Why a regression cannot be read, recorded or replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RegressionError {
    /// A file cannot be read or written.
    #[error("{}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: io::Error,
    },
    /// A file holds no regression of this subject.
    #[error("{} holds no regression of this system", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The reason.
        #[source]
        source: serde_json::Error,
    },
    /// The case does not violate the invariant where it should.
    #[error("the case does not violate {0}, so it would prove nothing")]
    Harmless(String),
    /// The case does not fit the system as it is.
    #[error("the case does not fit the system as it is: {0}")]
    Unfit(Drift),
    /// The harness failed.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl Regression {
    /// Keeps a case that violates this invariant under the bug that it names, or in the system
    /// as it is.
    ///
    /// # Errors
    ///
    /// When it does not violate it, or does not fit the system without the bug.
    pub fn record(
        subject: &AnySubject,
        name: &str,
        why: &str,
        invariant: &str,
        case: &Case,
    ) -> Result<Self, RegressionError> {
        if !run::run(subject, case)?.violates(invariant) {
            return Err(RegressionError::Harmless(invariant.to_owned()));
        }
        let bug = case.bug.clone();
        let case = Case { bug: None, ..case.clone() };
        let run = run::run_watched(subject, &case)?;
        if let Some(drift) = drift(subject, &case, &run).into_iter().next() {
            return Err(RegressionError::Unfit(drift));
        }
        let recorded = Recorded::of(subject, &run);
        let [name, why, invariant] = [name, why, invariant].map(str::to_owned);
        Ok(Self { name, why, invariant, bug, case, recorded })
    }

    /// The same regression, recorded in the system as it is now.
    ///
    /// # Errors
    ///
    /// As [`Self::record`].
    pub fn again(&self, subject: &AnySubject) -> Result<Self, RegressionError> {
        Self::record(subject, &self.name, &self.why, &self.invariant, &self.with_bug())
    }

    /// The case under the planted bug.
    pub fn with_bug(&self) -> Case {
        Case { bug: self.bug.clone(), ..self.case.clone() }
    }

    /// Runs the case in the system as it is; returns its drift, too.
    ///
    /// # Errors
    ///
    /// When the harness fails.
    pub fn replay(&self, subject: &AnySubject) -> Result<(Run, Vec<Drift>), RunError> {
        let run = run::run_watched(subject, &self.case)?;
        let mut drifts = drift(subject, &self.case, &run);
        let now = Recorded::of(subject, &run).reorderings;
        if drifts.is_empty() && now != self.recorded.reorderings {
            let recorded = self.recorded.reorderings.clone();
            drifts.push(Drift::Reordered { recorded, now });
        }
        Ok((run, drifts))
    }

    /// Whether it can fail: whether the invariant is violated under the planted bug. `None`
    /// where it names no bug.
    ///
    /// # Errors
    ///
    /// When the harness fails, or there is no such bug.
    pub fn fails(&self, subject: &AnySubject) -> Result<Option<bool>, RunError> {
        if self.bug.is_none() {
            return Ok(None);
        }
        Ok(Some(run::run(subject, &self.with_bug())?.violates(&self.invariant)))
    }

    /// Reads a file.
    ///
    /// # Errors
    ///
    /// When it is not there or holds no regression.
    pub fn read(subject: &AnySubject, path: &Path) -> Result<Self, RegressionError> {
        let text = fs::read_to_string(path).map_err(|why| file(path, why))?;
        let content = |source| RegressionError::Content { path: path.to_owned(), source };
        let raw: Regression<Value> = serde_json::from_str(&text).map_err(content)?;
        let Regression { name, why, invariant, bug, case, recorded } = raw;
        let case = case.read(subject).map_err(content)?;
        Ok(Self { name, why, invariant, bug, case, recorded })
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
    pub fn all(
        subject: &AnySubject,
        folder: &Path,
    ) -> Result<Vec<(PathBuf, Self)>, RegressionError> {
        let entries = fs::read_dir(folder).map_err(|why| file(folder, why))?;
        let mut paths = entries
            .map(|entry| Ok(entry?.path()))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|why| file(folder, why))?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
        paths.sort();
        paths.into_iter().map(|path| Self::read(subject, &path).map(|read| (path, read))).collect()
    }
}

impl Recorded {
    /// This run as it is.
    pub fn of(subject: &AnySubject, run: &Run) -> Self {
        let sentences = story::reordered(subject, run).into_iter().map(|(_, sentence)| sentence);
        Self { decisions: run.decisions, reorderings: sentences.collect() }
    }
}

/// The differences between an exact case and its run.
pub fn drift(subject: &AnySubject, case: &Case, run: &Run) -> Vec<Drift> {
    let mut drifts = Vec::new();
    if let FaultPlan::Exact(rules) = &case.faults {
        let mut injected = run.injected().to_vec();
        for rule in rules {
            match injected.iter().position(|other| other == rule) {
                Some(at) => drop(injected.swap_remove(at)),
                None => drifts.push(Drift::NotInjected(subject.sentences().of(rule))),
            }
        }
    }
    if let (Schedule::Exact(planned), Schedule::Exact(made)) = (&case.schedule, &run.exact.schedule)
    {
        let gone = planned.iter().filter(|turn| !made.contains(turn));
        drifts.extend(gone.map(|&(number, decision)| Drift::Gone { number, decision }));
    }
    drifts
}

fn file(path: &Path, source: io::Error) -> RegressionError {
    RegressionError::File { path: path.to_owned(), source }
}
