//! The documented misbehavior of the provider, one sentence for each kind.
//!
//! Workloads draw it, stories contain the sentence, and a scenario plans it by the same one.

use std::fmt;
use std::time::Duration;

use harness::duration;
use http::Method;
use serde::{Deserialize, Serialize};

/// A misbehavior at the next request that it applies to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Misbehavior {
    /// Answers with 503, without effect; nothing is kept under the key.
    Unavailable,
    /// Answers with 429, before it looks at the key.
    RateLimited,
    /// Carries the request out and loses the response.
    LosesResponse,
    /// Answers with 500, without effect, and keeps that under the key.
    KeepsError,
    /// Carries the request out, answers with 500, and keeps that under the key.
    KeepsErrorOfSuccess,
    /// Takes this many seconds to respond.
    Slow(u32),
    /// The charge is pending, and succeeds after this many seconds.
    ChargeSucceedsLater(u32),
    /// The charge is pending, and fails after this many seconds.
    ChargeFailsLater(u32),
    /// The refund is pending, and succeeds after this many seconds.
    RefundSucceedsLater(u32),
    /// The refund is pending, and fails after this many seconds.
    RefundFailsLater(u32),
    /// The buyer has disputed the charge, so no refund is possible.
    Disputed,
    /// Somebody has refunded the charge in the provider's dashboard.
    RefundedByHand,
    /// Refuses all connections for this many seconds from now on.
    Down(u32),
}

impl Misbehavior {
    /// Whether it applies to a request. Only the first one under a key is carried out.
    pub(super) fn applies(self, method: &Method, path: &str, is_replay: bool) -> bool {
        let is_post = method == Method::POST && !is_replay;
        match self {
            Self::Unavailable | Self::RateLimited | Self::LosesResponse => true,
            Self::KeepsError | Self::KeepsErrorOfSuccess | Self::Slow(_) => is_post,
            Self::ChargeSucceedsLater(_) | Self::ChargeFailsLater(_) => {
                is_post && path == "/v1/charges"
            }
            Self::RefundSucceedsLater(_)
            | Self::RefundFailsLater(_)
            | Self::Disputed
            | Self::RefundedByHand => is_post && path == "/v1/refunds",
            Self::Down(_) => false,
        }
    }

    /// The same with its duration replaced by a round one; `None` where it has none, or is it.
    pub fn simpler(self) -> Option<Self> {
        let seconds = match self {
            Self::Down(_) => 24 * 60 * 60,
            _ => 60,
        };
        Some(self.with(seconds)).filter(|simpler| *simpler != self)
    }

    /// The same with this duration.
    fn with(self, seconds: u32) -> Self {
        match self {
            Self::Slow(_) => Self::Slow(seconds),
            Self::ChargeSucceedsLater(_) => Self::ChargeSucceedsLater(seconds),
            Self::ChargeFailsLater(_) => Self::ChargeFailsLater(seconds),
            Self::RefundSucceedsLater(_) => Self::RefundSucceedsLater(seconds),
            Self::RefundFailsLater(_) => Self::RefundFailsLater(seconds),
            Self::Down(_) => Self::Down(seconds),
            other => other,
        }
    }

    /// Its duration in seconds; 0 where it has none.
    fn seconds(self) -> u32 {
        match self {
            Self::Slow(seconds)
            | Self::ChargeSucceedsLater(seconds)
            | Self::ChargeFailsLater(seconds)
            | Self::RefundSucceedsLater(seconds)
            | Self::RefundFailsLater(seconds)
            | Self::Down(seconds) => seconds,
            _ => 0,
        }
    }

    /// The sentence, in which `{}` stands for the duration.
    fn form(self) -> &'static str {
        match self {
            Self::Unavailable => "answers its next request with 503",
            Self::RateLimited => "answers its next request with 429",
            Self::LosesResponse => "carries out its next request and loses the response",
            Self::KeepsError => "answers its next charge or refund with a 500 that it keeps",
            Self::KeepsErrorOfSuccess => {
                "carries out its next charge or refund and answers with a 500 that it keeps"
            }
            Self::Slow(_) => "takes {} for its next charge or refund",
            Self::ChargeSucceedsLater(_) => "leaves its next charge pending for {}",
            Self::ChargeFailsLater(_) => "lets its next charge fail after {}",
            Self::RefundSucceedsLater(_) => "leaves its next refund pending for {}",
            Self::RefundFailsLater(_) => "lets its next refund fail after {}",
            Self::Disputed => "refuses its next refund for good because of a dispute",
            Self::RefundedByHand => "has refunded by hand before its next refund",
            Self::Down(_) => "is down for {}",
        }
    }

    /// One of each kind.
    pub const ALL: &[Self] = &[
        Self::Unavailable,
        Self::RateLimited,
        Self::LosesResponse,
        Self::KeepsError,
        Self::KeepsErrorOfSuccess,
        Self::Slow(60),
        Self::ChargeSucceedsLater(60),
        Self::ChargeFailsLater(60),
        Self::RefundSucceedsLater(60),
        Self::RefundFailsLater(60),
        Self::Disputed,
        Self::RefundedByHand,
        Self::Down(60),
    ];

    /// The misbehavior of this sentence, as it is displayed; `None` where there is none.
    pub fn read(sentence: &str) -> Option<Self> {
        Self::ALL.iter().find_map(|kind| match kind.form().split_once("{}") {
            None => (sentence == kind.form()).then_some(*kind),
            Some((before, after)) => {
                let time = sentence.strip_prefix(before)?.strip_suffix(after)?;
                Some(kind.with(seconds(time)?))
            }
        })
    }

    /// Its duration.
    pub(super) fn duration(self) -> Duration {
        Duration::from_secs(self.seconds().into())
    }
}

impl fmt::Display for Misbehavior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.form().replace("{}", &duration::words(self.duration())))
    }
}

/// The whole seconds in these words.
fn seconds(time: &str) -> Option<u32> {
    let duration = duration::read(time)?;
    (duration.subsec_nanos() == 0).then(|| u32::try_from(duration.as_secs()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sentence_is_read_as_it_is_written() {
        for kind in Misbehavior::ALL {
            for seconds in [1, 45, 60, 90, 7_200, 86_400, 172_800] {
                let misbehavior = kind.with(seconds);
                let sentence = misbehavior.to_string();
                assert_eq!(Misbehavior::read(&sentence), Some(misbehavior), "{sentence}");
            }
        }
        assert_eq!(Misbehavior::read("is down for a day"), None);
        assert_eq!(Misbehavior::Down(86_400).to_string(), "is down for 24 hours");
    }

    #[test]
    fn a_simpler_one_is_simplest() {
        for kind in Misbehavior::ALL {
            let simpler = kind.with(7).simpler();
            assert_eq!(simpler.and_then(Misbehavior::simpler), None, "{kind}");
        }
    }
}
