//! Exports of a trace for tools that show traces: OpenTelemetry as OTLP/JSON, and Chrome trace
//! events for Perfetto.
//!
//! Both are pure functions from the records of a run to JSON: the same run gives the same bytes.
//! They read no run and write no file; [`collector`] sends one of them.
//!
//! Next: [`spans`], which both are made from.

pub mod collector;
pub mod otlp;
pub mod perfetto;
pub mod spans;
