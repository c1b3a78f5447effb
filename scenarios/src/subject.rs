//! Ticketing as a subject: its services from the composition root, with settings for rehearsals,
//! and its declarations for the harness.

use std::sync::Arc;
use std::time::Duration;

use contracts::{Cents, catalogue};
use harness::Subject;
use harness::bugs::PlantedBug;
use harness::invariants::Copy;
use harness::settings::{Setting, Settings};
use harness::subject::{
    CommandLine, Hold, Invariant, Launch, Name, Names, Processes, Sale, Scope, Workload, Written,
};
use harness::system::{ExternalReply, ExternalService, ServiceSpec, System};
use harness::time_scale::TimeScale;
use harness::world::Reply;
use platform::catalogue::Entry;
use ports::{Ports, Timestamp};
use ticketing::{REHEARSAL_CLAIM, SERVICES};

use crate::clients::Clients;
use crate::invariants::Evidence;
use crate::invariants::evidence::{Records as _, number, text};
use crate::model::Rule;
use crate::model::session::Sessions;
use crate::operation::{ADMINISTRATOR, Operation, title};
use crate::provider::{self, LedgerCharge, Provider};
use crate::system::{DAY, Ticketing, WINDOW};
use crate::{features, invariants, planted, scopes, system, workloads};

impl Subject for Ticketing {
    type Operation = Operation;
    type Clients = Clients;

    fn name(&self) -> &'static str {
        "the ticketing system"
    }

    fn open(&self, time: &TimeScale) -> (System, Clients) {
        self.open_with(time, &Settings::default())
    }

    fn open_with(&self, time: &TimeScale, run: &Settings) -> (System, Clients) {
        let settings = system::settings(time, run);
        let provider = Provider::new(&settings.provider.key, time);
        let service = |entry: &ticketing::Entry| {
            let (build, settings) = (entry.build, settings.clone());
            let build = move |ports: &Ports, external: &str| {
                let mut settings = settings.clone();
                external.clone_into(&mut settings.provider.url);
                build(ports, &settings)
            };
            ServiceSpec { name: entry.name, paths: entry.prefixes, build: Arc::new(build) }
        };
        let services = SERVICES.iter().map(service).collect();
        let external = Arc::new(provider.clone());
        let system = System { external, ..System::new(services, time) };
        let mut clients = Clients::new(provider, settings.reservation_window);
        clients.max_open_orders = settings.max_open_orders as usize;
        let session = settings.session;
        clients.sessions = Sessions {
            keys: [session.key].into_iter().chain(session.previous_key).collect(),
            lifetime: session.lifetime,
            secure: session.secure,
        };
        clients.admin_claim = REHEARSAL_CLAIM.to_owned();
        (system, clients)
    }

    fn settings(&self) -> &'static [Setting] {
        system::SETTINGS
    }

    fn workloads(&self) -> Vec<Workload<Operation>> {
        workloads::ALL.to_vec()
    }

    fn race(&self) -> Option<Workload<Operation>> {
        Some(workloads::RACE_WITHOUT_TIME)
    }

    fn load(&self) -> Option<Workload<Operation>> {
        Some(workloads::LOAD)
    }

    fn sale(&self) -> Option<Sale<Operation>> {
        Some(workloads::SALE)
    }

    fn invariants(&self) -> Vec<Invariant<Self>> {
        invariants::all()
    }

    fn rules(&self) -> Vec<&'static str> {
        Rule::ALL.iter().map(|rule| rule.statement()).collect()
    }

    fn events(&self) -> Vec<Entry> {
        catalogue::all()
    }

    fn copies(&self) -> &'static [Copy] {
        const TICKETS: Copy = Copy {
            of: ("tickets", "tickets"),
            at: ("orders", "tickets"),
            fields: &["title", "price", "fence", "version"],
        };
        const ORDERS: Copy = Copy {
            of: ("orders", "orders"),
            at: ("payments", "orders"),
            fields: &["userId", "price", "status", "version"],
        };
        const TIMERS: Copy =
            Copy { of: ("orders", "orders"), at: ("expiration", "timers"), fields: &["version"] };
        &[TICKETS, ORDERS, TIMERS]
    }

    fn monotonic_fields(&self) -> &'static [&'static str] {
        &["version", "fence"]
    }

    fn deadlines(&self) -> &'static [Duration] {
        &[WINDOW, DAY]
    }

    fn external(&self) -> (&'static str, &'static [(&'static str, &'static str)]) {
        ("the provider", &[("payments", "/v1/charges"), ("payments", "/v1/refunds")])
    }

    fn planted_bugs(&self) -> Vec<PlantedBug> {
        planted::ALL.to_vec()
    }

    fn scopes(&self) -> Vec<Scope<Operation>> {
        scopes::ALL.to_vec()
    }

    fn features(&self) -> &'static [(&'static str, &'static str)] {
        features::ALL
    }

    fn thing_name(&self, _: &str, number: usize) -> String {
        title(number)
    }

    fn processes(&self) -> Option<Processes> {
        Some(Processes { package: "ticketing", command_line })
    }

    fn page(&self) -> Option<axum::Router> {
        Some(storefront::routes())
    }

    fn milestone(&self, operation: &Operation, reply: &Reply) -> Option<&'static str> {
        let is_paid = matches!(operation, Operation::Pay { .. }) && reply.status() == Some(201);
        is_paid.then_some("purchase")
    }

    fn figures(&self, evidence: &Evidence<'_>) -> Vec<(&'static str, String)> {
        let orders = evidence.orders();
        let count = |wanted: &str| orders.iter().filter(|o| text(o, "status") == wanted).count();
        let holding = orders.iter().filter(|o| o.get_bool("holding").unwrap_or_default()).count();
        let ledger = evidence.ledger();
        let sum = |part: fn(&LedgerCharge) -> bool| {
            let amounts: Vec<i64> =
                ledger.iter().filter(|charge| part(charge)).map(|charge| charge.amount).collect();
            (Cents(amounts.iter().sum()), amounts.len())
        };
        let of_payments = |wanted: &[&str]| {
            let charges = evidence.order_copies().iter();
            let charges = charges.filter_map(|order| order.get_document("charge").ok());
            let charges = charges.filter(|charge| wanted.contains(&text(charge, "status")));
            let amounts: Vec<i64> = charges.map(|charge| number(charge, "amount")).collect();
            (Cents(amounts.iter().sum()), amounts.len())
        };
        let both = |(ours, charges): (Cents, usize), (theirs, entries): (Cents, usize)| {
            format!(
                "{ours} in {charges} charges, and {theirs} in {entries} in the provider's ledger"
            )
        };
        let charged = of_payments(&["completed", "refunded"]);
        vec![
            (
                "orders",
                format!(
                    "{}: {} complete, {} cancelled, {holding} hold a ticket",
                    orders.len(),
                    count("complete"),
                    count("cancelled")
                ),
            ),
            ("charged", both(charged, sum(LedgerCharge::has_moved))),
            ("refunded", both(of_payments(&["refunded"]), sum(LedgerCharge::is_refunded))),
        ]
    }

    fn hold(&self, written: &Written<'_>) -> Option<Hold> {
        let is_order = (written.service, written.collection) == (orders::NAME, "orders");
        let is_holding = written.document.get_bool("holding").unwrap_or_default();
        let id = |field: &str| written.document.get_str(field).unwrap_or_default().to_owned();
        let hold = || Hold { holder: id("userId"), thing: id("ticketId") };
        (is_order && is_holding).then(hold)
    }

    fn learn_names(&self, written: &Written<'_>, names: &mut Names) -> Option<String> {
        let text = |field: &str| written.document.get_str(field).unwrap_or_default();
        let id = text("_id");
        let user = names.plain(text("userId")).map(str::to_owned);
        match (written.service, written.collection) {
            ("auth", "users") => names.insert(id, Name::Plain(person(text("email")))),
            ("tickets", "tickets") if written.inserted => {
                names.insert(id, Name::Plain(format!("\"{}\"", text("title"))));
            }
            ("orders", "orders") if written.inserted => {
                names.insert_of(id, "order", user.as_deref().unwrap_or("an unknown buyer"));
            }
            ("payments", "orders") => {
                let charge = written.document.get_document("charge").ok();
                let charge = charge.and_then(|charge| charge.get_str("id").ok());
                if let (Some(charge), Some(user)) = (charge, &user) {
                    names.insert_of(charge, "charge", user);
                }
            }
            _ => {}
        }
        user
    }
}

