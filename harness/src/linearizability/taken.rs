//! Which calls are in the order already: a set of small numbers that is cheap to copy, to
//! compare and to hash. It knows nothing of calls; see [`super`].

/// A set of numbers below a bound.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Taken {
    Few(u128),
    Many(Box<[u64]>),
}

impl Taken {
    /// No number of those below `bound`.
    pub(super) fn none_of(bound: usize) -> Self {
        if bound <= 128 { Self::Few(0) } else { Self::Many(vec![0; bound.div_ceil(64)].into()) }
    }

    pub(super) fn has(&self, number: usize) -> bool {
        match self {
            Self::Few(bits) => bits >> number & 1 == 1,
            Self::Many(words) => words[number / 64] >> (number % 64) & 1 == 1,
        }
    }

    pub(super) fn put(&mut self, number: usize) {
        match self {
            Self::Few(bits) => *bits |= 1 << number,
            Self::Many(words) => words[number / 64] |= 1 << (number % 64),
        }
    }

    pub(super) fn remove(&mut self, number: usize) {
        match self {
            Self::Few(bits) => *bits &= !(1 << number),
            Self::Many(words) => words[number / 64] &= !(1 << (number % 64)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Taken;

    #[test]
    fn few_and_many_numbers_are_kept_alike() {
        for bound in [1, 64, 128, 129, 1000] {
            let mut taken = Taken::none_of(bound);
            let last = bound - 1;
            assert!(!taken.has(last));
            taken.put(last);
            assert!(taken.has(last), "{last} of {bound}");
            assert_eq!((0..bound).filter(|&n| taken.has(n)).count(), 1);
            taken.remove(last);
            assert_eq!(taken, Taken::none_of(bound));
        }
    }
}
