//! Confidence in a fix: the probability that a failure only appears to be fixed. Arithmetic
//! only.

/// The probability that a failure with this rate does not occur in this many runs.
///
/// ```
/// use harness::search::confidence::absence;
/// assert_eq!(absence(0.5, 3), 0.125);
/// assert_eq!(absence(0.0, 1000), 1.0);
/// ```
pub fn absence(rate: f64, runs: u64) -> f64 {
    (1.0 - rate.clamp(0.0, 1.0)).powf(runs as f64)
}

/// The upper bound of the failure rate, with 95 % confidence, after this many runs without a
/// failure: the rule of three.
pub fn upper_bound(runs: u64) -> f64 {
    if runs == 0 { 1.0 } else { (3.0 / runs as f64).min(1.0) }
}

/// The number of runs without a failure until chance explains them with at most this
/// probability; `None` where no number of runs is enough.
pub fn enough(rate: f64, chance: f64) -> Option<u64> {
    if rate >= 1.0 {
        return Some(1);
    }
    (rate > 0.0 && chance > 0.0).then(|| (chance.ln() / (1.0 - rate).ln()).ceil().max(1.0) as u64)
}

/// The rate of `failed` in `runs`, conservatively: the lower end of Wilson's 95 % interval, so
/// that the probability of chance is never understated.
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
    use super::{absence, enough, rate, upper_bound};

    #[test]
    fn absence_becomes_less_likely_with_each_run() {
        assert!((absence(0.02, 100) - 0.1326).abs() < 0.0001);
        assert!(absence(0.02, 500) < 0.0001);
        assert_eq!(absence(1.0, 1), 0.0);
        assert_eq!(absence(0.3, 0), 1.0);
    }

    #[test]
    fn the_upper_bound_is_three_in_n_runs() {
        assert_eq!(upper_bound(300), 0.01);
        assert_eq!(upper_bound(2), 1.0);
        assert_eq!(upper_bound(0), 1.0);
        // So many runs show such a rate with 95 %.
        assert!((absence(upper_bound(300), 300) - 0.05).abs() < 0.001);
    }

    #[test]
    fn enough_runs_leave_no_more_chance_than_was_asked_for() {
        let runs = enough(0.02, 0.001).expect("some number is enough");
        assert!(absence(0.02, runs) <= 0.001);
        assert!(absence(0.02, runs - 1) > 0.001);
        assert_eq!(enough(1.0, 0.001), Some(1));
        assert_eq!(enough(0.0, 0.001), None);
    }

    #[test]
    fn a_rate_is_a_lower_bound() {
        assert_eq!(rate(0, 100), 0.0);
        assert!(rate(10, 100) < 0.1 && rate(10, 100) > 0.05);
        assert!(rate(1000, 10_000) > 0.09);
        assert!(rate(100, 100) > 0.95);
    }
}
