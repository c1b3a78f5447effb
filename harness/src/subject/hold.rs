//! Holds: a document says that one party has something for itself, such as a reservation, a lock
//! or a lease.

/// A hold that has not ended. Both parts are ids, and stories show their names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The party that holds.
    pub holder: String,
    /// The thing that is held.
    pub thing: String,
}
