//! The report of a comparison.

use std::fmt;
use std::time::Duration;

use super::script::{SLOT, Script};

/// The result of a comparison.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// The number of scripts.
    pub cases: u32,
    /// The seed that they were drawn from.
    pub seed: u64,
    /// Scripts with the same outcome on both sides.
    pub alike: u32,
    /// Scripts with the same outcome in another order of simultaneous calls.
    pub reordered: u32,
    /// Scripts whose outcome depends on a few milliseconds, which were not compared.
    pub close: u32,
    /// Scripts that could not be played in time.
    pub void: u32,
    /// Scripts whose outcomes differed once, and not again.
    pub unsteady: u32,
    /// The scripts whose outcomes differ; the first three are reduced.
    pub differences: Vec<Difference>,
    /// The time that the comparison took, without the reduction.
    pub took: Duration,
}

/// A script whose outcomes differ.
#[derive(Debug, Clone)]
pub struct Difference {
    /// The number of the script among those of its seed.
    pub case: u32,
    /// Each call with its time and its outcomes in simulation and on the server; last, the
    /// counts at the end.
    pub calls: Vec<(String, String, String)>,
}

impl Difference {
    pub(super) fn new(
        case: u32,
        script: &Script,
        simulated: Vec<String>,
        real: Vec<String>,
    ) -> Self {
        let mut slots = 0;
        let calls = script.0.iter().map(|call| {
            slots += call.slots;
            format!("{:>5} ms  {}", (SLOT * slots).as_millis(), call.what)
        });
        let calls = calls.chain(["at the end".to_owned()]);
        let outcomes = simulated.into_iter().zip(real);
        let calls = calls.zip(outcomes).map(|(call, (one, other))| (call, one, other));
        Self { case, calls: calls.collect() }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}", self.case)?;
        for (call, simulated, real) in &self.calls {
            writeln!(f, "  {call}")?;
            if simulated == real {
                writeln!(f, "              both: {simulated}")?;
            } else {
                writeln!(f, "         simulated: {simulated}")?;
                writeln!(f, "              real: {real}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, seed, alike, reordered, close, void, unsteady, differences, took } = self;
        writeln!(
            f,
            "{cases} scripts of seed {seed} in {took:.1?}: {alike} alike, {reordered} alike in another \
             order of simultaneous calls, {} differ; not compared: {close} depend on milliseconds, {void} were not played in time, \
             {unsteady} differed once only",
            differences.len()
        )?;
        differences.iter().try_for_each(|difference| write!(f, "{difference}"))
    }
}
