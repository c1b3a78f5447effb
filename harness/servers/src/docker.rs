//! The `docker` source: both servers as containers, through testcontainers.
//!
//! A container outlives the process that started it unless it is removed, and testcontainers
//! removes it on drop, which never happens to a static. So three mechanisms remove it: `stop`,
//! a [`Reaper`] when the process ends, and a sweep at the next start for containers whose
//! owners are dead.

use std::collections::HashMap;
use std::error::Error;
use std::io;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};
use testcontainers::core::Mount;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ImageExt as _, TestcontainersError};
use testcontainers_modules::mongo::Mongo;
use testcontainers_modules::nats::Nats;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error::{DockerError, ServersError};
use crate::folder::is_alive;
use crate::options::Options;
use crate::progress::ProgressEvent;
use crate::reaper::Reaper;
use crate::server::Server;
use crate::source::Source;
use crate::{mongod, nats};

/// The tag of the NATS image.
const NATS_TAG: &str = "2.12.1-alpine";
/// The tag of the MongoDB image.
const MONGO_TAG: &str = "6.0.5";

/// The label with the id of the process that owns a container.
const OWNER: &str = "rehearsal.owner";
/// The label with the machine that this process runs on: several may share an engine.
const HOST: &str = "rehearsal.host";
/// Removes containers by name, with their anonymous volumes, once its input closes.
const REMOVE_CONTAINERS: &str = r#"
trap '' HUP INT TERM
read -r _
docker rm --force --volumes "$@" || { sleep 1; docker rm --force --volumes "$@"; }
"#;
/// The time limit for the engine to answer a question about its version.
const ENGINE_LIMIT: Duration = Duration::from_secs(5);

/// Both servers, answering.
pub(crate) struct Started {
    pub(crate) nats_url: String,
    pub(crate) mongo_url: String,
    pub(crate) source: Source,
    pub(crate) containers: Containers,
}

/// The running containers.
pub(crate) struct Containers {
    held: Mutex<Option<Held>>,
}

struct Held {
    nats: ContainerAsync<Nats>,
    mongo: ContainerAsync<Mongo>,
    reaper: Option<Reaper>,
}

/// The engine and its version.
async fn engine() -> Result<(Docker, String), DockerError> {
    let connect = async {
        let docker = docker_client_instance().await.map_err(no_engine)?;
        let version = docker.version().await.map_err(no_engine)?.version;
        Ok((docker, version.unwrap_or_else(|| "of unknown version".to_owned())))
    };
    timeout(ENGINE_LIMIT, connect).await.unwrap_or(Err(DockerError::EngineTimeout(ENGINE_LIMIT)))
}

fn no_engine(error: impl Error + Send + Sync + 'static) -> DockerError {
    DockerError::NoEngine(Box::new(error))
}

/// Whether the engine has this image, so that it need not be pulled.
async fn has_image(docker: &Docker, image: &str) -> bool {
    docker.inspect_image(image).await.is_ok()
}

/// The images of both servers, with their tags.
fn images() -> [String; 2] {
    [format!("nats:{NATS_TAG}"), format!("mongo:{MONGO_TAG}")]
}

/// Describes the engine and the images, without starting anything.
pub(crate) async fn examine() -> Result<Vec<String>, DockerError> {
    let (docker, version) = engine().await?;
    let mut notes = vec![format!("Docker {version}")];
    for image in images() {
        let present = has_image(&docker, &image).await;
        notes.push(format!("{image} {}", if present { "is present" } else { "will be pulled" }));
    }
    Ok(notes)
}

