//! What each port promises, as cases that both of its adapters pass.

pub mod bus;
pub mod store;
