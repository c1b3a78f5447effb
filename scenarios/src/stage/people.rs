//! The people of a scenario: they sign up when they are first needed.

use serde_json::json;

use super::{Stage, Wrong};
use crate::client::Person;
use http::Method;

/// Everybody's password, unless a scenario says otherwise.
pub(super) const PASSWORD: &str = "curtain";

/// Who never signs up.
const STRANGER: &str = "Somebody";

/// The address of somebody with this name.
pub(super) fn address(name: &str) -> String {
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}

impl Stage {
    /// Signs up, at the same moment, those of these people who are new. `Somebody` never is:
    /// that one has no account.
    pub async fn meet(&mut self, names: &[String]) -> Result<(), Wrong> {
        let mut new: Vec<&String> =
            names.iter().filter(|name| !self.people.contains_key(*name)).collect();
        new.sort();
        new.dedup();
        let (strangers, new): (Vec<_>, Vec<_>) =
            new.into_iter().partition(|name| *name == STRANGER);
        for name in strangers {
            self.people.insert(name.clone(), Person::default());
        }
        if new.is_empty() {
            return Ok(());
        }
        let sign_up = |name: &String| {
            let person = Person::new(address(name));
            let body = json!({ "email": person.email, "password": PASSWORD });
            person.request(Method::POST, "/api/users/signup", &body)
        };
        let requests = new.iter().map(|name| sign_up(name)).collect();
        let replies = self.world().send(requests).await;
        for (name, reply) in new.into_iter().zip(replies) {
            Wrong::unless(reply.status() == Some(201), || {
                format!("{name} cannot sign up: {}", super::answers::describe(&reply))
            })?;
            let mut person = Person::new(address(name));
            person.absorb(&reply);
            self.people.insert(name.clone(), person);
        }
        Ok(())
    }

    /// What is known of somebody; with nothing but an address where they never signed up.
    pub fn person(&self, name: &str) -> Person {
        self.people.get(name).cloned().unwrap_or_else(|| Person::new(address(name)))
    }

    /// Replaces what is known of somebody.
    pub fn set_person(&mut self, name: &str, person: Person) {
        self.people.insert(name.to_owned(), person);
    }
}
