//! Times in documents: BSON dates, so that the store can compare and index them.
//!
//! For `#[serde(with = "platform::date")]` and `#[serde(with = "platform::date::option")]`.

use bson::DateTime;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// This time as a BSON date.
pub fn to_bson(at: Timestamp) -> DateTime {
    DateTime::from_millis(at.as_millisecond())
}

fn from_bson(date: DateTime) -> Timestamp {
    Timestamp::from_millisecond(date.timestamp_millis()).unwrap_or(Timestamp::MAX)
}

/// Writes a BSON date.
pub fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    to_bson(*at).serialize(to)
}

/// Reads a BSON date.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    DateTime::deserialize(from).map(from_bson)
}

/// The same for a time that may be absent, which is null.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serialize, Serializer, Timestamp, from_bson};

    /// Writes a BSON date or null.
    pub fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        at.map(super::to_bson).serialize(to)
    }

    /// Reads a BSON date or null.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<DateTime>::deserialize(from)?.map(from_bson))
    }
}
