//! Rule coverage: the rules of a subject's model, and how many runs have reached each.

use std::collections::BTreeMap;

/// The rules of a model, each with the number of runs that reached it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<&'static str, u64>);

impl Rules {
    /// These rules, none of them reached yet.
    ///
    /// ```
    /// use harness::subject::Rules;
    ///
    /// let mut rules = Rules::of(["return: 404 for an unknown book", "return: 200"]);
    /// rules.add(["return: 200"]);
    /// assert_eq!((rules.reached(), rules.possible()), (1, 2));
    /// assert_eq!(rules.missing().collect::<Vec<_>>(), ["return: 404 for an unknown book"]);
    /// ```
    pub fn of(rules: impl IntoIterator<Item = &'static str>) -> Self {
        Self(rules.into_iter().map(|rule| (rule, 0)).collect())
    }

    /// Counts the rules that one run reached.
    pub fn add(&mut self, reached: impl IntoIterator<Item = &'static str>) {
        for rule in reached {
            *self.0.entry(rule).or_default() += 1;
        }
    }

    /// The number of rules that a run has reached.
    pub fn reached(&self) -> usize {
        self.0.values().filter(|&&runs| runs > 0).count()
    }

    /// The number of rules.
    pub fn possible(&self) -> usize {
        self.0.len()
    }

    /// The rules that no run has reached.
    pub fn missing(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().filter(|&(_, &runs)| runs == 0).map(|(rule, _)| *rule)
    }
}