/// Starts both containers and waits until both servers answer.
pub(crate) async fn start(options: &Options) -> Result<Started, DockerError> {
    let (docker, engine) = engine().await?;
    sweep(&docker).await;
    for image in images() {
        if !has_image(&docker, &image).await {
            options.progress.report(ProgressEvent::Message(format!("Docker pulls {image}")));
        }
    }
    let name = format!("rehearsal-{}-{:08x}", std::process::id(), rand::random::<u32>());
    let (nats_name, mongo_name) = (format!("{name}-nats"), format!("{name}-mongo"));
    // Started before the containers, so that there is no moment at which one could leak. If
    // there is no shell, the sweep at the next start removes them.
    let names = [nats_name.as_ref(), mongo_name.as_ref()];
    let reaper = Reaper::spawn(REMOVE_CONTAINERS, &names).ok();
    let owner = [(OWNER, std::process::id().to_string()), (HOST, host_name())];
    let nats = Nats::default()
        .with_cmd(["--jetstream", "--store_dir", "/data"])
        .with_tag(NATS_TAG)
        .with_container_name(nats_name)
        .with_labels(owner.clone())
        .with_mount(Mount::tmpfs_mount("/data"))
        .start();
    let mongo = Mongo::default()
        .with_cmd([
            "--wiredTigerCacheSizeGB",
            "0.25",
            // Documents expire within a second, not within a minute.
            "--setParameter",
            "ttlMonitorSleepSecs=1",
        ])
        .with_tag(MONGO_TAG)
        .with_container_name(mongo_name)
        .with_labels(owner)
        .with_mount(Mount::tmpfs_mount("/data/db"))
        .start();
    let (nats, mongo) = tokio::try_join!(nats, mongo).map_err(no_container)?;
    let nats_host = ipv4(nats.get_host().await.map_err(no_container)?.to_string());
    let nats_port = nats.get_host_port_ipv4(4222).await.map_err(no_container)?;
    let mongo_host = ipv4(mongo.get_host().await.map_err(no_container)?.to_string());
    let mongo_port = mongo.get_host_port_ipv4(27017).await.map_err(no_container)?;
    let mongo_url = format!("mongodb://{mongo_host}:{mongo_port}/?directConnection=true");
    nats::banner(&nats_host, nats_port).await.map_err(|e| no_answer(Server::Nats, e))?;
    mongod::version(&mongo_url).await.map_err(|e| no_answer(Server::Mongo, e))?;
    Ok(Started {
        nats_url: format!("nats://{nats_host}:{nats_port}"),
        mongo_url,
        source: Source::Docker { engine, images: images() },
        containers: Containers { held: Mutex::new(Some(Held { nats, mongo, reaper })) },
    })
}

fn no_container(error: TestcontainersError) -> DockerError {
    DockerError::Container(Box::new(error))
}

fn no_answer(server: Server, error: impl Error + Send + Sync + 'static) -> DockerError {
    DockerError::NoAnswer { server, source: Box::new(error) }
}

impl Containers {
    /// Removes both containers.
    pub(crate) async fn stop(&self) -> Result<(), ServersError> {
        let Some(held) = self.held.lock().await.take() else { return Ok(()) };
        let (nats, mongo) = tokio::join!(held.nats.rm(), held.mongo.rm());
        nats.and(mongo).map_err(|error| ServersError::Containers(Box::new(error)))?;
        // It finds nothing to remove, but its shell must not stay behind.
        match held.reaper {
            Some(reaper) => reaper.clean_up().await.map_err(stop_reaper),
            None => Ok(()),
        }
    }
}

fn stop_reaper(source: io::Error) -> ServersError {
    ServersError::Io { action: "stop the reaper of the containers".to_owned(), source }
}

/// Removes containers of this machine whose owners are dead. Those that cannot be removed are
/// left to the next start.
async fn sweep(docker: &Docker) {
    let filters = HashMap::from([("label".to_owned(), vec![format!("{HOST}={}", host_name())])]);
    let options = ListContainersOptions { all: true, filters: Some(filters), ..Default::default() };
    let Ok(containers) = docker.list_containers(Some(options)).await else { return };
    for container in containers {
        let owner = container.labels.as_ref().and_then(|labels| labels.get(OWNER)?.parse().ok());
        let (Some(id), Some(owner)) = (container.id, owner) else { continue };
        if !is_alive(owner) {
            let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
            if docker.remove_container(&id, Some(options)).await.is_ok() {
                tracing::debug!(container = %id, "removed the container of a dead process");
            }
        }
    }
}

/// The mapped ports are those of IPv4, but `localhost` may resolve to IPv6 first.
fn ipv4(host: String) -> String {
    if host == "localhost" { "127.0.0.1".to_owned() } else { host }
}

fn host_name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
