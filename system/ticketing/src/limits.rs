//! The values of limits of a stream: an age or a size, or none.

use std::time::Duration;

use crate::values::duration;

/// The shortest age: a message must stay longer than its deduplication, its redeliveries and a
/// restart of a service take.
const MIN_AGE: Duration = Duration::from_secs(60 * 60);
/// The smallest size: below it, one message may not fit.
const MIN_BYTES: u64 = 1024 * 1024;

/// A limit, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit<T>(pub(crate) Option<T>);

pub(crate) fn max_age(text: &str) -> Result<Limit<Duration>, String> {
    if text.trim() == "none" {
        return Ok(Limit(None));
    }
    let age = duration(text).ok().filter(|age| *age >= MIN_AGE);
    let expected = || format!("{text:?} is neither none nor an age such as 40d, at least 1h");
    age.map(|age| Limit(Some(age))).ok_or_else(expected)
}

pub(crate) fn max_bytes(text: &str) -> Result<Limit<u64>, String> {
    let text = text.trim();
    if text == "none" {
        return Ok(Limit(None));
    }
    let digits = text.trim_end_matches(['K', 'M', 'G', 'T']);
    let factor = match &text[digits.len()..] {
        "" => Some(1),
        "K" => Some(1_u64 << 10),
        "M" => Some(1 << 20),
        "G" => Some(1 << 30),
        "T" => Some(1 << 40),
        _ => None,
    };
    let bytes = digits.parse::<u64>().ok().zip(factor);
    let bytes = bytes.and_then(|(count, factor)| count.checked_mul(factor));
    let bytes = bytes.filter(|bytes| *bytes >= MIN_BYTES && i64::try_from(*bytes).is_ok());
    let expected = || format!("{text:?} is neither none nor a size such as 64G, at least 1M");
    bytes.map(|bytes| Limit(Some(bytes))).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_duration_of_an_hour_or_none() {
        assert_eq!(max_age("none"), Ok(Limit(None)));
        assert_eq!(max_age(" 1h "), Ok(Limit(Some(MIN_AGE))));
        for bad in ["", "59m", "0", "forty days", "None"] {
            let error = max_age(bad).expect_err("refused");
            assert!(error.contains("neither none nor an age"), "{error}");
        }
    }

    #[test]
    fn a_size_has_a_unit_or_none() {
        assert_eq!(max_bytes("none"), Ok(Limit(None)));
        assert_eq!(max_bytes("1048576"), Ok(Limit(Some(1 << 20))));
        assert_eq!(max_bytes("64G"), Ok(Limit(Some(64 << 30))));
        for bad in ["", "G", "64GG", "64g", "1023K", "-1", "1.5T", "9999999999T", "8388608T"] {
            let error = max_bytes(bad).expect_err("refused");
            assert!(error.contains("neither none nor a size"), "{error}");
        }
    }
}
