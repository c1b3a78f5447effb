//! The contract of the store port, as cases that MongoDB and its simulation must pass.
//!
//! Each case runs on an empty database of its own. Where the two could differ, MongoDB defines
//! the contract. The cases name no service; they are the rules that services rely on.

mod case;
mod expiry;
mod field_order;
mod filters;
mod finds;
mod indexes;
mod limits;
mod names;
mod ordering;
mod paths;
mod races;
mod several;
mod updates;
mod upserts;
mod writes;

pub use case::{Case, Exact};

/// All cases.
pub fn cases() -> Vec<Case> {
    let groups = [
        writes::cases(),
        filters::cases(),
        paths::cases(),
        updates::cases(),
        field_order::cases(),
        upserts::cases(),
        several::cases(),
        indexes::cases(),
        expiry::cases(),
        names::cases(),
        limits::cases(),
        ordering::cases(),
        races::cases(),
        finds::cases(),
    ];
    groups.into_iter().flatten().collect()
}
