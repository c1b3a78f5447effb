//! Free ports for servers that cannot choose one themselves.
//!
//! It promises nothing: another process may take the port first, so whoever uses one tries
//! again with another.

use std::net::{Ipv4Addr, TcpListener};

/// Below every system's ephemeral range, so that the kernel does not hand the port to an
/// outgoing connection while its server is down between a kill and a restart.
const RANGE: std::ops::Range<u16> = 15_000..32_000;

/// A port on the loopback address that nobody listens on just now.
pub(super) fn pick() -> u16 {
    loop {
        let port = rand::random_range(RANGE);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
