//! The other limit of a purchase: a publish that JetStream acknowledges, and one until its
//! consumer has it, by the client alone.

use std::time::{Duration, Instant};

use async_nats::jetstream::consumer::pull;
use async_nats::jetstream::{self, stream};
use futures::TryStreamExt;
use hdrhistogram::Histogram;

/// The subject and the stream of the measurement.
const NAME: &str = "contention";

/// The latencies of one kind, in microseconds.
pub(crate) struct Publishing {
    pub(crate) name: &'static str,
    pub(crate) p50: u64,
    pub(crate) p99: u64,
}

fn publishing(name: &'static str, latencies: &Histogram<u64>) -> Publishing {
    let quantile = |quantile| latencies.value_at_quantile(quantile);
    Publishing { name, p50: quantile(0.5), p99: quantile(0.99) }
}

fn record(latencies: &mut Histogram<u64>, latency: Duration) -> anyhow::Result<()> {
    Ok(latencies.record(u64::try_from(latency.as_micros())?.max(1))?)
}

pub(crate) async fn measure(url: &str, time: Duration) -> anyhow::Result<[Publishing; 2]> {
    let context = jetstream::new(async_nats::connect(url).await?);
    let config = stream::Config {
        name: NAME.to_owned(),
        subjects: vec![NAME.to_owned()],
        ..stream::Config::default()
    };
    let stream = context.create_stream(config).await?;
    let payload = bytes::Bytes::from("x".repeat(400));
    let mut acknowledged = Histogram::new(3)?;
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        context.publish(NAME, payload.clone()).await?.await?;
        record(&mut acknowledged, asked.elapsed())?;
    }
    let consumer = pull::Config {
        durable_name: Some(NAME.to_owned()),
        deliver_policy: jetstream::consumer::DeliverPolicy::New,
        ..pull::Config::default()
    };
    let mut messages = stream.create_consumer(consumer).await?.messages().await?;
    let mut consumed = Histogram::new(3)?;
    let began = Instant::now();
    while began.elapsed() < time {
        let asked = Instant::now();
        let publish = context.publish(NAME, payload.clone()).await?;
        let message = messages.try_next().await?;
        record(&mut consumed, asked.elapsed())?;
        publish.await?;
        let message = message.ok_or_else(|| anyhow::anyhow!("the consumer has ended"))?;
        message.ack().await.map_err(anyhow::Error::from_boxed)?;
    }
    context.delete_stream(NAME).await?;
    Ok([
        publishing("publish, acknowledged", &acknowledged),
        publishing("publish, until consumed", &consumed),
    ])
}
