//! The contended purchase: in simulation as schedules per second, on real servers as a multiple
//! of the time that the bare insert takes.
//!
//! `REHEARSAL_REAL=skip` leaves out the real servers.

mod real;
mod simulated;

use std::time::Duration;

use criterion::Criterion;

/// The allocator of `rehearse`.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(5))
        .configure_from_args();
    simulated::bench(&mut criterion);
    if servers::are_unwanted() {
        eprintln!("REHEARSAL_REAL=skip: the benches on real servers are left out");
    } else {
        real::bench(&mut criterion);
    }
    criterion.final_summary();
}
