//! The system under rehearsal: its services, the paths that each serves, and the external
//! services that it calls.
//!
//! A [`System`] runs unchanged in both worlds. It is data and constructors; it runs nothing.
//!
//! Next: [`crate::world`] for what a run does with a system.

use std::sync::Arc;

pub use sim::external::{ExternalReply, ExternalService};

use platform::catalogue::Entry;
use platform::run::Policy;
use platform::service::Service;
use ports::{Ports, Timestamp};

use crate::faults::Faults;
use crate::inert;
use crate::instance::InstanceId;
use crate::settings::Settings;
use crate::time_scale::TimeScale;
use crate::trace::recorder::Recorder;
use crate::world::WorldError;

/// Builds one instance of a service from its ports and the base URL of the external services.
pub type Build = Arc<dyn Fn(&Ports, &str) -> Service + Send + Sync>;

/// Replaces an instance's ports by decorated ones.
pub type PortDecorator = Arc<dyn Fn(Ports) -> Ports + Send + Sync>;

/// One service of the system.
#[derive(Clone)]
pub struct ServiceSpec {
    /// Name of the service and of its database.
    pub name: &'static str,
    /// Path prefixes that the ingress routes to the service; empty for a service without
    /// HTTP.
    pub paths: &'static [&'static str],
    /// Constructor of an instance.
    pub build: Build,
}

impl ServiceSpec {
    /// A service that calls no external service, with the name and the paths that it declares.
    pub fn new(build: impl Fn(&Ports) -> Service + Send + Sync + 'static) -> Self {
        let declared = build(&inert::ports("", Arc::new(NoExternalService)));
        let (name, paths) = (declared.name, declared.paths);
        Self { name, paths, build: Arc::new(move |ports, _| build(ports)) }
    }
}

/// The external service of a system that has none: it refuses every connection.
struct NoExternalService;

impl ExternalService for NoExternalService {
    fn answer(&self, _: &http::Request<bytes::Bytes>, _: Timestamp) -> ExternalReply {
        ExternalReply::Refused
    }
}

/// A whole system.
#[derive(Clone)]
pub struct System {
    /// The services, in the order in which they start.
    pub services: Vec<ServiceSpec>,
    /// The external services, behind one base URL.
    pub external: Arc<dyn ExternalService>,
    /// Delivery policy of the bus: ack wait, back-off, dead letters.
    pub policy: Policy,
    /// The settings of this run; its numbers of instances apply at the start.
    pub settings: Settings,
    /// The events that the subject declares, for faults of their format; the harness sets them.
    pub events: Arc<[Entry]>,
    /// Outermost decorator of every instance's ports, to plant bugs; `None` for none.
    pub decorator: Option<PortDecorator>,
}

impl System {
    /// A system of these services, started in this order, without external services.
    pub fn new(services: Vec<ServiceSpec>, time: &TimeScale) -> Self {
        Self {
            services,
            external: Arc::new(NoExternalService),
            policy: time.policy().clone(),
            settings: Settings::default(),
            events: Arc::default(),
            decorator: None,
        }
    }

    /// The service that serves this path.
    pub fn serves(&self, path: &str) -> Option<&'static str> {
        let matches = |prefix: &&str| {
            path.strip_prefix(*prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let spec = self.services.iter().find(|spec| spec.paths.iter().any(matches));
        spec.map(|spec| spec.name)
    }

    /// The index, among these instances, of the one that the ingress routes a request to:
    /// round robin over the service's instances, by the number of the request.
    pub(crate) fn route(
        &self,
        path: &str,
        number: u64,
        instances: impl Iterator<Item = InstanceId>,
    ) -> Option<usize> {
        let service = self.serves(path)?;
        let of_service = instances.enumerate().filter(|(_, id)| id.service == service);
        let candidates: Vec<usize> = of_service.map(|(at, _)| at).collect();
        let turn = usize::try_from(number).expect("requests are few");
        Some(candidates[turn.checked_rem(candidates.len())?])
    }

    /// Whether some service has none of these instances.
    pub(crate) fn is_down(&self, instances: impl Iterator<Item = InstanceId> + Clone) -> bool {
        let is_up = |spec: &ServiceSpec| instances.clone().any(|id| id.service == spec.name);
        !self.services.iter().all(is_up)
    }

    /// The service of this name.
    pub(crate) fn service(&self, name: &str) -> Result<&ServiceSpec, WorldError> {
        let spec = self.services.iter().find(|spec| spec.name == name);
        spec.ok_or_else(|| WorldError::NoSuchService(name.to_owned()))
    }

    /// The ports of an instance around those that the recorder has decorated. From the inside out:
    /// the recorder sees the effects that took place, faults change what the service observes of
    /// them, and a planted bug misuses both.
    pub(crate) fn ports_for(&self, recorded: Ports, faults: &Faults, recorder: &Recorder) -> Ports {
        let ports = faults.decorate(recorded, recorder, Arc::clone(&self.events));
        match &self.decorator {
            Some(decorator) => decorator(ports),
            None => ports,
        }
    }
}
