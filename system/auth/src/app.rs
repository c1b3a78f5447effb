//! The configuration of auth, and the state that its routes share.

use std::sync::Arc;

use identity::revocations::MAX_SIGN_IN_DURATION;
use identity::session::{SessionConfig, Sessions};
use platform::collection::Collection;
use ports::clock::{Clock, after};
use ports::entropy::Entropy;
use ports::{Ports, Timestamp};

use crate::admins::Admins;
use crate::model::User;
use crate::password::{Compute, Cost, Passwords};
use crate::throttle::Throttle;

/// The configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Sessions, the same in all services.
    pub session: SessionConfig,
    /// The administrators.
    pub admins: Admins,
    /// The cost of hashing a password.
    pub password_cost: Cost,
    /// The executor for password hashing.
    pub compute: Compute,
}

/// The state that the routes share. Clones share it too.
#[derive(Clone)]
pub struct App {
    pub(crate) sessions: Sessions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) users: Collection<User>,
    pub(crate) passwords: Passwords,
    pub(crate) admins: Admins,
    pub(crate) throttle: Arc<Throttle>,
}

impl App {
    pub(crate) fn new(ports: &Ports, config: &Config) -> Self {
        Self {
            sessions: Sessions::new(&config.session, ports),
            clock: Arc::clone(&ports.clock),
            entropy: Arc::clone(&ports.entropy),
            users: Collection::new(ports),
            passwords: Passwords::new(config.password_cost, &config.compute, &ports.entropy),
            admins: config.admins.clone(),
            throttle: Arc::default(),
        }
    }
}

impl App {
    /// Returns the expiry of the last token that a user could hold, also one of a sign-in that
    /// is under way.
    pub(crate) fn last_expiry(&self) -> Timestamp {
        after(self.clock.now(), self.sessions.lifetime() + MAX_SIGN_IN_DURATION)
    }
}

impl AsRef<Sessions> for App {
    fn as_ref(&self) -> &Sessions {
        &self.sessions
    }
}
