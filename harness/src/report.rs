//! Rendering of what runs returned. Nothing here decides anything.

pub mod trace;
