//! Durations in words, and back: 24 hours, 90 seconds, 0.25 seconds.
//!
//! A duration is written in the largest unit of which it is a multiple, but one day is 24 hours.

use std::time::Duration;

/// The units in seconds, largest first, and the fewest of them that are written.
const UNITS: [(u64, u64, &str); 4] =
    [(24 * 60 * 60, 2, "day"), (60 * 60, 1, "hour"), (60, 1, "minute"), (1, 0, "second")];

/// The pattern of a duration, perhaps with a fraction of a second.
pub const PATTERN: &str = r"\d+(?:\.\d+)? (?:seconds?|minutes?|hours?|days?)";

/// A duration in words.
pub fn words(duration: Duration) -> String {
    let (seconds, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if nanos > 0 {
        let digits = format!("{seconds}.{nanos:09}");
        return format!("{} seconds", digits.trim_end_matches('0'));
    }
    let fits = |(unit, least, _): &&(u64, u64, &str)| {
        seconds.is_multiple_of(*unit) && seconds / unit >= *least && seconds > 0
    };
    let (unit, _, name) = UNITS.iter().find(fits).unwrap_or(&UNITS[3]);
    let number = seconds / unit;
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {name}{plural}")
}

/// The duration in these words; `None` where they are none.
pub fn read(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_once(' ')?;
    let named = |(_, _, name): &&(u64, u64, &str)| unit.strip_suffix('s').unwrap_or(unit) == *name;
    let (unit, ..) = UNITS.iter().find(named)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole = whole.parse::<u64>().ok()?.checked_mul(*unit)?;
    let nanos = format!("{fraction:0<9.9}").parse::<u64>().ok()?.checked_mul(*unit)?;
    let (carry, nanos) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    Some(Duration::new(whole.checked_add(carry)?, u32::try_from(nanos).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_in_its_largest_unit_and_read_back() {
        let examples = [
            (0, "0 seconds"),
            (1_000, "1 second"),
            (90_000, "90 seconds"),
            (90_250, "90.25 seconds"),
            (60_000, "1 minute"),
            (15 * 60_000, "15 minutes"),
            (90 * 60_000, "90 minutes"),
            (60 * 60_000, "1 hour"),
            (24 * 60 * 60_000, "24 hours"),
            (36 * 60 * 60_000, "36 hours"),
            (48 * 60 * 60_000, "2 days"),
        ];
        for (millis, expected) in examples {
            let duration = Duration::from_millis(millis);
            assert_eq!(words(duration), expected);
            assert_eq!(read(expected), Some(duration));
        }
        assert_eq!(read("1.5 minutes"), Some(Duration::from_secs(90)));
        assert_eq!(read("1440 minutes"), Some(Duration::from_secs(86_400)));
        assert_eq!(read("a while"), None);
        assert_eq!(read("99999999999999999999 days"), None);
    }
}
