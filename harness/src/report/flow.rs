//! Flow coverage in words.

use crate::subject::flow::{Flow, Way};

/// The share of the declared edges that a run has used.
pub fn share(flow: &Flow) -> String {
    format!("{} of {} edges between services and events used", flow.used(), flow.possible())
}

/// The declared edges that no run has used, and the used ones that nobody declares; each is a
/// service, a verb and the name of an event.
pub fn gaps(flow: &Flow, name: impl Fn(&str) -> String) -> Vec<String> {
    let edge = |(service, way, subject): (&str, Way, &str)| {
        let verb = match way {
            Way::Publishes => "publishes",
            Way::Receives => "receives",
        };
        format!("{service} {verb} {}", name(subject))
    };
    let unused = flow.unused().map(|gap| format!("not used: {}", edge(gap)));
    let undeclared = flow.undeclared().map(|gap| format!("not declared: {}", edge(gap)));
    undeclared.chain(unused).collect()
}
