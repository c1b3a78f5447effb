//! A run as people read it: the sequence diagram of its records.

pub mod diagram;
