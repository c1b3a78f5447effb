//! From failures to causes: shrinks failures, and groups those that one cause explains.
//!
//! One bug violates many invariants, each in many ways. Two failures have one cause where the
//! minimal case of one, or its kin, fails in the way of the other, or where both break the same
//! mechanism: mechanisms are closer to the cause than harms. One story is told for each cause:
//! that of a harm if there is one, and of these the shortest.

use std::collections::{BTreeMap, BTreeSet};

use super::explore::Failure;
use super::kin::Kin;
use crate::faults::FaultKind;
use crate::invariants::{Statement, Violation};
use crate::session::RunError;
use crate::shrink::case::{Shrunk, shrink};
use crate::subject::AnySubject;

/// The maximum number of failures that are shrunk.
const SHRUNK: usize = 5;

/// The cause of some failures.
#[derive(Debug)]
pub struct Cause {
    /// The minimal case whose story is told.
    pub shrunk: Shrunk,
    /// The other invariants that it violates, the most severe for users first.
    pub also: Vec<Statement>,
    /// The number of schedules whose failure it explains.
    pub schedules: u64,
    /// Its violations, by shape.
    violations: BTreeMap<String, Violation>,
}

/// The causes of failures, the most severe for users first.
#[derive(Debug, Default)]
pub struct Causes {
    /// The causes.
    pub causes: Vec<Cause>,
    /// The number of failures that none of them explains, and that were not shrunk.
    pub more: usize,
}

/// Finds the causes of failures; `on_run` is called after each run. `faults` are the kinds that
/// may be injected to see whether users feel a mechanism that is broken.
///
/// # Errors
///
/// When the harness fails, or a failure does not recur.
pub fn causes<'f>(
    subject: &AnySubject,
    failures: impl Iterator<Item = &'f Failure>,
    faults: &[FaultKind],
    on_run: impl Fn(),
) -> Result<Causes, RunError> {
    let mut left: Vec<&Failure> = failures.collect();
    // Of an invariant, the most frequent failure is the easiest to shrink.
    left.sort_by_key(|failure| {
        (subject.severity(&failure.invariant), std::cmp::Reverse(failure.count), failure.case.seed)
    });
    let mut causes: Vec<Cause> = Vec::new();
    for _ in 0..SHRUNK {
        left.retain(|failure| {
            !causes.iter_mut().any(|cause| cause.takes(failure, Sameness::Shape))
        });
        let Some(next) = next(&left, &causes) else { break };
        let failure = left.remove(next);
        let cause = Cause::of(subject, failure, faults, &on_run)?;
        match causes.iter_mut().find(|known| known.is_same(subject, &cause)) {
            Some(known) => known.join(subject, cause),
            None => causes.push(cause),
        }
    }
    left.retain(|failure| !causes.iter_mut().any(|cause| cause.takes(failure, Sameness::Name)));
    for cause in &mut causes {
        cause.name_others(subject);
    }
    causes.sort_by_key(|cause| subject.severity(&cause.shrunk.invariant));
    Ok(Causes { causes, more: left.len() })
}

/// The next failure to shrink: of an invariant that no cause violates, or else any.
fn next(left: &[&Failure], causes: &[Cause]) -> Option<usize> {
    let is_new = |failure: &&Failure| !causes.iter().any(|c| c.violates(&failure.invariant));
    left.iter().position(is_new).or_else(|| (!left.is_empty()).then_some(0))
}

/// How alike two violations must be to have one cause.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sameness {
    /// They fail in the same way.
    Shape,
    /// They violate the same invariant.
    Name,
}

impl Cause {
    /// Shrinks a failure, and looks at the kin of the minimal case.
    fn of(
        subject: &AnySubject,
        failure: &Failure,
        faults: &[FaultKind],
        on_run: &impl Fn(),
    ) -> Result<Self, RunError> {
        let shrunk = shrink(subject, &failure.case, &failure.invariant, on_run)?
            .ok_or(RunError::NotDeterministic(failure.case.seed))?;
        let kin = Kin::of(subject, &shrunk, faults, on_run)?;
        let (mut shrunk, mut violations) = (shrunk, kin.violations);
        if let Some((case, harm)) = kin.harm
            && let Some(felt) = shrink(subject, &case, &harm, on_run)?
        {
            let felt_kin = Kin::of(subject, &felt, &[], on_run)?;
            // Only the harm that the broken mechanism does: a fault may have done another.
            if felt_kin.violates(&shrunk.invariant) {
                violations.extend(felt_kin.violations);
                let unneeded = std::mem::take(&mut shrunk.unneeded);
                shrunk = Shrunk { unneeded, ..felt };
            }
        }
        let first = Violation { invariant: failure.invariant.clone(), how: failure.how.clone() };
        violations.entry(first.shape()).or_insert(first);
        Ok(Self { shrunk, also: Vec::new(), schedules: failure.count, violations })
    }

    fn violates(&self, invariant: &str) -> bool {
        self.violations.values().any(|violation| violation.invariant == invariant)
    }

    /// Counts a failure that this cause explains.
    fn takes(&mut self, failure: &Failure, sameness: Sameness) -> bool {
        let Failure { invariant, how, count, .. } = failure;
        let violation = Violation { invariant: invariant.clone(), how: how.clone() };
        let is_mine = match sameness {
            Sameness::Shape => self.violations.contains_key(&violation.shape()),
            Sameness::Name => self.violates(invariant),
        };
        if is_mine {
            self.schedules += count;
        }
        is_mine
    }

    /// Whether two causes are one: they fail in the same way, or break the same mechanism.
    fn is_same(&self, subject: &AnySubject, other: &Self) -> bool {
        let is_mechanism = |invariant: &str| !subject.is_harm(invariant);
        other.violations.iter().any(|(shape, violation)| {
            self.violations.contains_key(shape)
                || (is_mechanism(&violation.invariant) && self.violates(&violation.invariant))
        })
    }

    /// Joins a cause that is the same, and keeps the better story.
    fn join(&mut self, subject: &AnySubject, other: Self) {
        self.schedules += other.schedules;
        self.violations.extend(other.violations);
        let rank = |shrunk: &Shrunk| (!subject.is_harm(&shrunk.invariant), shrunk.size());
        if rank(&other.shrunk) < rank(&self.shrunk) {
            self.shrunk = other.shrunk;
        }
    }

    fn name_others(&mut self, subject: &AnySubject) {
        let names: BTreeSet<&str> =
            self.violations.values().map(|violation| violation.invariant.as_str()).collect();
        let others = names.into_iter().filter(|name| *name != self.shrunk.invariant);
        let mut also: Vec<Statement> = others.filter_map(|name| subject.invariant(name)).collect();
        also.sort_by_key(|other| subject.severity(other.name));
        self.also = also;
    }
}
