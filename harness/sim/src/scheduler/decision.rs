//! A scheduling decision, its text and its serialized form.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{self, Serialize, Serializer};

/// The text of [`Decision::AdvanceTime`].
const TIME: &str = "time";

/// The next thing that happens in a run.
///
/// As text and as serialized data, `Run(3)` is the number 3 and `AdvanceTime` the string
/// `time`. `Stop` is never recorded: it ends the run.
///
/// ```
/// use sim::scheduler::Decision;
///
/// assert_eq!("3".parse(), Ok(Decision::Run(3)));
/// assert_eq!(Decision::AdvanceTime.to_string(), "time");
/// let json = serde_json::to_string(&[(12, Decision::Run(3)), (14, Decision::AdvanceTime)]);
/// assert_eq!(json.unwrap(), r#"[[12,3],[14,"time"]]"#);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// The pending call at this position runs; 0 is the one that has waited longest.
    Run(u32),
    /// Time advances to the next timer although calls are pending.
    AdvanceTime,
    /// The run ends here: nothing runs any more.
    Stop,
}

impl Decision {
    /// The decision that a FIFO scheduler always makes.
    pub const FIFO: Self = Self::Run(0);

    /// The decision to run the pending call at this position.
    ///
    /// # Panics
    ///
    /// When more than 2³² calls are pending.
    pub fn run(position: usize) -> Self {
        Self::Run(u32::try_from(position).expect("fewer than 2^32 calls are pending"))
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(position) => position.fmt(f),
            Self::AdvanceTime => f.write_str(TIME),
            Self::Stop => f.write_str("stop"),
        }
    }
}

/// A text that is not a recorded decision.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a decision: expected a position or \"time\"")]
pub struct InvalidDecision(String);

impl FromStr for Decision {
    type Err = InvalidDecision;

    fn from_str(text: &str) -> Result<Self, InvalidDecision> {
        if text == TIME {
            return Ok(Self::AdvanceTime);
        }
        text.parse().map(Self::Run).map_err(|_| InvalidDecision(text.to_owned()))
    }
}

impl Serialize for Decision {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Run(position) => serializer.serialize_u32(*position),
            Self::AdvanceTime => serializer.serialize_str(TIME),
            Self::Stop => Err(ser::Error::custom("the end of a run is not a recorded decision")),
        }
    }
}

impl<'de> Deserialize<'de> for Decision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Recorded)
    }
}

struct Recorded;

impl Visitor<'_> for Recorded {
    type Value = Decision;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a position among the pending calls, or \"time\"")
    }

    fn visit_u64<E: de::Error>(self, position: u64) -> Result<Decision, E> {
        let invalid = || E::invalid_value(de::Unexpected::Unsigned(position), &self);
        u32::try_from(position).map(Decision::Run).map_err(|_| invalid())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Decision, E> {
        let invalid = || E::invalid_value(de::Unexpected::Str(text), &self);
        if text == TIME { Ok(Decision::AdvanceTime) } else { Err(invalid()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorded_decisions_round_trip_through_text_and_json() {
        for decision in [Decision::Run(0), Decision::Run(u32::MAX), Decision::AdvanceTime] {
            assert_eq!(decision.to_string().parse(), Ok(decision));
            let json = serde_json::to_string(&decision).expect("a recorded decision");
            assert_eq!(serde_json::from_str::<Decision>(&json).ok(), Some(decision));
        }
    }

    #[test]
    fn other_texts_and_values_are_refused() {
        for text in ["", "-1", "4294967296", "Time", "stop", "3 "] {
            assert!(text.parse::<Decision>().is_err(), "{text:?}");
        }
        for json in ["-1", "4294967296", "\"3\"", "\"stop\"", "null", "1.5"] {
            assert!(serde_json::from_str::<Decision>(json).is_err(), "{json}");
        }
        assert!(serde_json::to_string(&Decision::Stop).is_err());
    }
}
