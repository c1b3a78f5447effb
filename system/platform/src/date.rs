//! Times in documents: BSON dates, so that the store can compare and index them.
//!
//! For `#[serde(with = "platform::date")]` and `#[serde(with = "platform::date::option")]`.

use bson::DateTime;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Converts a time to a BSON date.
#[must_use]
pub fn to_bson(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

fn from_bson(date: DateTime) -> Timestamp {
    Timestamp::from_millisecond(date.timestamp_millis()).unwrap_or(Timestamp::MAX)
}

/// Serializes a time as a BSON date.
pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to_bson(*at).serialize(to)
}

/// Deserializes a time from a BSON date.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    DateTime::deserialize(from).map(from_bson)
}

/// The same for a time that may be absent, stored as null.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serialize, Serializer, Timestamp, from_bson};

    /// Serializes a time as a BSON date, `None` as null.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(super::to_bson).serialize(to)
    }

    /// Deserializes a time from a BSON date, null as `None`.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<DateTime>::deserialize(from)?.map(from_bson))
    }
}
