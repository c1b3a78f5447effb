//! What is rehearsed: the services, the paths that each serves, and the world outside.
//!
//! Someone with other services describes them here and has both worlds.

use std::sync::Arc;

pub use sim::external::{ExternalReply, ExternalService};

use platform::run::Policy;
use platform::service::Service;
use ports::Ports;

/// Builds one instance of a service from its ports and the base URL of the world outside.
pub type Build = Arc<dyn Fn(&Ports, &str) -> Service + Send + Sync>;

/// Makes other ports of an instance's.
pub type PortDecorator = Arc<dyn Fn(Ports) -> Ports + Send + Sync>;

/// One service of the system.
#[derive(Clone)]
pub struct ServiceSpec {
    /// Its name: of its database too.
    pub name: &'static str,
    /// The path prefixes that the ingress gives to it; none for a service without HTTP.
    pub paths: &'static [&'static str],
    /// Builds an instance.
    pub build: Build,
}

/// A whole system.
#[derive(Clone)]
pub struct System {
    /// Its services, in the order in which they start.
    pub services: Vec<ServiceSpec>,
    /// The world outside.
    pub external: Arc<dyn ExternalService>,
    /// How messages are delivered.
    pub policy: Policy,
    /// What every instance gets in the place of its ports; `None` for the ports as they are.
    /// For systems that are wrong on purpose.
    pub decorator: Option<PortDecorator>,
}

impl System {
    /// What an instance gets in the place of these ports.
    pub(crate) fn decorate(&self, ports: Ports) -> Ports {
        match &self.decorator {
            Some(decorator) => decorator(ports),
            None => ports,
        }
    }

    /// The service that serves this path.
    pub fn serves(&self, path: &str) -> Option<&'static str> {
        let under = |prefix: &&str| {
            path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.services.iter().find(|part| part.paths.iter().any(under)).map(|part| part.name)
    }
}
