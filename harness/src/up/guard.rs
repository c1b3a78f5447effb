//! The requests that are refused, because a page of another site may have sent them.
//!
//! A name of a foreign domain that resolves to this machine would let its pages read everything
//! here, so a host is an address or `localhost`. A browser tells the origin of whatever another
//! site has it send, to the services too: their cookies do not tell ports apart.

use std::net::{IpAddr, SocketAddr};

use http::{HeaderMap, header, uri::Authority};

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Foreign {
    /// The host is a name, or no address of this machine.
    #[error("the host is not the address that this program listens on")]
    Host,
    /// Another site sends the request.
    #[error("the request comes from another origin")]
    Origin,
}

/// Checks the host of a request to a program that listens on this address.
///
/// # Errors
///
/// When the request is meant for another host.
pub(super) fn host(headers: &HeaderMap, listens: SocketAddr) -> Result<(), Foreign> {
    let authority = authority(headers).ok_or(Foreign::Host)?;
    let name = authority.host();
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let is_own = match bare.parse::<IpAddr>() {
        Ok(address) => !listens.ip().is_loopback() || address.is_loopback(),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    };
    if is_own { Ok(()) } else { Err(Foreign::Host) }
}

/// Checks the origin of a request. A client that is no browser tells none.
///
/// # Errors
///
/// When a page of another origin sends it.
pub(super) fn origin(headers: &HeaderMap) -> Result<(), Foreign> {
    let Some(origin) = headers.get(header::ORIGIN) else { return Ok(()) };
    let own = authority(headers).map(|authority| format!("http://{authority}"));
    let is_own = own.is_some_and(|own| origin.as_bytes().eq_ignore_ascii_case(own.as_bytes()));
    if is_own { Ok(()) } else { Err(Foreign::Origin) }
}

fn authority(headers: &HeaderMap) -> Option<Authority> {
    headers.get(header::HOST)?.to_str().ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str, origin: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().expect("it is a value"));
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().expect("it is a value"));
        }
        headers
    }

    #[test]
    fn a_foreign_name_for_this_machine_is_refused() {
        let listens = "127.0.0.1:4000".parse().expect("it is an address");
        for own in ["127.0.0.1:4000", "localhost:4000", "[::1]:4000", "LOCALHOST:80"] {
            assert_eq!(host(&headers(own, None), listens), Ok(()), "{own}");
        }
        for foreign in [
            "shop.example:4000",
            "192.0.2.1:4000",
            "localhost.shop.example",
            "127.0.0.1.nip.example",
        ] {
            assert_eq!(host(&headers(foreign, None), listens), Err(Foreign::Host), "{foreign}");
        }
        assert_eq!(host(&HeaderMap::new(), listens), Err(Foreign::Host));
        let open = "0.0.0.0:4000".parse().expect("it is an address");
        assert_eq!(host(&headers("192.0.2.1:4000", None), open), Ok(()));
        assert_eq!(host(&headers("shop.example", None), open), Err(Foreign::Host));
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let own = "127.0.0.1:4000";
        assert_eq!(origin(&headers(own, None)), Ok(()));
        assert_eq!(origin(&headers(own, Some("http://127.0.0.1:4000"))), Ok(()));
        for foreign in
            ["http://127.0.0.1:4001", "https://127.0.0.1:4000", "null", "http://shop.example"]
        {
            assert_eq!(origin(&headers(own, Some(foreign))), Err(Foreign::Origin), "{foreign}");
        }
    }
}
