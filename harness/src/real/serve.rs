//! Serves an instance's routes on a socket. A crash of the instance cuts its connections.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use platform::http::unknown_route;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Binds a socket. The returned future serves it, and closes all connections when dropped.
pub(super) async fn serve(
    routes: Router,
) -> io::Result<(SocketAddr, impl Future<Output = ()> + Send)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let routes = routes.fallback(unknown_route);
    let serving = async move {
        let mut connections = JoinSet::new();
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let service = TowerToHyperService::new(routes.clone());
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            connections.spawn(async move {
                // A connection that its client closed is not an error.
                drop(connection.await);
            });
            while connections.try_join_next().is_some() {}
        }
    };
    Ok((address, serving))
}
