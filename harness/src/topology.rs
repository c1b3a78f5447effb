//! The topology of a system: its services, collections and consumers, as the services
//! themselves declare them. Read off the services without running them.

use std::sync::Arc;

use platform::collection::CollectionSpec;
use platform::http::route::DeclaredRoute;
use ports::bus::Group;

use crate::catalog::openapi::Interface;
use crate::inert;
use crate::system::System;

/// The services of a system.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// The services, in the order in which they start.
    pub services: Vec<ServiceTopology>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceTopology {
    /// Its name.
    pub name: &'static str,
    /// Its collections.
    pub collections: Vec<&'static str>,
    /// Those of them whose documents leave by themselves.
    pub leaving: Vec<&'static str>,
    /// Its consumers.
    pub consumers: Vec<ConsumerTopology>,
}

/// A consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerTopology {
    /// Its name: service and event.
    pub name: String,
    /// The subjects that it receives.
    pub subjects: Vec<&'static str>,
    /// Whether each instance receives every message.
    pub broadcast: bool,
}

impl Topology {
    /// The topology of this system. Builds one instance of each service on ports that nothing
    /// answers at.
    pub fn of(system: &System) -> Self {
        let services = system.services.iter().map(|spec| {
            let ports = inert::ports(spec.name, Arc::clone(&system.external));
            let service = (spec.build)(&ports, "http://external.test");
            let consumer = |listener: &platform::listen::Listener| ConsumerTopology {
                name: format!("{}-{}", spec.name, listener.event),
                subjects: listener.subjects.clone(),
                broadcast: listener.group == Group::Broadcast,
            };
            let leaves = |spec: &&CollectionSpec| spec.indexes.iter().any(|index| index.expires);
            ServiceTopology {
                name: spec.name,
                collections: service.collections.iter().map(|spec| spec.name).collect(),
                leaving: service.collections.iter().filter(leaves).map(|spec| spec.name).collect(),
                consumers: service.listeners.iter().map(consumer).collect(),
            }
        });
        Self { services: services.collect() }
    }

    /// The routes of this system that describe themselves, of services that have some. Builds
    /// services as [`of`](Self::of).
    pub(crate) fn interfaces(system: &System) -> Vec<Interface> {
        let interfaces = system.services.iter().map(|spec| {
            let ports = inert::ports(spec.name, Arc::clone(&system.external));
            let service = (spec.build)(&ports, "http://external.test");
            let endpoints = service.declared.iter().map(DeclaredRoute::endpoint).collect();
            Interface { service: spec.name, endpoints }
        });
        interfaces.filter(|interface| !interface.endpoints.is_empty()).collect()
    }

    /// Every collection of every service: service and name.
    pub fn collections(&self) -> Vec<(&'static str, String)> {
        let of_service = |service: &ServiceTopology| {
            let name = service.name;
            service.collections.iter().map(move |one| (name, (*one).to_owned())).collect::<Vec<_>>()
        };
        self.services.iter().flat_map(of_service).collect()
    }

    /// Whether there is a service of this name.
    pub fn has(&self, service: &str) -> bool {
        self.services.iter().any(|known| known.name == service)
    }

    /// Every subject at every service that receives it.
    pub fn receives(&self) -> Vec<(&'static str, &'static str)> {
        let of_service = |service: &'_ ServiceTopology| {
            let subjects = service.consumers.iter().flat_map(|consumer| &consumer.subjects);
            subjects.map(|subject| (*subject, service.name)).collect::<Vec<_>>()
        };
        self.services.iter().flat_map(of_service).collect()
    }
}
