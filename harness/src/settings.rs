//! Settings that vary from run to run: deadlines, the delivery policy, instances of services.
//!
//! A subject declares its settings as data ([`Subject::settings`](crate::Subject::settings)), and
//! the harness adds those that every system has. Each run draws a few values from its seed, like
//! faults; they are part of its case, and shrinking returns to the defaults.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::duration;

/// The value of a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Value {
    /// A number, such as one of attempts.
    Count(u32),
    /// A time, such as a deadline.
    Time(Duration),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Time(time) => f.write_str(&duration::words(*time)),
        }
    }
}

impl From<Value> for String {
    fn from(value: Value) -> Self {
        value.to_string()
    }
}

/// Why a text is no value, or no value of its setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingError {
    /// It is neither a number nor a time.
    #[error("{0:?} is neither a number nor a time such as \"90 seconds\" or 15m")]
    NoValue(String),
    /// There is no setting of this name.
    #[error("there is no setting {0:?}; the settings are {1}")]
    Unknown(String, String),
    /// The setting has values of another kind.
    #[error("the setting {0} is {1} by default, and cannot be {2}")]
    Kind(String, Value, Value),
}

impl TryFrom<String> for Value {
    type Error = SettingError;

    fn try_from(text: String) -> Result<Self, SettingError> {
        let count = text.parse().ok().map(Self::Count);
        let time = || duration::read(&text).or_else(|| humantime::parse_duration(&text).ok());
        count.or_else(|| time().map(Self::Time)).ok_or(SettingError::NoValue(text))
    }
}

/// A setting, and the values that runs draw for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as on the command line.
    pub name: Cow<'static, str>,
    /// Its meaning, as a noun.
    pub about: Cow<'static, str>,
    /// The value in most runs.
    pub default: Value,
    /// The values that are drawn; none for a setting that only a person changes.
    pub values: &'static [Value],
}

impl Setting {
    /// A setting of this name and meaning.
    pub const fn new(
        name: &'static str,
        about: &'static str,
        default: Value,
        values: &'static [Value],
    ) -> Self {
        Self { name: Cow::Borrowed(name), about: Cow::Borrowed(about), default, values }
    }
}

/// The time until the bus redelivers an unacknowledged message.
pub(crate) const ACK_WAIT: Setting = Setting::new(
    "ack-wait",
    "the time until the bus redelivers an unacknowledged message",
    Value::Time(Duration::from_secs(30)),
    &[Value::Time(Duration::from_secs(5)), Value::Time(Duration::from_secs(10))],
);

/// The number of deliveries after which a message becomes a dead letter.
pub(crate) const ATTEMPTS: Setting = Setting::new(
    "attempts",
    "the number of deliveries after which a message becomes a dead letter",
    Value::Count(10),
    &[Value::Count(3), Value::Count(5)],
);

/// The number of messages that one consumer handles concurrently.
pub(crate) const IN_FLIGHT: Setting = Setting::new(
    "in-flight",
    "the number of messages that one consumer handles concurrently",
    Value::Count(16),
    &[Value::Count(1), Value::Count(2)],
);

/// The number of documents whose events one step of a relay publishes.
pub(crate) const RELAY_BATCH: Setting = Setting::new(
    "relay-batch",
    "the number of documents whose events one step of a relay publishes",
    Value::Count(100),
    &[Value::Count(1), Value::Count(2)],
);

/// The time after which published events are removed from their outboxes.
pub const CLEAR_AFTER: Setting = Setting::new(
    "clear-after",
    "the time after which published events are removed from their outboxes",
    Value::Time(Duration::ZERO),
    &[Value::Time(Duration::from_secs(1))],
);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The age at which an event leaves the stream. It is never drawn: few runs last for weeks.
pub(crate) const EVENTS_AGE: Setting = Setting::new(
    "events-max-age",
    "the age at which an event leaves the stream",
    Value::Time(DAY.saturating_mul(40)),
    &[],
);

/// The age at which a dead letter leaves its stream.
pub(crate) const DEAD_LETTERS_AGE: Setting = Setting::new(
    "dead-letters-max-age",
    "the age at which a dead letter is removed",
    Value::Time(DAY.saturating_mul(90)),
    &[],
);

/// The time after its end at which a document leaves.
pub(crate) const DOCUMENTS_AGE: Setting = Setting::new(
    "documents-max-age",
    "the time after its end at which a document is removed",
    Value::Time(DAY.saturating_mul(80)),
    &[],
);

/// The settings of the delivery policy, which every system has.
pub(crate) const POLICY: [Setting; 8] = [
    ACK_WAIT,
    ATTEMPTS,
    IN_FLIGHT,
    RELAY_BATCH,
    CLEAR_AFTER,
    EVENTS_AGE,
    DEAD_LETTERS_AGE,
    DOCUMENTS_AGE,
];

/// The number of instances of this service.
pub(crate) fn instances(service: &str) -> Setting {
    Setting {
        name: format!("{service}-instances").into(),
        about: format!("the number of instances of {service} at the start").into(),
        default: Value::Count(1),
        values: &[Value::Count(2)],
    }
}

