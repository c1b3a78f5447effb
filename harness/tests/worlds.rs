//! The contract of [`World`], on the simulated and on the real one: starts, crashes, restarts
//! and faults behave alike.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::LocalBoxFuture;
use harness::faults::{Effect, FaultRule, Operation, Port};
use harness::real::Real;
use harness::settings::Settings;
use harness::simulated::Simulated;
use harness::system::{ExternalReply, ExternalService, ServiceSpec, System};
use harness::trace::{InstanceId, RecordKind};
use harness::world::{Reply, World, WorldError};
use libtest_mimic::{Arguments, Failed, Trial};
use platform::collection::CollectionSpec;
use platform::run::Policy;
use platform::service::Service;
use ports::{Ports, Timestamp};
use sim::scheduler::Random;
use tokio::runtime::Runtime;

/// Number of schedules for each case in simulation.
const SEEDS: u64 = 20;

/// Name of the only service and of its only collection.
const READER: &str = "reader";

/// A check of one world.
type Case = for<'a> fn(&'a mut dyn World) -> LocalBoxFuture<'a, ()>;

const CASES: [(&str, Case); 7] = [
    ("an instance answers until it crashes", |w| Box::pin(answers_until_it_crashes(w))),
    ("a fault crashes an instance", |w| Box::pin(a_fault_crashes_an_instance(w))),
    ("a crashed instance is replaced", |w| Box::pin(a_crashed_instance_is_replaced(w))),
    ("a crash during the start ends it", |w| Box::pin(a_crash_during_the_start_ends_it(w))),
    ("a failed start is retried", |w| Box::pin(a_failed_start_is_retried(w))),
    ("a restart replaces all instances", |w| Box::pin(a_restart_replaces_all_instances(w))),
    ("an unknown service is an error", |w| Box::pin(an_unknown_service_is_an_error(w))),
];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for (name, case) in CASES {
        trials.push(Trial::test(format!("simulated::{name}"), move || on_simulated(case)));
        let real = Trial::test(format!("real::{name}"), move || on_real(case));
        trials.push(real.with_ignored_flag(servers::are_unwanted()));
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn on_simulated(case: Case) -> Result<(), Failed> {
    for seed in 0..SEEDS {
        let mut world = Simulated::start(system(), seed, Box::new(Random::new(seed)));
        case(&mut world).now_or_never().expect("a simulated world never waits for real events");
    }
    Ok(())
}

fn on_real(case: Case) -> Result<(), Failed> {
    static RUNTIME: LazyLock<Runtime> =
        LazyLock::new(|| Runtime::new().expect("the system provides threads"));
    RUNTIME.block_on(async {
        let mut world = Real::start(system(), servers::shared().await?).await?;
        case(&mut world).await;
        world.end().await;
        Ok(())
    })
}

/// A system of one service that reads its collection for every request.
fn system() -> System {
    let reader = ServiceSpec { name: READER, paths: &["/read"], build: Arc::new(reader) };
    let external = Arc::new(NoExternalService);
    let settings = Settings::default();
    System {
        services: vec![reader],
        external,
        policy: Policy::default(),
        settings,
        events: Arc::default(),
        decorator: None,
    }
}

fn reader(ports: &Ports, _: &str) -> Service {
    let store = Arc::clone(&ports.store);
    let read = move || {
        let store = Arc::clone(&store);
        async move {
            match store.get(READER, "one").await {
                Ok(_) => StatusCode::OK,
                Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            }
        }
    };
    Service {
        name: READER,
        paths: &["/read"],
        routes: Router::new().route("/read", get(read)),
        declared: Vec::new(),
        collections: vec![CollectionSpec { name: READER, indexes: Vec::new() }],
        listeners: Vec::new(),
        tasks: Vec::new(),
    }
}

struct NoExternalService;

impl ExternalService for NoExternalService {
    fn answer(&self, _: &http::Request<Bytes>, _: Timestamp) -> ExternalReply {
        ExternalReply::Refused
    }
}

async fn read(world: &mut dyn World) -> Option<u16> {
    let request = http::Request::get("/read").body(Bytes::new()).expect("the request is valid");
    let replies = world.send(vec![request]).await;
    let [reply] = <[Reply; 1]>::try_from(replies).expect("one request has one reply");
    reply.status()
}

/// Injects an effect into the next call of this operation.
fn inject(world: &mut dyn World, operation: Operation, effect: Effect) {
    let (service, target) = (None, None);
    world.faults().add(FaultRule { service, operation, target, skip: 0, times: 1, effect });
}

fn count(world: &mut dyn World, kind: fn(&RecordKind) -> bool) -> usize {
    world.trace().records().iter().filter(|record| kind(&record.kind)).count()
}

fn crashes(world: &mut dyn World) -> usize {
    count(world, |kind| matches!(kind, RecordKind::Crash))
}

fn starts(world: &mut dyn World) -> usize {
    count(world, |kind| matches!(kind, RecordKind::Start))
}

async fn answers_until_it_crashes(world: &mut dyn World) {
    assert_eq!((world.instances(READER), read(world).await), (1, Some(200)));
    world.faults().cut(None, Port::Store);
    assert_eq!(read(world).await, Some(503), "the store is unreachable");
    world.faults().heal();
    assert_eq!(world.crash(READER).await, 1);
    assert_eq!((world.instances(READER), read(world).await), (0, None));
    world.start(READER).await.expect("the service starts");
    assert_eq!((world.instances(READER), read(world).await), (1, Some(200)));
    let first = InstanceId { service: READER, instance: 1 };
    let records = world.trace().records();
    let crash = records.iter().find(|record| matches!(record.kind, RecordKind::Crash));
    assert_eq!(crash.and_then(|record| record.instance), Some(first));
}

async fn a_fault_crashes_an_instance(world: &mut dyn World) {
    inject(world, Operation::Read, Effect::CrashBefore);
    assert_eq!(read(world).await, None);
    world.quiesce().await.expect("no work is left");
    assert_eq!((world.instances(READER), crashes(world)), (0, 1));
    assert!(world.faults().not_injected().is_empty());
}

async fn a_crashed_instance_is_replaced(world: &mut dyn World) {
    world.revive();
    inject(world, Operation::Read, Effect::CrashBefore);
    assert_eq!(read(world).await, None);
    world.quiesce().await.expect("the replacement starts");
    assert_eq!((world.instances(READER), read(world).await), (1, Some(200)));
    assert_eq!((starts(world), crashes(world)), (2, 1));
}

async fn a_crash_during_the_start_ends_it(world: &mut dyn World) {
    inject(world, Operation::Open, Effect::CrashBefore);
    world.start(READER).await.expect("a crash is no failure of the world");
    assert_eq!((world.instances(READER), starts(world), crashes(world)), (1, 1, 1));
    world.revive();
    inject(world, Operation::Open, Effect::CrashAfter);
    world.start(READER).await.expect("the start begins");
    world.quiesce().await.expect("the replacement starts");
    assert_eq!((world.instances(READER), starts(world), crashes(world)), (2, 2, 2));
}

async fn a_failed_start_is_retried(world: &mut dyn World) {
    inject(world, Operation::Open, Effect::Fail);
    let error = world.start(READER).await.expect_err("the start fails");
    assert!(matches!(error, WorldError::Start { .. }), "{error}");
    world.revive();
    inject(world, Operation::Open, Effect::Fail);
    inject(world, Operation::Open, Effect::Fail);
    world.start(READER).await.expect("the start begins");
    world.quiesce().await.expect("a later attempt succeeds");
    assert_eq!(world.instances(READER), 2);
}

async fn a_restart_replaces_all_instances(world: &mut dyn World) {
    world.start(READER).await.expect("the service starts");
    assert_eq!(world.instances(READER), 2);
    world.restart(READER).await.expect("the service is known");
    world.pass(Duration::from_secs(1)).await;
    world.quiesce().await.expect("the new instance starts");
    assert_eq!((world.instances(READER), crashes(world), starts(world)), (1, 2, 3));
}

async fn an_unknown_service_is_an_error(world: &mut dyn World) {
    let errors = [
        world.start("nobody").await.unwrap_err(),
        world.restart("nobody").await.unwrap_err(),
        world.documents("nobody", READER).await.unwrap_err(),
    ];
    for error in errors {
        assert!(matches!(error, WorldError::NoSuchService(_)), "{error}");
    }
    assert_eq!(world.instances(READER), 1, "nothing was crashed");
}
