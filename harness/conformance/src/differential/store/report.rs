//! The result of a differential run.

use std::fmt;

/// The result of [`run`](super::run).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The number of cases.
    pub cases: u32,
    /// The seed of the cases.
    pub seed: u64,
    /// The number of cases with a difference.
    pub differing: usize,
    /// The first differences, shrunk.
    pub differences: Vec<Difference>,
}

/// A call with another reply in simulation than on the real server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The number of the case in the run.
    pub case: u32,
    /// The calls of the shrunk case; the last one differs.
    pub calls: Vec<String>,
    /// The reply in simulation.
    pub simulated: String,
    /// The reply of the real server.
    pub real: String,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, seed, differing, differences } = self;
        write!(f, "{cases} cases of seed {seed}: {differing} differ")?;
        differences.iter().try_for_each(|difference| write!(f, "\n\n{difference}"))
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "case {}", self.case)?;
        for (number, call) in self.calls.iter().enumerate() {
            writeln!(f, "  {}. {call}", number + 1)?;
        }
        writeln!(f, "  simulated: {}", self.simulated)?;
        write!(f, "  real:      {}", self.real)
    }
}
