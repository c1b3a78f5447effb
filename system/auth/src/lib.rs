//! Auth: who the users are, how they sign in, and who may not act any more.
//!
//! It owns the address and the password. It does not check anybody's session for others:
//! every service does that by itself, from the token, and hears of bans by itself.
//!
//! The way through: [`routes`] bring something in, [`model`] decides, [`store`] says how it
//! lies in the database. [`password`] turns passwords into hashes.

pub mod model;
pub mod password;
pub mod routes;
pub mod store;

use std::sync::Arc;

use identity::session::{SessionConfig, Sessions};
use platform::collection::{Collection, CollectionSpec};
use platform::service::Service;
use ports::Ports;
use ports::{clock::Clock, entropy::Entropy};

use model::{Admins, User};
use password::{Compute, Cost, Passwords};

/// The name of its database, consumers and events' source.
pub const NAME: &str = "auth";

/// How this service is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The addresses of the administrators. Addresses are not verified: whoever signs up
    /// with one of them first has it.
    pub admins: Vec<String>,
    /// What hashing a password costs.
    pub password_cost: Cost,
    /// Where passwords are hashed.
    pub compute: Compute,
}

/// What routes work with.
#[derive(Clone)]
pub struct App {
    sessions: Sessions,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    users: Collection<User>,
    passwords: Passwords,
    admins: Admins,
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}

/// The service, built from its ports.
pub fn service(ports: &Ports, config: &Config) -> Service {
    let app = App {
        sessions: Sessions::new(&config.session, ports),
        clock: Arc::clone(&ports.clock),
        entropy: Arc::clone(&ports.entropy),
        users: Collection::new(ports),
        passwords: Passwords::new(config.password_cost, &config.compute, &ports.entropy),
        admins: Admins::new(&config.admins),
    };
    Service {
        name: NAME,
        collections: vec![CollectionSpec::of::<User>()],
        listeners: vec![app.sessions.listener()],
        tasks: vec![Arc::new(app.users.relay(NAME, ports))],
        routes: routes::routes(app),
    }
}
