//! The mapping of users to the database: collection, indexes and queries.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use ports::store::{Find, Index, ReadError};

use crate::model::{User, email_key};

/// The index that makes claims unique: of concurrent users with one claim, one owns it.
pub const CLAIM: &str = "claim";
/// The index that makes addresses unique: of concurrent sign-ups with one address, one succeeds.
pub const EMAIL: &str = "email";

impl Aggregate for User {
    const COLLECTION: &'static str = "users";

    fn indexes() -> Vec<Index> {
        let admin = Some(doc! { "role": "admin" });
        vec![
            Index { name: EMAIL, keys: &["emailKey"], unique: true, partial: None, expires: false },
            Index { name: CLAIM, keys: &["claim"], unique: true, partial: admin, expires: false },
        ]
    }
}

/// Returns the user with this address, compared without case.
pub async fn by_email(users: &Collection<User>, email: &str) -> Result<Option<User>, ReadError> {
    let filter = doc! { "emailKey": email_key(email) };
    let found = users.find(Find { filter, limit: 1, ..Find::default() }).await?;
    Ok(found.into_iter().next())
}
