//! How a run ends: all that is broken on purpose is healed, what was put aside is replayed,
//! everything plays out, and the evidence is gathered.

use std::collections::BTreeMap;
use std::sync::Arc;

use contracts::Cents;
use harness::trace::RecordKind;
use harness::world::{Reply, World};
use http::Method;
use platform::run::Policy;
use ports::bus::Message;
use serde_json::{Value, json};

use super::{Company, PerformError};
use crate::client::Person;
use crate::invariants::Evidence;
use crate::invariants::evidence::{Sale, id};
use crate::provider::Provider;
use crate::simulate::WINDOW;

/// How often charges under way are waited for, and what was put aside is replayed, with nothing
/// in their way any more.
const REPEATS: usize = 3;

/// Ends all that is broken on purpose, lets everything play out, and gathers the evidence.
///
/// # Errors
///
/// When the system does not come to rest, or the world fails.
pub async fn rest(
    company: &Company,
    world: &mut dyn World,
    provider: &Provider,
    policy: &Policy,
    exact: bool,
) -> Result<Evidence, PerformError> {
    let mut evidence = come_to_rest(world, provider, policy, exact, &company.shown).await?;
    evidence.told.clone_from(&company.told);
    evidence.window = Some(WINDOW);
    Ok(evidence)
}

/// Ends as [`rest`] does, and then lets somebody new look around.
///
/// # Errors
///
/// As [`rest`].
pub async fn conclude(
    company: &Company,
    world: &mut dyn World,
    provider: &Provider,
    policy: &Policy,
    exact: bool,
) -> Result<Evidence, PerformError> {
    let mut evidence = rest(company, world, provider, policy, exact).await?;
    evidence.sale = look_around(world, &evidence).await;
    Ok(evidence)
}

/// Comes to rest as [`rest`] does, for buyers of whom only the prices are known that they were
/// shown, by order id.
///
/// # Errors
///
/// As [`rest`].
pub async fn come_to_rest(
    world: &mut dyn World,
    provider: &Provider,
    policy: &Policy,
    exact: bool,
    shown: &BTreeMap<String, Cents>,
) -> Result<Evidence, PerformError> {
    world.faults().heal();
    provider.heal();
    world.quiesce().await?;
    replay_dead_letters(world).await?;
    let mut evidence = Evidence::gather(world, exact, provider.charges(), shown.clone()).await?;
    for _ in 0..REPEATS {
        if !evidence.is_money_under_way() {
            break;
        }
        // The record goes on.
        evidence.trace = Arc::default();
        world.pass(policy.sweep).await;
        world.quiesce().await?;
        evidence = Evidence::gather(world, exact, provider.charges(), shown.clone()).await?;
    }
    // All of them were handled now, or never will be: no copy has an excuse.
    evidence.given_up.clear();
    Ok(evidence)
}

/// Publishes what was put aside again, as somebody does who has seen to what was wrong.
async fn replay_dead_letters(world: &mut dyn World) -> Result<(), PerformError> {
    let mut replayed = 0;
    for _ in 0..REPEATS {
        let letters = world.dead_letters().await?;
        if letters.len() == replayed {
            break;
        }
        for (number, letter) in letters.iter().enumerate().skip(replayed) {
            let id = format!("{}-replayed-{number}", letter.message.id);
            world.publish(Message { id, ..letter.message.clone() }).await?;
        }
        replayed = letters.len();
        world.quiesce().await?;
    }
    Ok(())
}

/// Lets somebody new look at what is for sale and try to have it. What comes of it is part of
/// the evidence only as an answer: the documents and the record were gathered before.
async fn look_around(world: &mut dyn World, evidence: &Evidence) -> Option<Sale> {
    let text = "somebody new looks at what is for sale, and tries to have it".to_owned();
    world.trace().add(world.now(), None, RecordKind::Step { text });
    let mut guest = Person::new("guest@example.org");
    let body = json!({ "email": guest.email, "password": "password" });
    let sign_up = guest.request(Method::POST, "/api/users/signup", &body);
    let list = guest.request(Method::GET, "/api/tickets", &Value::Null);
    let replies = world.send(vec![sign_up, list]).await;
    guest.absorb(replies.first()?);
    let listed = replies.last()?.json();
    let listed = listed.as_array()?.iter().filter_map(|ticket| ticket["id"].as_str());
    let listed = listed.map(str::to_owned).collect();
    let tickets: Vec<String> =
        evidence.tickets.iter().map(|ticket| id(ticket).to_owned()).collect();
    let reserve = |ticket: &String| {
        guest.request(Method::POST, "/api/orders", &json!({ "ticketId": ticket }))
    };
    let replies = world.send(tickets.iter().map(reserve).collect()).await;
    let answers = replies.iter().map(Reply::status);
    let offered = tickets.into_iter().zip(answers).collect();
    // Where time has passed meanwhile, a hold may have ended.
    let still = !evidence.exact || world.now() == evidence.now;
    still.then_some(Sale { listed, offered })
}
