//! A case: one simulated run, completely, as plain data: who does what, what goes wrong, and
//! which call goes on when.
//!
//! A case may leave faults and schedule to chance, which its seed decides. What a run did is a
//! case too, an exact one, without any chance left: it can be kept in a file, printed as a
//! [`Token`], and shrunk. It runs nothing; see [`crate::simulate`].

use std::fmt;
use std::io::{Read as _, Write as _};
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use harness::faults::{FaultKind, FaultRule};
use serde::{Deserialize, Serialize};
use sim::scheduler::{Decision, Fifo, Pct, Random, Replay, Scheduler};

use crate::script::Script;

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// The workload that its script was drawn from.
    pub workload: String,
    /// The planted bug that it is to find, by name; `None` for the system as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// Where ids and all chance come from.
    pub seed: u64,
    /// What people do.
    pub script: Script,
    /// What goes wrong.
    pub trouble: Trouble,
    /// Which call goes on when.
    pub schedule: Schedule,
}

/// What goes wrong in a run, once everybody has signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trouble {
    /// Whatever the seed chooses of these kinds.
    Chance(Vec<FaultKind>),
    /// Exactly this.
    Exact(Vec<FaultRule>),
}

/// Which parked call goes on, once everybody has signed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Any, as the seed has it; in `hurry` of a thousand decisions time passes instead.
    Random {
        /// Of a thousand decisions.
        hurry: u32,
    },
    /// By priorities, as the seed has them, with this many changes but one.
    Pct {
        /// How many orderings the bugs in question need.
        depth: u32,
    },
    /// The one that has waited longest, but for these decisions: number and position.
    Exact(Vec<(u32, Decision)>),
}

impl Case {
    /// A script of ours in which nothing goes wrong, under a random schedule.
    pub fn of(script: Script, seed: u64) -> Self {
        Self {
            workload: "script".to_owned(),
            bug: None,
            seed,
            script,
            trouble: Trouble::Exact(Vec::new()),
            schedule: Schedule::Random { hurry: 0 },
        }
    }
}

/// How many decisions a run has, about: where PCT puts its changes.
const LENGTH: u32 = 600;

impl Schedule {
    /// Who decides in the run of this seed.
    pub fn scheduler(&self, seed: u64) -> Box<dyn Scheduler> {
        match self {
            Self::Random { hurry } => Box::new(Random::with_hurry(seed, *hurry)),
            Self::Pct { depth } => Box::new(Pct::new(seed, *depth, LENGTH)),
            Self::Exact(turns) if turns.is_empty() => Box::new(Fifo),
            Self::Exact(turns) => Box::new(Replay::new(turns.iter().copied())),
        }
    }
}

/// A case as one printable word.
///
/// ```
/// use scenarios::case::{Case, Schedule, Token, Trouble};
/// use scenarios::script::Script;
/// use sim::scheduler::Decision;
///
/// let case = Case {
///     workload: "race".to_owned(),
///     bug: None,
///     seed: 7,
///     script: Script { people: 2, rounds: Vec::new() },
///     trouble: Trouble::Exact(Vec::new()),
///     schedule: Schedule::Exact(vec![(3, Decision::Run(1))]),
/// };
/// let token = Token::of(&case).to_string();
/// assert_eq!(token.parse::<Token>().unwrap().case().unwrap(), case);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// What tokens begin with: their version.
const PREFIX: &str = "r1.";

/// This is no token, and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a token of a run: {0}")]
pub struct BadToken(String);

impl Token {
    /// The token of this case.
    pub fn of(case: &Case) -> Self {
        let json = serde_json::to_vec(case).expect("a case is plain data");
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&json).expect("writing to memory cannot fail");
        let packed = packed.finish().expect("writing to memory cannot fail");
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(packed)))
    }

    /// The case that it stands for.
    ///
    /// # Errors
    ///
    /// When it was cut, altered, or made by another version.
    pub fn case(&self) -> Result<Case, BadToken> {
        let packed = BASE64_URL_SAFE_NO_PAD.decode(&self.0[PREFIX.len()..]);
        let packed = packed.map_err(|e| BadToken(e.to_string()))?;
        let mut json = Vec::new();
        let unpacked = DeflateDecoder::new(packed.as_slice()).read_to_end(&mut json);
        unpacked.map_err(|e| BadToken(e.to_string()))?;
        serde_json::from_slice(&json).map_err(|e| BadToken(e.to_string()))
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Token {
    type Err = BadToken;

    fn from_str(text: &str) -> Result<Self, BadToken> {
        let text = text.trim();
        if !text.starts_with(PREFIX) {
            return Err(BadToken(format!("it does not begin with {PREFIX}")));
        }
        let token = Self(text.to_owned());
        token.case().map(|_| token)
    }
}
