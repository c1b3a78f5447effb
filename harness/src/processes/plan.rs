//! The faults of a run as plain data, drawn from its seed: which kind, which target, when, how
//! long.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

use rand::seq::{IndexedRandom as _, SliceRandom as _};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use servers::Server;

use super::external::Conduct;
use super::link::Condition;
use crate::trace::InstanceId;

/// The pause between two faults, in milliseconds.
const GAP: std::ops::Range<u64> = 150..900;

/// The duration of a fault, in milliseconds.
const LENGTH: std::ops::Range<u64> = 300..4_000;

/// The time that a killed process is down, a server suspended, and that connections to external
/// services break, in milliseconds.
const DOWN: std::ops::Range<u64> = 0..1_500;

/// The time for which a target is left alone after a fault in it has ended: a server takes a
/// while to start.
const REST: Duration = Duration::from_millis(1_500);

/// The time that a killed leader of a cluster is down and a frozen one suspended, in milliseconds:
/// often longer than the others take to elect another, which is 2 s for MongoDB and up to 9 s for
/// NATS.
const LEADER_DOWN: std::ops::Range<u64> = 500..12_000;

/// The share of faults in an instance that leave the other instances of its service alone: with
/// all of them disturbed most of the time, no work would be done that a fault could harm.
const SPARING: f64 = 0.9;

/// The delay of one chunk on a slow link, and of a slow external service, in milliseconds.
const DELAY: std::ops::Range<u64> = 20..400;

/// A fault and its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Injection {
    /// The time since the beginning of the load.
    pub at: Duration,
    /// The time until it is healed.
    pub lasts: Duration,
    /// The fault.
    pub fault: Fault,
}

/// A fault in a process, a link or an external service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// An instance is killed (`SIGKILL`) and started again.
    KillInstance(InstanceId),
    /// An instance is suspended (`SIGSTOP`).
    FreezeInstance(InstanceId),
    /// A server is killed (`SIGKILL`) and started again on its data.
    KillServer(Server),
    /// A server is suspended (`SIGSTOP`).
    FreezeServer(Server),
    /// The node of a cluster that leads is killed (`SIGKILL`) and started again on its data: of
    /// NATS the leader of the stream of events, of MongoDB the primary.
    KillLeader(Server),
    /// The node of a cluster that leads is suspended (`SIGSTOP`).
    FreezeLeader(Server),
    /// The link between an instance and a server is in this condition.
    Link(InstanceId, Server, Condition),
    /// The external services conduct themselves so.
    External(Conduct),
}

/// The part of the world that a fault is in. Two faults are never in one at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Instance(InstanceId),
    Nats(Option<InstanceId>),
    Mongo(Option<InstanceId>),
    External,
}

/// The kinds of faults.
#[derive(Debug, Clone, Copy)]
enum Kind {
    KillInstance,
    FreezeInstance,
    KillServer(Server),
    FreezeServer(Server),
    KillLeader(Server),
    FreezeLeader(Server),
    CutLink,
    SlowLink,
    HalfOpenLink,
    SlowExternal,
    FailingExternal,
    LateExternal,
    BreakingExternal,
}

/// Every kind but those in servers, and its share among the faults after the first of each kind.
const KINDS: [(Kind, u32); 9] = [
    (Kind::KillInstance, 40),
    (Kind::FreezeInstance, 6),
    (Kind::CutLink, 10),
    (Kind::SlowLink, 10),
    (Kind::HalfOpenLink, 10),
    (Kind::SlowExternal, 5),
    (Kind::FailingExternal, 5),
    (Kind::LateExternal, 5),
    (Kind::BreakingExternal, 5),
];

/// The kinds in servers that have no other beside them. Such a fault stops everything, so these
/// are rare.
const SINGLE: [(Kind, u32); 4] = [
    (Kind::KillServer(Server::Nats), 1),
    (Kind::KillServer(Server::Mongo), 1),
    (Kind::FreezeServer(Server::Nats), 1),
    (Kind::FreezeServer(Server::Mongo), 1),
];

