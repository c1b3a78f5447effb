//! How users lie in the database, and what is asked of them there.

use bson::doc;
use platform::collection::{Aggregate, Collection};
use ports::store::{Find, Index, ReadError};

use crate::model::{User, email_key};

/// The index that gives an address to one user only: of those who race for it, to the first.
pub const EMAIL: &str = "email";

impl Aggregate for User {
    const COLLECTION: &'static str = "users";

    fn indexes() -> Vec<Index> {
        vec![Index { name: EMAIL, keys: &["emailKey"], unique: true, partial: None }]
    }

    fn id(&self) -> &str {
        &self.id
    }
}

/// The user with this address, in whatever case.
pub async fn by_email(users: &Collection<User>, email: &str) -> Result<Option<User>, ReadError> {
    let filter = doc! { "emailKey": email_key(email) };
    let found = users.find(Find { filter, limit: 1, ..Find::default() }).await?;
    Ok(found.into_iter().next())
}
