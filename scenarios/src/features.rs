//! The features, embedded so that the program runs without its sources.

/// The feature files: name and text.
pub const ALL: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/features.rs"));