/// The kinds in the servers of a cluster.
const CLUSTERED: [(Kind, u32); 4] = [
    (Kind::KillLeader(Server::Nats), 3),
    (Kind::KillLeader(Server::Mongo), 3),
    (Kind::FreezeLeader(Server::Nats), 3),
    (Kind::FreezeLeader(Server::Mongo), 3),
];

impl Fault {
    /// The server that the fault is in.
    pub(super) fn server(self) -> Option<Server> {
        match self {
            Self::KillServer(server)
            | Self::FreezeServer(server)
            | Self::KillLeader(server)
            | Self::FreezeLeader(server) => Some(server),
            Self::KillInstance(_)
            | Self::FreezeInstance(_)
            | Self::Link(..)
            | Self::External(_) => None,
        }
    }

    fn target(self) -> Target {
        match self {
            Self::KillInstance(id) | Self::FreezeInstance(id) => Target::Instance(id),
            Self::KillServer(server)
            | Self::FreezeServer(server)
            | Self::KillLeader(server)
            | Self::FreezeLeader(server) => match server {
                Server::Nats => Target::Nats(None),
                Server::Mongo => Target::Mongo(None),
            },
            Self::Link(id, Server::Nats, _) => Target::Nats(Some(id)),
            Self::Link(id, Server::Mongo, _) => Target::Mongo(Some(id)),
            Self::External(_) => Target::External,
        }
    }

    /// The kind and the target, for counts: `killed`, `auth`.
    pub fn label(self) -> (&'static str, &'static str) {
        let server = |server| match server {
            Server::Nats => "nats-server",
            Server::Mongo => "mongod",
        };
        let leader = |server| match server {
            Server::Nats => "leading nats-server",
            Server::Mongo => "primary mongod",
        };
        match self {
            Self::KillInstance(id) => ("killed", id.service),
            Self::FreezeInstance(id) => ("frozen", id.service),
            Self::KillServer(it) => ("killed", server(it)),
            Self::FreezeServer(it) => ("frozen", server(it)),
            Self::KillLeader(it) => ("killed", leader(it)),
            Self::FreezeLeader(it) => ("frozen", leader(it)),
            Self::Link(_, _, Condition::Cut) => ("links", "cut"),
            Self::Link(_, _, Condition::Slow(_)) => ("links", "slow"),
            Self::Link(_, _, Condition::HalfOpen) => ("links", "half-open"),
            Self::Link(_, _, Condition::Open) => ("links", "open"),
            Self::External(Conduct::Slow(_)) => ("external", "slow"),
            Self::External(Conduct::Failing) => ("external", "failing"),
            Self::External(Conduct::Late) => ("external", "late"),
            Self::External(Conduct::Breaking) => ("external", "breaking"),
            Self::External(Conduct::Well) => ("external", "well"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KillInstance(id) => write!(f, "{id} is killed"),
            Self::FreezeInstance(id) => write!(f, "{id} is frozen"),
            Self::KillServer(server) => write!(f, "{server} is killed"),
            Self::FreezeServer(server) => write!(f, "{server} is frozen"),
            Self::KillLeader(server) => write!(f, "the {server} that leads is killed"),
            Self::FreezeLeader(server) => write!(f, "the {server} that leads is frozen"),
            Self::Link(id, server, condition) => {
                write!(f, "the link of {id} to {server} is ")?;
                match condition {
                    Condition::Open => f.write_str("open"),
                    Condition::Cut => f.write_str("cut"),
                    Condition::Slow(delay) => write!(f, "slow ({delay:?})"),
                    Condition::HalfOpen => f.write_str("half-open"),
                }
            }
            Self::External(conduct) => match conduct {
                Conduct::Well => f.write_str("the external services answer at once"),
                Conduct::Slow(delay) => write!(f, "the external services take {delay:?}"),
                Conduct::Failing => f.write_str("the external services fail"),
                Conduct::Late => f.write_str("the external services answer late"),
                Conduct::Breaking => f.write_str("the external services break connections"),
            },
        }
    }
}

/// The faults of a run of this length in these instances, on a pair of servers or a cluster: the
/// same seed, the same faults. Each kind occurs once before any occurs again.
pub(super) fn draw(
    seed: u64,
    length: Duration,
    instances: &[InstanceId],
    clustered: bool,
) -> Vec<Injection> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let kinds: Vec<(Kind, u32)> =
        KINDS.into_iter().chain(if clustered { CLUSTERED } else { SINGLE }).collect();
    let mut first: Vec<Kind> = kinds.iter().map(|(kind, _)| *kind).collect();
    first.shuffle(&mut rng);
    let mut first = VecDeque::from(first);
    let mut busy: BTreeMap<Target, Duration> = BTreeMap::new();
    let (mut plan, mut at) = (Vec::new(), Duration::ZERO);
    loop {
        at += millis(&mut rng, GAP);
        if at >= length {
            return plan;
        }
        let next = first.pop_front();
        let kind = next.unwrap_or_else(|| {
            let drawn = kinds.choose_weighted(&mut rng, |(_, share)| *share);
            drawn.expect("the shares are positive").0
        });
        let is_busy = |target| busy.get(&target).is_some_and(|until| *until > at);
        let id = instance(&mut rng, instances, is_busy);
        match fault(&mut rng, kind, id, clustered).filter(|(fault, _)| !is_busy(fault.target())) {
            Some((fault, lasts)) => {
                busy.insert(fault.target(), at + lasts + REST);
                plan.push(Injection { at, lasts, fault });
            }
            None => first.extend(next),
        }
    }
}

