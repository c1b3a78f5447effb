//! Differential tests: random calls on a simulation and on a real server at once. Where their
//! replies differ, the simulation is wrong.

pub mod bus;
pub mod store;
