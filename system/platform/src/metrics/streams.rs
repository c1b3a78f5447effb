//! The gauges of the streams: what they hold, and the limits that they approach.
//!
//! They are read when the text is rendered, so they are those of the bus, the same in every
//! process. Where the bus does not answer they are missing instead of old.

use std::fmt;

use ports::Timestamp;
use ports::bus::StreamState;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Unit;

/// The streams by name.
#[derive(Debug)]
pub(super) struct Streams(pub(super) Vec<(&'static str, StreamState)>);

impl Streams {
    /// Writes one gauge of every stream that has it.
    fn gauge(
        &self,
        encoder: &mut DescriptorEncoder,
        (name, help, unit): (&str, &str, Option<&Unit>),
        value: impl Fn(&StreamState) -> Option<i64>,
    ) -> fmt::Result {
        let mut gauge = encoder.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (stream, state) in &self.0 {
            if let Some(value) = value(state) {
                gauge.encode_family(&[("stream", *stream)])?.encode_gauge(&value)?;
            }
        }
        Ok(())
    }
}

impl Collector for Streams {
    fn encode(&self, mut encoder: DescriptorEncoder) -> fmt::Result {
        let encoder = &mut encoder;
        let whole = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        let (seconds, bytes) = (Some(&Unit::Seconds), Some(&Unit::Bytes));
        let messages = ("stream_messages", "Messages in the stream", None);
        self.gauge(encoder, messages, |state| Some(whole(state.messages)))?;
        let held = ("stream", "Bytes in the stream before compression", bytes);
        self.gauge(encoder, held, |state| Some(whole(state.bytes)))?;
        let most = ("stream_limit", "Bytes at which the stream refuses messages", bytes);
        self.gauge(encoder, most, |state| state.limits.max_bytes.map(whole))?;
        let oldest =
            ("stream_oldest", "Time of the oldest message since the epoch, 0 for none", seconds);
        self.gauge(encoder, oldest, |state| Some(state.oldest.map_or(0, Timestamp::as_second)))?;
        let age = ("stream_limit_age", "Age at which a message leaves the stream", seconds);
        self.gauge(encoder, age, |state| state.limits.max_age.map(|age| whole(age.as_secs())))
    }
}
