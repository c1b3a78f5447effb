//! A system in a browser: in simulation or on real servers, behind one local port, with a console
//! that shows each message and injects faults.
//!
//! `/_/` is the console. The subject's own page is at `/`, and every other path goes to its
//! services. The world runs on a thread of its own; in simulation, real time only decides how much
//! virtual time passes.
//!
//! Next: `stage` (the world as the routes reach it), `playing` (its commands and its feed), `live`
//! (what differs between the worlds), `web` (the routes), `guard` (the requests that are refused),
//! [`supervisor`] (rebuilds and replaces the program), [`console`](crate::console) (the page).

mod ask;
mod command;
mod feed;
mod guard;
mod journal;
mod live;
mod playing;
mod stage;
pub mod supervisor;
mod web;

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use servers::Servers;
use tokio::net::TcpListener;

use crate::console::map;
use crate::settings::Settings;
use crate::subject::AnySubject;
use crate::time_scale::TimeScale;
use feed::Feed;
use journal::Journal;
use live::{InSimulation, Live, OnServers};
use stage::Stage;
use web::Site;

pub use live::Outage;
pub use stage::StageError;

/// The world of a system that goes on.
#[derive(Debug)]
pub enum Place {
    /// In this process and in virtual time; the seed determines ids and salts.
    Simulation {
        /// The seed.
        seed: u64,
        /// The file in which requests and commands are kept; those that it has are played again.
        journal: Option<PathBuf>,
    },
    /// On a real nats-server and mongod.
    Servers {
        /// The servers.
        servers: &'static Servers,
        /// Prefix of the databases and streams. Those that exist are kept.
        namespace: String,
        /// The divisor of the system's deadlines.
        time_scale: u32,
    },
}

impl Place {
    /// The world as the console names it.
    fn shown(&self) -> map::World {
        match self {
            Self::Simulation { .. } => map::World::Simulated,
            Self::Servers { time_scale, .. } => map::World::Real { time_scale: *time_scale },
        }
    }
}

/// A system that listens on a port.
pub struct Up {
    listener: TcpListener,
    address: SocketAddr,
    routes: Router,
    /// The world; `None` for the page of a run that has ended.
    live: Option<(Stage, Arc<Feed>)>,
}

/// Why a system cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The socket failed.
    #[error(transparent)]
    Socket(#[from] io::Error),
    /// The world cannot go on.
    #[error(transparent)]
    Outage(#[from] Outage),
    /// The world panicked.
    #[error("the world panicked")]
    Panicked,
}

impl Up {
    /// Starts the system and shows it on this socket. `replay` is the command that replays a token.
    ///
    /// # Errors
    ///
    /// When the world does not start, or the socket cannot be used.
    pub async fn live(
        subject: &AnySubject,
        listener: StdListener,
        place: Place,
        replay: &str,
    ) -> Result<Self, StageError> {
        let feed = Arc::new(Feed::default());
        let world = place.shown();
        let journal = match &place {
            Place::Simulation { journal: Some(path), .. } => Some(Journal::open(path)?),
            _ => None,
        };
        let played = subject.clone();
        let start = move || start(played, place);
        let stage = Stage::open(subject, Arc::clone(&feed), journal, start).await?;
        let (listener, address) = listen(listener)?;
        let (system, _) = subject.open(&TimeScale::simulated(), &Settings::default());
        let (map, page) = (map::of(subject, &world), subject.page());
        let site = Site {
            subject: subject.clone(),
            replay: replay.to_owned(),
            feed: Arc::clone(&feed),
            stage: stage.clone(),
            map,
            system,
            run: started(),
        };
        let routes = web::routes(site, page, address);
        Ok(Self { listener, address, routes, live: Some((stage, feed)) })
    }

    /// Shows the page of a run that has ended.
    ///
    /// # Errors
    ///
    /// When the socket cannot be used.
    pub fn recorded(listener: StdListener, page: String) -> io::Result<Self> {
        let (listener, address) = listen(listener)?;
        Ok(Self { listener, address, routes: web::recorded(page, address), live: None })
    }

    /// The address that it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the world ends or `interrupted` completes, and then releases what the world has
    /// on servers.
    ///
    /// # Errors
    ///
    /// When the socket fails, or the world cannot go on.
    pub async fn serve(self, interrupted: impl Future<Output = ()>) -> Result<(), ServeError> {
        let served = axum::serve(self.listener, self.routes);
        let Some((stage, _)) = self.live else {
            return tokio::select! {
                served = served => Ok(served?),
                () = interrupted => Ok(()),
            };
        };
        tokio::select! {
            served = served => served?,
            outage = stage.outage() => return Err(outage.map_or(ServeError::Panicked, Into::into)),
            () = interrupted => stage.end().await,
        }
        Ok(())
    }

    /// Shows the state of the build of the next program, a JSON object, in the console.
    pub fn builds(&self) -> impl Fn(String) + Send + use<> {
        let feed = self.live.as_ref().map(|(_, feed)| Arc::clone(feed));
        move |state| {
            if let Some(feed) = &feed {
                feed.build(state);
            }
        }
    }
}

/// The world of this place.
async fn start(
    subject: AnySubject,
    place: Place,
) -> Result<Box<dyn Live>, crate::world::WorldError> {
    Ok(match place {
        Place::Simulation { seed, .. } => Box::new(InSimulation::start(&subject, seed)),
        Place::Servers { servers, namespace, time_scale } => {
            Box::new(OnServers::start(&subject, servers, namespace, time_scale).await?)
        }
    })
}

fn listen(listener: StdListener) -> io::Result<(TcpListener, SocketAddr)> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A name of this start, which no other start has.
fn started() -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("{:x}-{:x}", std::process::id(), now.as_nanos())
}
