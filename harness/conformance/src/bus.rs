//! The contract of the bus port, as cases that every adapter must pass.
//!
//! A case uses the ports only, so the same case runs in virtual time and against a server. It
//! leaves nothing behind but its namespace, which the caller removes.

mod case;
mod delivery;
mod filters;
mod fixture;
mod groups;
mod limits;
mod progress;
mod publishing;
mod pulls;
mod redelivery;
mod removal;
mod replies;
mod setup;
mod start;
mod state;
mod stream_limits;

pub use case::Case;
pub use fixture::Fixture;

/// All cases.
pub fn cases() -> Vec<Case> {
    [
        setup::CASES,
        publishing::CASES,
        delivery::CASES,
        groups::CASES,
        filters::CASES,
        redelivery::CASES,
        replies::CASES,
        start::CASES,
        progress::CASES,
        pulls::CASES,
        limits::CASES,
        removal::CASES,
        stream_limits::CASES,
        state::CASES,
    ]
    .concat()
}
