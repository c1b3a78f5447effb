//! The worth of a confirmed acknowledgement when the broker is killed.

use std::collections::BTreeMap;
use std::time::Duration;

use adapters::jetstream::JetStream;
use adapters::system::SystemClock;
use bytes::Bytes;
use libtest_mimic::Failed;
use ports::Timestamp;
use ports::bus::{Bus, Consumer, Delivery, Group, Message, Start, Stream};
use ports::clock::Clock;
use servers::{Options, Server, ServersError};
use sim::bus::{SimBroker, SimBus};
use sim::clock::SimClock;
use sim::kernel::{Kernel, drive};
use sim::scheduler::Fifo;

/// The time after which an acknowledgement survives a kill.
const WRITTEN: Duration = Duration::from_millis(600);
/// The number of times that the server may happen to write before it is killed.
const ATTEMPTS: u32 = 5;

fn consumer() -> Consumer {
    Consumer {
        name: "g".to_owned(),
        stream: Stream::Events,
        subjects: Vec::new(),
        group: Group::Durable,
        start: Start::All,
        ack_wait: Duration::from_secs(1),
        max_deliver: None,
        max_in_flight: 16,
    }
}

/// Publishes a message, and acknowledges its delivery.
async fn acknowledge(bus: &dyn Bus) -> Result<(), Failed> {
    let message = Message {
        subject: "a.b".to_owned(),
        id: String::new(),
        headers: BTreeMap::new(),
        payload: Bytes::new(),
    };
    let sequence = bus.publish(Stream::Events, message).await?.sequence;
    let delivery = bus.subscribe(consumer()).await?.next().await?;
    if delivery.sequence != sequence {
        return Err(format!("message {} instead of {sequence}", delivery.sequence).into());
    }
    Ok(delivery.reply.ack().await?)
}

/// The delivery of a message that was acknowledged already; settles it.
async fn again(bus: &dyn Bus, clock: &dyn Clock) -> Result<bool, Failed> {
    let mut open = bus.subscribe(consumer()).await?;
    let delivered = clock.within(Duration::from_secs(4), open.next()).await.transpose()?;
    let Some(Delivery { reply, .. }) = delivered else { return Ok(false) };
    reply.ack().await?;
    clock.sleep(WRITTEN).await;
    Ok(true)
}

/// An acknowledgement that was confirmed just before a kill is lost, a little later it is not.
pub(super) fn simulated() -> Result<(), Failed> {
    let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Fifo));
    let broker = SimBroker::default();
    let bus = SimBus::new(kernel.clone(), 1, broker.clone());
    let clock = SimClock(kernel.clone());
    drive(&kernel, async move {
        bus.ensure().await?;
        for (pause, comes_again) in [(Duration::from_millis(50), true), (WRITTEN, false)] {
            acknowledge(&bus).await?;
            (&clock as &dyn Clock).sleep(pause).await;
            broker.lose_tail(0, clock.now());
            if again(&bus, &clock).await? != comes_again {
                return Err(format!("after {pause:?}: expected {comes_again}").into());
            }
        }
        Ok(())
    })
}

/// The same on a server of its own.
pub(super) async fn real() -> Result<(), Failed> {
    let servers = servers::start(&Options::from_env()?).await?;
    // Servers at given URLs are not ours to kill.
    if let Err(ServersError::NotOwned { .. }) = servers.restart(Server::Nats).await {
        return Ok(());
    }
    let bus = JetStream::connect(&servers.nats_url, "kill").await?;
    bus.ensure().await?;
    let mut lost = false;
    for _ in 0..ATTEMPTS {
        acknowledge(&bus).await?;
        servers.kill(Server::Nats).await?;
        servers.restart(Server::Nats).await?;
        lost |= again(&bus, &SystemClock).await?;
        if lost {
            break;
        }
    }
    if !lost {
        return Err("no acknowledgement is lost, although the server was killed".into());
    }
    acknowledge(&bus).await?;
    (&SystemClock as &dyn Clock).sleep(WRITTEN).await;
    servers.kill(Server::Nats).await?;
    servers.restart(Server::Nats).await?;
    match again(&bus, &SystemClock).await? {
        true => Err("an acknowledgement is lost although it was written".into()),
        false => Ok(()),
    }
}
