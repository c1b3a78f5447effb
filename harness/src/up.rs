//! A system in a browser: simulated, behind one local port, with a console that shows each message
//! and injects faults.
//!
//! `/_/` is the console. The subject's own page is at `/`, and every other path goes to its
//! services. The world runs on a thread of its own; real time only decides how much virtual time
//! passes.
//!
//! Next: `stage` (the world and its commands), `web` (the routes), `guard` (the requests that are
//! refused), [`console`](crate::console) (the page).

mod command;
mod feed;
mod guard;
mod stage;
mod web;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;

use crate::console::map;
use crate::subject::AnySubject;
use feed::Feed;
use stage::Stage;
use web::Site;

/// A system that listens on a port.
#[derive(Debug)]
pub struct Up {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
}

impl Up {
    /// Starts the system in simulation. `seed` determines ids and salts; `replay` is the command
    /// that replays a token.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn live(
        subject: &AnySubject,
        listen: SocketAddr,
        seed: u64,
        replay: &str,
    ) -> io::Result<Self> {
        let feed = Arc::new(Feed::default());
        let stage = Stage::open(subject, seed, Arc::clone(&feed))?;
        let (listener, address) = bind(listen).await?;
        let (subject, replay) = (subject.clone(), replay.to_owned());
        let (map, page) = (map::of(&subject), subject.page());
        let site = Site { subject, replay, feed, stage, map };
        Ok(Self { listener, address, routes: web::routes(site, page, address) })
    }

    /// Shows the page of a run that has ended.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn recorded(listen: SocketAddr, page: String) -> io::Result<Self> {
        let (listener, address) = bind(listen).await?;
        Ok(Self { listener, address, routes: web::recorded(page, address) })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the future is dropped.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub async fn serve(self) -> io::Result<()> {
        axum::serve(self.listener, self.routes).await
    }
}

async fn bind(listen: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
