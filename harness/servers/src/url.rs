//! The `url` source: servers that already run, at URLs from the environment.
//!
//! It checks them and never stops them.

use adapters::jetstream::JetStream;

use crate::error::UrlError;
use crate::mongod;
use crate::options::Options;

/// The servers behind the URLs.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) nats_url: String,
    pub(crate) nats_version: String,
    pub(crate) mongo_url: String,
    pub(crate) mongo_version: String,
}

/// Connects to both servers and checks that they can be used.
pub(crate) async fn find(options: &Options) -> Result<Found, UrlError> {
    let (nats_url, mongo_url) = match (&options.nats_url, &options.mongo_url) {
        (Some(nats), Some(mongo)) => (nats.clone(), mongo.clone()),
        (None, Some(_)) => return Err(UrlError::OnlyOneSet("NATS_URL")),
        (Some(_), None) => return Err(UrlError::OnlyOneSet("MONGO_URL")),
        (None, None) => return Err(UrlError::NotSet),
    };
    let mongo_version = async { Ok(mongod::version(&mongo_url).await?) };
    let (nats_version, mongo_version) = tokio::try_join!(nats_version(&nats_url), mongo_version)?;
    Ok(Found { nats_url, nats_version, mongo_url, mongo_version })
}

/// Connects as the bus does later, so that a URL that passes here works there.
async fn nats_version(url: &str) -> Result<String, UrlError> {
    let info = JetStream::client(url).await.map_err(UrlError::Nats)?.server_info();
    if info.jetstream { Ok(info.version) } else { Err(UrlError::NoJetStream) }
}
