//! The features, built into the program so that it runs where the sources are not.

/// The feature files: name and text.
pub const ALL: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/features.rs"));
