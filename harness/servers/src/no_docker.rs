//! The `docker` source of a build without the feature `docker`: it says so, and starts nothing.

use std::convert::Infallible;

use crate::error::{DockerError, ServersError};
use crate::options::Options;
use crate::source::Source;

/// Both servers, which cannot exist in this build.
pub(crate) struct Started {
    pub(crate) nats_url: String,
    pub(crate) mongo_url: String,
    pub(crate) source: Source,
    pub(crate) containers: Containers,
}

/// Containers, which cannot exist in this build.
pub(crate) struct Containers(Infallible);

impl Containers {
    pub(crate) async fn stop(&self) -> Result<(), ServersError> {
        match self.0 {}
    }
}

pub(crate) async fn examine() -> Result<Vec<String>, DockerError> {
    Err(DockerError::NotBuilt)
}

pub(crate) async fn start(_: &Options) -> Result<Started, DockerError> {
    Err(DockerError::NotBuilt)
}
