//! A case: one simulated run as plain data: its script, its faults and its schedule.
//!
//! A case may leave faults and schedule to chance, which its seed determines. Every run also
//! yields an exact case, without chance: it can be kept in a file, printed as a replay
//! [`Token`], and shrunk. A case runs nothing; see [`crate::run`].

use std::fmt;
use std::io::{Read as _, Write as _};
use std::str::FromStr;

use crate::faults::{FaultKind, FaultRule};
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;
pub use sim::scheduler::Decision;
use sim::scheduler::{Fifo, Pct, Random, Replay, Scheduler};

use crate::script::{RawScript, Script};
use crate::settings::Settings;
use crate::subject::{AnyOperation, AnySubject};

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case<O = AnyOperation> {
    /// The workload that its script was drawn from.
    pub workload: String,
    /// The name of the planted bug; `None` for the system as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bug: Option<String>,
    /// The source of ids and of all chance.
    pub seed: u64,
    /// The settings that differ from their defaults; a case without any has all defaults.
    #[serde(default, skip_serializing_if = "Settings::is_empty")]
    pub settings: Settings,
    /// The operations of the clients.
    pub script: Script<O>,
    /// The faults.
    pub faults: FaultPlan,
    /// The order of calls.
    pub schedule: Schedule,
}

/// The faults of a run, injected once the clients are prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPlan {
    /// Faults of these kinds, drawn from the seed.
    Chance(Vec<FaultKind>),
    /// Exactly these.
    Exact(Vec<FaultRule>),
}

/// Which pending call runs next, once the clients are prepared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Any, drawn from the seed.
    Random {
        /// In how many of a thousand decisions time advances instead.
        hurry: u32,
    },
    /// By priorities drawn from the seed, with this many changes of priority minus one
    /// (probabilistic concurrency testing).
    Pct {
        /// The number of ordering constraints that the bugs in question need.
        depth: u32,
    },
    /// FIFO, except for the decisions of these numbers.
    Exact(Vec<(u32, Decision)>),
}

impl Case {
    /// This script without faults, under a random schedule.
    pub fn of(script: Script, seed: u64) -> Self {
        Self {
            workload: "script".to_owned(),
            bug: None,
            seed,
            settings: Settings::default(),
            script,
            faults: FaultPlan::Exact(Vec::new()),
            schedule: Schedule::Random { hurry: 0 },
        }
    }
}

/// A case whose operations have not been read by their subject yet.
pub type RawCase = Case<Value>;

impl RawCase {
    /// The case with its operations read.
    ///
    /// # Errors
    ///
    /// When an operation or a setting is not one of this subject.
    pub fn read(self, subject: &AnySubject) -> Result<Case, serde_json::Error> {
        let Self { workload, bug, seed, settings, script, faults, schedule } = self;
        let settings = settings.known(subject.settings()).map_err(serde::de::Error::custom)?;
        let script: RawScript = script;
        let script = subject.read_script(script)?;
        Ok(Case { workload, bug, seed, settings, script, faults, schedule })
    }
}

/// The approximate number of decisions of a run: PCT spreads its changes over them.
const LENGTH: u32 = 600;

impl Schedule {
    /// The scheduler of the run of this seed.
    pub fn scheduler(&self, seed: u64) -> Box<dyn Scheduler> {
        match self {
            Self::Random { hurry } => Box::new(Random::with_hurry(seed, *hurry)),
            Self::Pct { depth } => Box::new(Pct::new(seed, *depth, LENGTH)),
            Self::Exact(turns) if turns.is_empty() => Box::new(Fifo),
            Self::Exact(turns) => Box::new(Replay::new(turns.iter().copied())),
        }
    }
}

/// A case as one printable string.
///
/// ```
/// use harness::case::{Decision, FaultPlan, RawCase, Schedule, Token};
/// use harness::script::Script;
/// use harness::settings::Settings;
///
/// let case = RawCase {
///     workload: "race".to_owned(),
///     bug: None,
///     seed: 7,
///     settings: Settings::default(),
///     script: Script::new(["Anna", "Ben"], Vec::new()),
///     faults: FaultPlan::Exact(Vec::new()),
///     schedule: Schedule::Exact(vec![(3, Decision::Run(1))]),
/// };
/// let token = Token::of(&case).to_string();
/// assert_eq!(token.parse::<Token>().unwrap().case().unwrap(), case);
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(String);

/// The first characters of a token: its version.
pub(crate) const PREFIX: &str = "r2.";

/// The most bytes of a case as JSON: a token of a few letters can unpack into gigabytes.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Why a string is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BadToken {
    /// It has another prefix, or another version made it.
    #[error("a replay token of this version begins with {PREFIX}; use the version that printed it")]
    Prefix,
    /// It was cut or altered.
    #[error("the replay token is damaged; copy it again as a whole")]
    Encoding(#[from] base64::DecodeError),
    /// It was cut or altered.
    #[error("the replay token is damaged; copy it again as a whole")]
    Compression(#[from] std::io::Error),
    /// It would be unpacked into more bytes than any case has.
    #[error("the replay token holds more than {LIMIT} bytes; no case is that long")]
    Size,
    /// Its content is not a case of this subject.
    #[error("the replay token belongs to another system or version")]
    Content(#[from] serde_json::Error),
}

impl Token {
    /// The token of this case.
    pub fn of<O: Serialize>(case: &Case<O>) -> Self {
        let json = serde_json::to_vec(case).expect("a case is plain data");
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        packed.write_all(&json).expect("writing to memory cannot fail");
        let packed = packed.finish().expect("writing to memory cannot fail");
        Self(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(packed)))
    }

    /// The encoded case.
    ///
    /// # Errors
    ///
    /// When it was cut, altered, or made by another version.
    pub fn case(&self) -> Result<RawCase, BadToken> {
        let packed = self.0.strip_prefix(PREFIX).ok_or(BadToken::Prefix)?;
        let packed = BASE64_URL_SAFE_NO_PAD.decode(packed)?;
        let mut json = Vec::new();
        DeflateDecoder::new(packed.as_slice()).take(LIMIT + 1).read_to_end(&mut json)?;
        if json.len() as u64 > LIMIT {
            return Err(BadToken::Size);
        }
        Ok(serde_json::from_slice(&json)?)
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
        let token = Self(text.trim().to_owned());
        token.case().map(|_| token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_would_fill_the_memory_is_refused() {
        let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
        packed.write_all(" ".repeat(LIMIT as usize + 1).as_bytes()).unwrap();
        let packed = BASE64_URL_SAFE_NO_PAD.encode(packed.finish().unwrap());
        let read = format!("{PREFIX}{packed}").parse::<Token>();
        assert!(matches!(read, Err(BadToken::Size)), "{read:?}");
    }
}
