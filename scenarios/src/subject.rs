//! Ticketing as a subject: its services from the composition root, with settings for rehearsals,
//! and its declarations for the harness.

use std::sync::Arc;
use std::time::Duration;

use contracts::catalogue;
use harness::Subject;
use harness::bugs::PlantedBug;
use harness::invariants::Copy;
use harness::settings::{Setting, Settings};
use harness::subject::{Invariant, Name, Names, Scope, Workload, Written};
use harness::system::{ExternalReply, ExternalService, ServiceSpec, System};
use harness::time_scale::TimeScale;
use platform::catalogue::Entry;
use ports::{Ports, Timestamp};
use ticketing::{REHEARSAL_CLAIM, SERVICES};

use crate::clients::Clients;
use crate::model::Rule;
use crate::model::session::Sessions;
use crate::operation::{ADMINISTRATOR, Operation, title};
use crate::provider::{self, Provider};
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
            fields: &["title", "price", "version"],
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