/// An instance for the next fault; `None` where all are busy with others.
fn instance(
    rng: &mut ChaCha8Rng,
    instances: &[InstanceId],
    is_busy: impl Fn(Target) -> bool,
) -> Option<InstanceId> {
    let is_disturbed = |id: InstanceId| {
        let targets = [Target::Instance(id), Target::Nats(Some(id)), Target::Mongo(Some(id))];
        targets.into_iter().any(&is_busy)
    };
    let spares = rng.random_bool(SPARING);
    let is_fit = |id: &&InstanceId| {
        let mut same = instances.iter().filter(|other| other.service == id.service);
        if spares { !same.any(|other| is_disturbed(*other)) } else { !is_disturbed(**id) }
    };
    let fit: Vec<InstanceId> = instances.iter().filter(is_fit).copied().collect();
    fit.choose(rng).copied()
}

/// A fault of this kind and how long it lasts; `None` where it needs an instance and there is
/// none.
fn fault(
    rng: &mut ChaCha8Rng,
    kind: Kind,
    id: Option<InstanceId>,
    clustered: bool,
) -> Option<(Fault, Duration)> {
    // A replica set has no links.
    let server = if rng.random_bool(0.5) || clustered { Server::Nats } else { Server::Mongo };
    let (length, down, delay) = (millis(rng, LENGTH), millis(rng, DOWN), millis(rng, DELAY));
    Some(match kind {
        Kind::KillInstance => (Fault::KillInstance(id?), down),
        Kind::FreezeInstance => (Fault::FreezeInstance(id?), length),
        Kind::KillServer(server) => (Fault::KillServer(server), down),
        Kind::FreezeServer(server) => (Fault::FreezeServer(server), down),
        Kind::KillLeader(server) => (Fault::KillLeader(server), millis(rng, LEADER_DOWN)),
        Kind::FreezeLeader(server) => (Fault::FreezeLeader(server), millis(rng, LEADER_DOWN)),
        Kind::CutLink => (Fault::Link(id?, server, Condition::Cut), length),
        Kind::SlowLink => (Fault::Link(id?, server, Condition::Slow(delay)), length),
        Kind::HalfOpenLink => (Fault::Link(id?, server, Condition::HalfOpen), length),
        Kind::SlowExternal => (Fault::External(Conduct::Slow(delay)), length),
        Kind::FailingExternal => (Fault::External(Conduct::Failing), length),
        Kind::LateExternal => (Fault::External(Conduct::Late), length),
        Kind::BreakingExternal => (Fault::External(Conduct::Breaking), down),
    })
}

