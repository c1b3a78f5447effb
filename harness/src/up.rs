//! A system in a browser: simulated, behind one local port, with a console that shows each message
//! and injects faults.
//!
//! `/_/` is the console. The subject's own page is at `/`, and every other path goes to its
//! services. The world runs on a thread of its own; real time only decides how much virtual time
//! passes.
//!
//! Next: `stage` (the world and its commands), `view` (a record as the console shows it),
//! `web` (the routes), `guard` (the requests that are refused).

mod command;
mod feed;
mod guard;
mod map;
mod stage;
mod view;
mod web;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use serde_json::json;
use tokio::net::TcpListener;

use crate::run::Run;
use crate::subject::AnySubject;
use feed::Feed;
use stage::Stage;
use view::Viewer;
use web::Site;

/// A system that listens on a port.
#[derive(Debug)]
pub struct Up {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
}

impl Up {
    /// Starts the system in simulation. `seed` determines ids and salts.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn live(subject: &AnySubject, listen: SocketAddr, seed: u64) -> io::Result<Self> {
        let feed = Arc::new(Feed::default());
        let stage = Stage::open(subject, seed, Arc::clone(&feed))?;
        Self::bind(subject, listen, feed, Some(stage)).await
    }

    /// Shows the records of a run that has ended.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn recorded(subject: &AnySubject, listen: SocketAddr, run: &Run) -> io::Result<Self> {
        let feed = Arc::new(Feed::unbounded());
        let mut viewer = Viewer::new(subject);
        let records = run.trace.iter().enumerate();
        feed.records(records.map(|(number, record)| viewer.view(number, record)).collect());
        let violation = run.violation();
        feed.state(&json!({
            "recorded": true,
            "now": run.trace.last().map(|record| record.at.to_string()),
            "violation": violation.map(|violation| json!({
                "invariant": subject.statement(&violation.invariant),
                "how": viewer.named(&violation.how),
            })),
        }));
        Self::bind(subject, listen, feed, None).await
    }

    async fn bind(
        subject: &AnySubject,
        listen: SocketAddr,
        feed: Arc<Feed>,
        stage: Option<Stage>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(listen).await?;
        let address = listener.local_addr()?;
        let page = stage.is_some().then(|| subject.page()).flatten();
        let site = Site { feed, stage, map: map::of(subject) };
        Ok(Self { listener, address, routes: web::routes(site, page, address) })
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
