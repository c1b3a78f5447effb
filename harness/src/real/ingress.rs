//! The ingress: sends a client's request to an instance over HTTP.

use std::net::SocketAddr;

use bytes::Bytes;

use crate::world::Reply;

/// Sends a request to the instance at this address.
pub(super) async fn send(
    client: &reqwest::Client,
    address: SocketAddr,
    request: http::Request<Bytes>,
) -> Reply {
    match exchange(client, address, request).await {
        Ok(response) => Reply::Answer(response),
        Err(error) => Reply::Unanswered(error.to_string()),
    }
}

/// Sends a request to this address and reads the whole response.
///
/// # Errors
///
/// Of the client.
pub(crate) async fn exchange(
    client: &reqwest::Client,
    address: SocketAddr,
    request: http::Request<Bytes>,
) -> Result<http::Response<Bytes>, reqwest::Error> {
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let absolute = format!("http://{address}{path}");
    parts.uri = absolute.parse().expect("an address and a path are a URI");
    let request = reqwest::Request::try_from(http::Request::from_parts(parts, body))?;
    let response = client.execute(request).await?;
    let mut answer = http::Response::new(Bytes::new());
    *answer.status_mut() = response.status();
    answer.headers_mut().clone_from(response.headers());
    *answer.body_mut() = response.bytes().await?;
    Ok(answer)
}
