//! Free ports for servers that cannot choose one themselves.
//!
//! A port is not reserved: another process may bind it first, so callers retry with another.

use std::net::{Ipv4Addr, TcpListener};

/// Below every system's ephemeral range, so that the kernel does not assign the port to an
/// outgoing connection while its server is down between a kill and a restart.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A random port on the loopback address that is free at the moment.
#[must_use]
pub fn pick() -> u16 {
    loop {
        let port = rand::random_range(RANGE);
        if is_free(port) {
            return port;
        }
    }
}

/// Whether a server can bind this port on the loopback address at the moment.
pub(crate) fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}
