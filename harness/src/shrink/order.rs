//! Fewer delays of calls, and shorter ones.

use super::minimize;
use super::schedule::{self, Deviation};
use super::shrinker::Shrinker;
use crate::case::{Case, Schedule};
use crate::session::RunError;

/// The number of random schedules of few delays that are tried in place of one of many.
const SPARSE: u64 = 64;

impl Shrinker<'_> {
    /// Fewer delays of calls, and shorter ones.
    pub(super) fn fewer_reorderings(&mut self) -> Result<(), RunError> {
        self.earlier_end()?;
        minimize(schedule::delays(self.deviations()), |part| self.reschedule(part.concat()))?;
        minimize(self.deviations().to_vec(), |part| self.reschedule(part.to_vec()))?;
        Ok(())
    }

    /// The shortest beginning of the schedule that is needed; the run goes on in FIFO order.
    fn earlier_end(&mut self) -> Result<(), RunError> {
        let all = self.deviations().to_vec();
        let (mut low, mut high) = (0, all.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.reschedule(all[..middle].to_vec())? {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Ok(())
    }

    /// A random schedule of fewer delays. Removing decisions one by one cannot find it: each
    /// names a call by its place among those that are pending, which depends on the ones before.
    pub(super) fn sparser(&mut self) -> Result<(), RunError> {
        for seed in 0..SPARSE {
            let (delays, _) = schedule::size(self.deviations());
            if delays < 2 {
                break;
            }
            let fewer = 1 + usize::try_from(seed).expect("tries are few") % (delays - 1).min(3);
            self.reschedule(schedule::sparse(seed, fewer, self.length))?;
        }
        Ok(())
    }

    /// Accepts a smaller schedule if the invariant is still violated.
    fn reschedule(&mut self, deviations: Vec<Deviation>) -> Result<bool, RunError> {
        if self.is_spent() || deviations == self.deviations() {
            return Ok(false);
        }
        let case = Case { schedule: Schedule::Exact(deviations), ..self.best.clone() };
        let Some(run) = self.fails(&case)? else { return Ok(false) };
        let Schedule::Exact(found) = &run.exact.schedule else { return Ok(false) };
        let smaller = schedule::size(found) < schedule::size(self.deviations());
        if smaller {
            self.accept(run);
        }
        Ok(smaller)
    }

    /// The decisions of the smallest case that deviate from FIFO.
    fn deviations(&self) -> &[Deviation] {
        match &self.best.schedule {
            Schedule::Exact(deviations) => deviations,
            Schedule::Random { .. } | Schedule::Pct { .. } => &[],
        }
    }
}