fn millis(rng: &mut ChaCha8Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(rng.random_range(range))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const INSTANCES: [InstanceId; 4] = [
        InstanceId { service: "loans", instance: 1 },
        InstanceId { service: "loans", instance: 2 },
        InstanceId { service: "returns", instance: 1 },
        InstanceId { service: "returns", instance: 2 },
    ];

    #[test]
    fn a_seed_determines_the_faults() {
        let plan = draw(7, MINUTE, &INSTANCES, false);
        assert_eq!(plan, draw(7, MINUTE, &INSTANCES, false));
        assert_ne!(plan, draw(8, MINUTE, &INSTANCES, false));
    }

    #[test]
    fn every_kind_occurs_early_and_no_target_has_two_faults_at_once() {
        for (seed, clustered) in (0..100).flat_map(|seed| [(seed, false), (seed, true)]) {
            let plan = draw(seed, MINUTE, &INSTANCES, clustered);
            let early = plan.iter().filter(|injection| injection.at < MINUTE / 2);
            let labels: BTreeSet<_> = early
                .map(|injection| match injection.fault.label() {
                    (kind, "loans" | "returns") => (kind, "an instance"),
                    label => label,
                })
                .collect();
            assert_eq!(labels.len(), KINDS.len() + SINGLE.len(), "seed {seed}: {labels:?}");
            for (number, one) in plan.iter().enumerate() {
                assert!(one.at < MINUTE);
                let earlier = plan[..number].iter();
                let mut same = earlier.filter(|o| o.fault.target() == one.fault.target());
                assert!(same.all(|other| other.at + other.lasts < one.at), "{one:?}");
            }
        }
    }

    #[test]
    fn a_cluster_has_faults_in_leaders_and_none_in_what_only_a_pair_has() {
        let plan = draw(3, MINUTE * 10, &INSTANCES, true);
        let faults: Vec<Fault> = plan.iter().map(|injection| injection.fault).collect();
        assert!(faults.contains(&Fault::KillLeader(Server::Mongo)));
        let of_a_pair = |fault: &Fault| {
            matches!(
                fault,
                Fault::KillServer(_) | Fault::FreezeServer(_) | Fault::Link(_, Server::Mongo, _)
            )
        };
        assert_eq!(faults.iter().find(|fault| of_a_pair(fault)), None);
        let longest = plan.iter().filter(|it| it.fault == Fault::FreezeLeader(Server::Nats));
        let longest = longest.map(|it| it.lasts).max().expect("it occurs");
        assert!(longest > Duration::from_secs(9), "NATS elects another within nine seconds");
    }

    #[test]
    fn most_faults_leave_one_instance_of_a_service_alone() {
        let plan = draw(1, MINUTE * 60, &INSTANCES, false);
        let instance = |fault: Fault| match fault {
            Fault::KillInstance(id) | Fault::FreezeInstance(id) | Fault::Link(id, ..) => Some(id),
            _ => None,
        };
        let of_instances: Vec<_> =
            plan.iter().filter_map(|one| Some((one, instance(one.fault)?))).collect();
        let both = of_instances.iter().enumerate().filter(|(number, (one, id))| {
            let mut earlier = of_instances[..*number].iter();
            earlier.any(|(other, of)| {
                of.service == id.service && of != id && other.at + other.lasts > one.at
            })
        });
        let (both, all) = (both.count(), of_instances.len());
        assert!(both > 0 && both < all / 4, "{both} of {all}");
    }
}
