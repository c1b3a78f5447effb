//! Both servers as containers on a Docker engine, through testcontainers.
//!
//! A container outlives the process that started it unless somebody removes it, and a
//! static is never dropped. So three things do: `stop`, a [`Will`] for an end of any kind,
//! and a sweep at the next start of containers whose owners are gone.

use std::collections::HashMap;
use std::time::Duration;

use testcontainers::bollard::Docker;
use testcontainers::bollard::query_parameters::{ListContainersOptions, RemoveContainerOptions};
use testcontainers::core::Mount;
use testcontainers::core::client::docker_client_instance;
use testcontainers::runners::AsyncRunner as _;
use testcontainers::{ContainerAsync, ImageExt as _};
use testcontainers_modules::mongo::Mongo;
use testcontainers_modules::nats::Nats;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::error::{DockerError, ServersError};
use super::folder::is_alive;
use super::options::Options;
use super::progress::Event;
use super::reaper::Will;
use super::{Server, mongod, nats};

/// The NATS image's tag.
pub(super) const NATS_TAG: &str = "2.12.1-alpine";
/// The MongoDB image's tag.
pub(super) const MONGO_TAG: &str = "6.0.5";

/// The id of the process that a container belongs to, and the machine it runs on: an engine
/// may serve several.
const OWNER: &str = "rehearsal.owner";
const HOST: &str = "rehearsal.host";
/// An engine that does not answer a question about its version by then is none.
const PATIENCE: Duration = Duration::from_secs(5);

/// The running containers.
pub(super) struct Containers {
    pub(super) nats_url: String,
    pub(super) mongo_url: String,
    /// The engine's version.
    pub(super) engine: String,
    held: Mutex<Option<Held>>,
}

struct Held {
    nats: ContainerAsync<Nats>,
    mongo: ContainerAsync<Mongo>,
    will: Option<Will>,
}

/// The engine, and its version.
pub(super) async fn engine() -> Result<(Docker, String), DockerError> {
    let ask = async {
        let docker = docker_client_instance().await.map_err(|error| error.to_string())?;
        let version = docker.version().await.map_err(|error| error.to_string())?;
        Ok((docker, version.version.unwrap_or_else(|| "of unknown version".to_owned())))
    };
    timeout(PATIENCE, ask)
        .await
        .unwrap_or_else(|_| Err(format!("it did not answer in {PATIENCE:?}")))
        .map_err(DockerError::NoEngine)
}

/// Whether the engine has the image already, so that nothing needs to be pulled.
pub(super) async fn has_image(docker: &Docker, image: &str) -> bool {
    docker.inspect_image(image).await.is_ok()
}

/// The images that are asked for, with their tags.
pub(super) fn images() -> [String; 2] {
    [format!("nats:{NATS_TAG}"), format!("mongo:{MONGO_TAG}")]
}

/// Starts both containers and waits until both servers answer.
pub(super) async fn start(options: &Options) -> Result<Containers, DockerError> {
    let (docker, engine) = engine().await?;
    sweep(&docker).await;
    for image in images() {
        if !has_image(&docker, &image).await {
            options.progress.tell(Event::Line(format!("Docker pulls {image}")));
        }
    }
    let name = format!("rehearsal-{}-{:08x}", std::process::id(), rand::random::<u32>());
    let (nats_name, mongo_name) = (format!("{name}-nats"), format!("{name}-mongo"));
    // Before the containers, so that there is no moment in which one could be left behind.
    // Without a shell the sweep at the next start has to do.
    let will = Will::remove_containers(&[&nats_name, &mongo_name]).ok();
    let owner = [(OWNER, std::process::id().to_string()), (HOST, host())];
    let nats = Nats::default()
        .with_cmd(["--jetstream", "--store_dir", "/data"])
        .with_tag(NATS_TAG)
        .with_container_name(nats_name)
        .with_labels(owner.clone())
        .with_mount(Mount::tmpfs_mount("/data"))
        .start();
    let mongo = Mongo::default()
        .with_cmd(["--wiredTigerCacheSizeGB", "0.25"])
        .with_tag(MONGO_TAG)
        .with_container_name(mongo_name)
        .with_labels(owner)
        .with_mount(Mount::tmpfs_mount("/data/db"))
        .start();
    let (nats, mongo) = tokio::try_join!(nats, mongo)?;
    let nats_host = address(nats.get_host().await?.to_string());
    let nats_port = nats.get_host_port_ipv4(4222).await?;
    let mongo_host = address(mongo.get_host().await?.to_string());
    let mongo_port = mongo.get_host_port_ipv4(27017).await?;
    let mongo_url = format!("mongodb://{mongo_host}:{mongo_port}/?directConnection=true");
    let no_answer = |server, reason: &dyn ToString| DockerError::NoAnswer {
        server,
        reason: reason.to_string(),
    };
    nats::banner(&nats_host, nats_port).await.map_err(|error| no_answer(Server::Nats, &error))?;
    mongod::ping(&mongo_url).await.map_err(|error| no_answer(Server::Mongo, &error))?;
    Ok(Containers {
        nats_url: format!("nats://{nats_host}:{nats_port}"),
        mongo_url,
        engine,
        held: Mutex::new(Some(Held { nats, mongo, will })),
    })
}

impl Containers {
    /// Removes both.
    pub(super) async fn stop(&self) -> Result<(), ServersError> {
        let Some(held) = self.held.lock().await.take() else { return Ok(()) };
        let (nats, mongo) = tokio::join!(held.nats.rm(), held.mongo.rm());
        nats.and(mongo)?;
        // It finds nothing left to do; what matters is that no shell stays behind.
        match held.will {
            Some(will) => will.execute().await.map_err(|source| ServersError::Io {
                doing: "end the shell that waits to remove the containers".to_owned(),
                source,
            }),
            None => Ok(()),
        }
    }
}

/// Removes containers of this machine whose owners are gone. Whatever cannot be removed is
/// left for the next start.
async fn sweep(docker: &Docker) {
    let of_this_machine = HashMap::from([("label".to_owned(), vec![format!("{HOST}={}", host())])]);
    let options =
        ListContainersOptions { all: true, filters: Some(of_this_machine), ..Default::default() };
    let Ok(containers) = docker.list_containers(Some(options)).await else { return };
    for container in containers {
        let owner = container.labels.as_ref().and_then(|labels| labels.get(OWNER)?.parse().ok());
        let (Some(id), Some(owner)) = (container.id, owner) else { continue };
        if !is_alive(owner) {
            let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
            if docker.remove_container(&id, Some(options)).await.is_ok() {
                tracing::debug!(container = %id, "removed the container of a dead run");
            }
        }
    }
}

/// The ports asked for are those of IPv4, and `localhost` may mean IPv6 first.
fn address(host: String) -> String {
    if host == "localhost" { "127.0.0.1".to_owned() } else { host }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