/// The settings of one run: those that differ from their defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Value>);

/// The maximum number of settings that a run changes.
const CHANGED: u32 = 3;

/// Keeps the settings of a seed apart from its script and its faults.
const SALT: u64 = 0x5e77_1465;

impl Settings {
    /// The settings of this seed: in half of the runs, all are at their defaults.
    pub fn draw(all: &[Setting], seed: u64) -> Self {
        let mut chance = ChaCha8Rng::seed_from_u64(seed ^ SALT);
        let all: Vec<&Setting> = all.iter().filter(|one| !one.values.is_empty()).collect();
        let mut drawn = Self::default();
        if chance.random_bool(0.5) {
            return drawn;
        }
        for _ in 0..chance.random_range(1..=CHANGED) {
            if let Some(setting) = all.choose(&mut chance)
                && let Some(value) = setting.values.choose(&mut chance)
            {
                drawn.set(setting, *value);
            }
        }
        drawn
    }

    /// Sets a value.
    pub fn set(&mut self, setting: &Setting, value: Value) {
        if value == setting.default {
            self.0.remove(setting.name.as_ref());
        } else {
            self.0.insert(setting.name.as_ref().to_owned(), value);
        }
    }

    /// Sets a value by the name of its setting.
    ///
    /// # Errors
    ///
    /// When there is no such setting, or it has values of another kind.
    pub fn set_named(
        &mut self,
        all: &[Setting],
        name: &str,
        value: Value,
    ) -> Result<(), SettingError> {
        let setting = all.iter().find(|setting| setting.name == name).ok_or_else(|| {
            let names: Vec<&str> = all.iter().map(|setting| setting.name.as_ref()).collect();
            SettingError::Unknown(name.to_owned(), names.join(", "))
        })?;
        if std::mem::discriminant(&setting.default) != std::mem::discriminant(&value) {
            return Err(SettingError::Kind(name.to_owned(), setting.default, value));
        }
        self.set(setting, value);
        Ok(())
    }

    /// The same settings, if all of them are among these.
    ///
    /// # Errors
    ///
    /// The first that is not.
    pub(crate) fn known(self, all: &[Setting]) -> Result<Self, SettingError> {
        let mut known = Self::default();
        for (name, value) in self.0 {
            known.set_named(all, &name, value)?;
        }
        Ok(known)
    }

    /// The value of a setting.
    pub fn get(&self, setting: &Setting) -> Value {
        self.0.get(setting.name.as_ref()).copied().unwrap_or(setting.default)
    }

    /// The value of a setting that is a number; 0 where it is a time.
    pub fn count(&self, setting: &Setting) -> u32 {
        match self.get(setting) {
            Value::Count(count) => count,
            Value::Time(_) => 0,
        }
    }

    /// The value of a setting that is a time; zero where it is a number.
    pub fn time(&self, setting: &Setting) -> Duration {
        match self.get(setting) {
            Value::Time(time) => time,
            Value::Count(_) => Duration::ZERO,
        }
    }

    /// The value of this name, where it is not the default.
    pub(crate) fn changed(&self, setting: &Setting) -> Option<Value> {
        self.0.get(setting.name.as_ref()).copied()
    }

    /// Whether all are at their defaults.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Name and value of those that differ from their defaults.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), *value))
    }

    /// Those of these names alone.
    pub(crate) fn only(&self, names: &[String]) -> Self {
        let kept = self.0.iter().filter(|(name, _)| names.contains(name));
        Self(kept.map(|(name, value)| (name.clone(), *value)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_determines_the_settings_and_half_of_the_runs_have_the_defaults() {
        let drawn: Vec<Settings> = (0..400).map(|seed| Settings::draw(&POLICY, seed)).collect();
        let again = (0..400).map(|seed| Settings::draw(&POLICY, seed));
        assert!(again.eq(drawn.iter().cloned()));
        let plain = drawn.iter().filter(|settings| settings.is_empty()).count();
        assert!((150..250).contains(&plain), "{plain}");
        for setting in &POLICY {
            for value in setting.values {
                assert!(drawn.iter().any(|s| s.get(setting) == *value), "{}", setting.name);
            }
        }
    }

    #[test]
    fn a_value_is_read_as_it_is_written_and_checked_against_its_setting() {
        let value = |text: &str| Value::try_from(text.to_owned());
        for value_of in [Value::Count(3), Value::Time(Duration::from_secs(90))] {
            assert_eq!(value(&value_of.to_string()), Ok(value_of));
        }
        assert_eq!(value("15m"), Ok(Value::Time(Duration::from_secs(900))));
        assert!(value("soon").is_err());
        let mut settings = Settings::default();
        assert!(settings.set_named(&POLICY, "attempts", Value::Time(Duration::ZERO)).is_err());
        assert!(settings.set_named(&POLICY, "patience", Value::Count(1)).is_err());
        settings.set_named(&POLICY, "attempts", Value::Count(2)).unwrap();
        assert_eq!(settings.count(&ATTEMPTS), 2);
        settings.set_named(&POLICY, "attempts", Value::Count(10)).unwrap();
        assert!(settings.is_empty());
    }
}
