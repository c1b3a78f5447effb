//! The mapping of timers to the database: collection, indexes and queries.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use platform::date;
use ports::Timestamp;
use ports::store::{Find, Index, ReadError};

use crate::model::Timer;

impl Aggregate for Timer {
    const COLLECTION: &'static str = "timers";

    fn indexes() -> Vec<Index> {
        vec![Index { name: "due", keys: &["due"], unique: false, partial: None, expires: false }]
    }
}

/// Returns the armed timers that fire first, including those that are due already.
pub async fn armed(timers: &Collection<Timer>, limit: u32) -> Result<Vec<Timer>, ReadError> {
    // A comparison with a date matches only dates, and a disarmed timer has none.
    let filter = doc! { "due": { "$gt": date::to_bson(Timestamp::UNIX_EPOCH) } };
    timers.find_to_change(Find { filter, sort: doc! { "due": 1 }, limit }).await
}