/// The command line of one instance: `ticketing serve`, with the settings of rehearsals.
fn command_line(launch: &Launch<'_>) -> CommandLine {
    let settings = system::settings(launch.time, &Settings::default());
    let millis = |time: Duration| format!("{}ms", time.as_millis());
    let environment = vec![
        ("LISTEN", launch.listen.to_string()),
        ("MONGO_URL", launch.mongo_url.clone()),
        ("NATS_URL", launch.nats_url.clone()),
        ("STREAM_REPLICAS", launch.stream_replicas.to_string()),
        ("NAMESPACE", launch.namespace.clone()),
        ("STRIPE_URL", launch.external_url.clone()),
        ("STRIPE_KEY", settings.provider.key),
        ("JWT_KEY", settings.session.key),
        ("JWT_KEY_PREVIOUS", settings.session.previous_key.unwrap_or_default()),
        ("ADMIN_CLAIM", REHEARSAL_CLAIM.to_owned()),
        ("MAX_OPEN_ORDERS", settings.max_open_orders.to_string()),
        ("COOKIE_SECURE", settings.session.secure.to_string()),
        ("RESERVATION_WINDOW", millis(settings.reservation_window)),
        // Clients sign up once, and a run may last for hours.
        ("TOKEN_LIFETIME", millis(DAY)),
        ("ACK_WAIT", millis(launch.time.policy().ack_wait)),
    ];
    CommandLine { arguments: vec!["serve".to_owned(), launch.service.to_owned()], environment }
}

/// The name of the client with this email address.
fn person(email: &str) -> String {
    let local = email.split('@').next().unwrap_or_default();
    if local == "admin" {
        return ADMINISTRATOR.to_owned();
    }
    let mut letters = local.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

impl ExternalService for Provider {
    fn answer(&self, request: &http::Request<bytes::Bytes>, now: Timestamp) -> ExternalReply {
        match self.answer(request, now) {
            provider::Answer::Response(response, Duration::ZERO) => {
                ExternalReply::Response(response)
            }
            provider::Answer::Response(response, time) => ExternalReply::Slow(response, time),
            provider::Answer::Lost => ExternalReply::Lost,
            provider::Answer::Refused => ExternalReply::Refused,
        }
    }
}
