//! The ways to plant a bug: decorate the ports of a service, or change its parts.

use std::sync::Arc;

use platform::service::Service;
use ports::Ports;

use crate::system::{ServiceSpec, System};

/// Decorates the ports of one service, or of all.
pub fn with_ports(
    mut system: System,
    service: Option<&'static str>,
    change: impl Fn(Ports) -> Ports + Send + Sync + 'static,
) -> System {
    let change = Arc::new(change);
    for spec in services(&mut system, service) {
        let (build, change) = (Arc::clone(&spec.build), Arc::clone(&change));
        spec.build = Arc::new(move |ports, url| build(&change(ports.clone()), url));
    }
    system
}

/// Decorates the ports of every service, depending on its name.
pub fn with_ports_of_each(mut system: System, change: fn(&'static str, Ports) -> Ports) -> System {
    for spec in services(&mut system, None) {
        let (build, name) = (Arc::clone(&spec.build), spec.name);
        spec.build = Arc::new(move |ports, url| build(&change(name, ports.clone()), url));
    }
    system
}

/// Changes the assembled parts of one service, or of all.
pub fn with_service(
    mut system: System,
    service: Option<&'static str>,
    change: fn(&mut Service),
) -> System {
    for spec in services(&mut system, service) {
        let build = Arc::clone(&spec.build);
        spec.build = Arc::new(move |ports, url| {
            let mut service = build(ports, url);
            change(&mut service);
            service
        });
    }
    system
}

/// Changes the assembled parts of one service, with access to its ports.
pub fn with_service_and_ports(
    mut system: System,
    service: &'static str,
    change: impl Fn(Service, &Ports) -> Service + Send + Sync + 'static,
) -> System {
    let change = Arc::new(change);
    for spec in services(&mut system, Some(service)) {
        let (build, change) = (Arc::clone(&spec.build), Arc::clone(&change));
        spec.build = Arc::new(move |ports, url| change(build(ports, url), ports));
    }
    system
}

/// The system in which the listeners of a service to these events use other ports.
pub fn with_listeners(
    mut system: System,
    service: &'static str,
    events: &'static [&'static str],
    change: fn(Ports) -> Ports,
) -> System {
    for spec in services(&mut system, Some(service)) {
        let build = Arc::clone(&spec.build);
        spec.build = Arc::new(move |ports, url| {
            let mut service = build(ports, url);
            let wrong = build(&change(ports.clone()), url);
            let both = service.listeners.iter_mut().zip(wrong.listeners);
            for (right, wrong) in both.filter(|(right, _)| events.contains(&right.event)) {
                *right = wrong;
            }
            service
        });
    }
    system
}

/// One service of a system, or every one.
pub fn services<'a>(
    system: &'a mut System,
    service: Option<&'static str>,
) -> impl Iterator<Item = &'a mut ServiceSpec> {
    system.services.iter_mut().filter(move |spec| service.is_none_or(|name| name == spec.name))
}
