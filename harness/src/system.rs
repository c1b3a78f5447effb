//! What is rehearsed: the services, the paths that each serves, and the world outside.
//!
//! Someone with other services describes them here and has both worlds.

use std::sync::Arc;

use bytes::Bytes;
use platform::Ports;
use platform::run::Policy;
use platform::service::Service;

/// Builds one instance of a service from its ports and the base URL of the world outside.
pub type Build = Arc<dyn Fn(&Ports, &str) -> Service + Send + Sync>;

/// Makes other ports of an instance's.
pub type Around = Arc<dyn Fn(Ports) -> Ports + Send + Sync>;

/// One service of the system.
#[derive(Clone)]
pub struct Part {
    /// Its name: of its database too.
    pub name: &'static str,
    /// The path prefixes that the ingress gives to it; none for a service without HTTP.
    pub paths: &'static [&'static str],
    /// Builds an instance.
    pub build: Build,
}

/// A party outside the system that answers requests, such as a payment provider.
pub trait Outside: Send + Sync {
    /// What it does with a request, at once.
    fn answer(&self, request: &http::Request<Bytes>) -> Answer;
}

/// An answer from outside, or its absence.
#[derive(Debug, Clone)]
pub enum Answer {
    /// It answers.
    Response(http::Response<Bytes>),
    /// It did what was asked, and the answer is lost.
    Lost,
    /// It does not accept connections.
    Refused,
}

/// A whole system.
#[derive(Clone)]
pub struct System {
    /// Its services, in the order in which they start.
    pub parts: Vec<Part>,
    /// The world outside.
    pub outside: Arc<dyn Outside>,
    /// How messages are delivered.
    pub policy: Policy,
    /// What every instance gets in the place of its ports; `None` for the ports as they are.
    /// For systems that are wrong on purpose.
    pub around: Option<Around>,
}

impl System {
    /// What an instance gets in the place of these ports.
    pub(crate) fn instead_of(&self, ports: Ports) -> Ports {
        match &self.around {
            Some(around) => around(ports),
            None => ports,
        }
    }

    /// The service that serves this path.
    pub fn serves(&self, path: &str) -> Option<&'static str> {
        let under = |prefix: &&str| {
            path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.parts.iter().find(|part| part.paths.iter().any(under)).map(|part| part.name)
    }
}
