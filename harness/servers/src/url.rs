//! Servers that run already, at URLs that the user gives. Checked, and never stopped.

use std::time::Duration;

use super::error::UrlError;
use super::mongod;
use super::options::Options;

/// What was found behind the URLs.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) nats_url: String,
    pub(super) nats_version: String,
    pub(super) mongo_url: String,
    pub(super) mongo_version: String,
}

/// Asks both servers whether they can be used.
pub(super) async fn find(options: &Options) -> Result<Found, UrlError> {
    let (nats_url, mongo_url) = match (&options.nats_url, &options.mongo_url) {
        (Some(nats), Some(mongo)) => (nats.clone(), mongo.clone()),
        (None, Some(_)) => return Err(UrlError::NotSet("NATS_URL is")),
        (Some(_), None) => return Err(UrlError::NotSet("MONGO_URL is")),
        (None, None) => return Err(UrlError::NotSet("NATS_URL and MONGO_URL are")),
    };
    let (nats_version, mongo_version) = tokio::try_join!(nats_version(&nats_url), async {
        mongod::ping(&mongo_url).await.map_err(UrlError::from)
    },)?;
    Ok(Found { nats_url, nats_version, mongo_url, mongo_version })
}

async fn nats_version(url: &str) -> Result<String, UrlError> {
    let client = async_nats::ConnectOptions::new()
        .connection_timeout(Duration::from_secs(5))
        .connect(url)
        .await
        .map_err(|error| UrlError::Nats(error.to_string()))?;
    let info = client.server_info();
    if info.jetstream { Ok(info.version) } else { Err(UrlError::NoJetStream) }
}
