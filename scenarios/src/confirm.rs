//! Confidence in a fix: what it says that a failure did not show again. Arithmetic only.

/// How likely a failure that shows in `rate` of all runs stays away for `runs` of them by
/// luck.
///
/// ```
/// use scenarios::confirm::luck;
/// assert_eq!(luck(0.5, 3), 0.125);
/// assert_eq!(luck(0.0, 1000), 1.0);
/// ```
pub fn luck(rate: f64, runs: u64) -> f64 {
    (1.0 - rate.clamp(0.0, 1.0)).powf(runs as f64)
}

/// The rate that a failure has at most, with 95 % confidence, if it did not show in so many
/// runs: the rule of three.
pub fn at_most(runs: u64) -> f64 {
    if runs == 0 { 1.0 } else { (3.0 / runs as f64).min(1.0) }
}

/// How many runs without a failure it takes until luck explains them no more than this
/// likely; `None` where no number of runs is enough.
pub fn enough(rate: f64, luck: f64) -> Option<u64> {
    if rate >= 1.0 {
        return Some(1);
    }
    (rate > 0.0 && luck > 0.0).then(|| (luck.ln() / (1.0 - rate).ln()).ceil().max(1.0) as u64)
}

/// The rate of `failed` in `runs`, a little too low rather than too high: the lower end of the
/// 95 % interval after Wilson, so that luck is not told too small.
pub fn rate(failed: u64, runs: u64) -> f64 {
    if failed == 0 || runs == 0 {
        return 0.0;
    }
    const Z: f64 = 1.645;
    let (n, share) = (runs as f64, failed as f64 / runs as f64);
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle - spread) / (1.0 + Z * Z / n)).max(0.0)
}

#[cfg(test)]
mod tests {
    use super::{at_most, enough, luck, rate};

    #[test]
    fn luck_becomes_less_with_each_run() {
        assert!((luck(0.02, 100) - 0.1326).abs() < 0.0001);
        assert!(luck(0.02, 500) < 0.0001);
        assert_eq!(luck(1.0, 1), 0.0);
        assert_eq!(luck(0.3, 0), 1.0);
    }

    #[test]
    fn three_in_n_runs_may_be_left_where_none_was_seen() {
        assert_eq!(at_most(300), 0.01);
        assert_eq!(at_most(2), 1.0);
        assert_eq!(at_most(0), 1.0);
        // That many runs see such a rate with 95 %.
        assert!((luck(at_most(300), 300) - 0.05).abs() < 0.001);
    }

    #[test]
    fn enough_runs_leave_no_more_luck_than_was_asked_for() {
        let runs = enough(0.02, 0.001).expect("some number is enough");
        assert!(luck(0.02, runs) <= 0.001);
        assert!(luck(0.02, runs - 1) > 0.001);
        assert_eq!(enough(1.0, 0.001), Some(1));
        assert_eq!(enough(0.0, 0.001), None);
    }

    #[test]
    fn a_rate_is_told_too_low_rather_than_too_high() {
        assert_eq!(rate(0, 100), 0.0);
        assert!(rate(10, 100) < 0.1 && rate(10, 100) > 0.05);
        assert!(rate(1000, 10_000) > 0.09);
        assert!(rate(100, 100) > 0.95);
    }
}
