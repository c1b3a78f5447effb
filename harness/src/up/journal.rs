//! The journal of a simulation: the requests and commands that people sent, with their times, so that
//! the program that replaces this one plays them again.
//!
//! Requests that change nothing are left out; the numbers of all others stay, because ids follow
//! from them.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::str::FromStr as _;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Uri};
use ports::Timestamp;
use serde::{Deserialize, Serialize};

use super::command::Command;
use crate::world::Asker;

/// Something that a person sent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The virtual time.
    pub(super) at: Timestamp,
    /// The ordinal of this request in the world, or of the one after this command.
    pub(super) number: u64,
    /// The request or the command.
    pub(super) sent: Sent,
}

/// A request or a command.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Sent {
    /// A command of the console.
    Command(Command),
    /// A request to the services.
    Request(Request),
}

/// A request as text.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Request {
    method: String,
    uri: String,
    headers: Vec<(String, String)>,
    by: Option<String>,
    /// In base64.
    body: String,
}

impl Request {
    /// The text of a request; `None` for one that changes nothing.
    pub(super) fn of(request: &http::Request<Bytes>) -> Option<Self> {
        if request.method().is_safe() {
            return None;
        }
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.to_string(), value.to_str().ok()?.to_owned()))
        };
        Some(Self {
            method: request.method().to_string(),
            uri: request.uri().to_string(),
            headers: request.headers().iter().filter_map(text).collect(),
            by: request.extensions().get::<Asker>().map(|asker| asker.0.clone()),
            body: BASE64_STANDARD.encode(request.body()),
        })
    }

    /// The request; `None` where the text is none.
    pub(super) fn read(&self) -> Option<http::Request<Bytes>> {
        let body = BASE64_STANDARD.decode(&self.body).ok()?;
        let mut request = http::Request::new(Bytes::from(body));
        *request.method_mut() = Method::from_str(&self.method).ok()?;
        *request.uri_mut() = Uri::from_str(&self.uri).ok()?;
        for (name, value) in &self.headers {
            let name = HeaderName::from_str(name).ok()?;
            request.headers_mut().append(name, HeaderValue::from_str(value).ok()?);
        }
        if let Some(by) = &self.by {
            request.extensions_mut().insert(Asker(by.clone()));
        }
        Some(request)
    }
}

/// A file with one entry in each line.
#[derive(Debug)]
pub(super) struct Journal(File);

impl Journal {
    /// The journal in this file, and what it has already. An entry that a program of before wrote
    /// otherwise ends what is read.
    ///
    /// # Errors
    ///
    /// When the file cannot be read or written.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Vec<Entry>)> {
        let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let mut entries = Vec::new();
        for line in BufReader::new(&file).lines() {
            match serde_json::from_str(&line?) {
                Ok(entry) => entries.push(entry),
                Err(error) => {
                    tracing::warn!(%error, "the rest of the journal is not read");
                    break;
                }
            }
        }
        Ok((Self(file), entries))
    }

    /// Adds an entry.
    pub(super) fn add(&mut self, entry: &Entry) {
        let mut line = serde_json::to_string(entry).expect("it is plain data");
        line.push('\n');
        // Without it, the next program lacks what came last.
        if let Err(error) = self.0.write_all(line.as_bytes()) {
            tracing::warn!(%error, "the journal is not written");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_as_it_was_written_and_a_get_is_left_out() {
        let mut request = http::Request::new(Bytes::from_static(b"{\"days\":20}\xff"));
        assert!(Request::of(&request).is_none(), "a GET changes nothing");
        *request.method_mut() = Method::POST;
        *request.uri_mut() = Uri::from_static("/api/loans?x=1");
        request.headers_mut().insert("cookie", HeaderValue::from_static("session=a"));
        request.extensions_mut().insert(Asker("Anna".to_owned()));
        let written = Request::of(&request).expect("a POST is written");
        let read = written.read().expect("it is a request");
        assert_eq!((read.method(), read.uri()), (request.method(), request.uri()));
        assert_eq!((read.headers(), read.body()), (request.headers(), request.body()));
        assert_eq!(read.extensions().get::<Asker>(), Some(&Asker("Anna".to_owned())));
    }
}
