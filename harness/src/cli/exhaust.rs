//! `explore --scheduler exhaustive`: every schedule of a small scope.

use super::explore::Args;
use super::findings::{Findings, shrunk};
use super::{CommandError, Program, Verdict};
use crate::report::Summary;
use crate::report::progress::Progress;
use crate::report::terminal::Terminal;
use crate::search::exhaust::{self, Limit, Scope, exhaust};
use crate::search::explore::Failure;
use crate::subject::AnySubject;

/// Exhausts a scope by name, or the script that a workload draws from the first seed.
pub(super) fn run(
    subject: &AnySubject,
    args: &Args,
    program: &Program,
) -> Result<Verdict, CommandError> {
    let mut scope = scope(subject, args)?;
    scope.bug = args.bug(subject)?;
    let terminal = Terminal::new(args.json);
    let about = subject.scopes().iter().find(|known| known.name == scope.name);
    let about = about.map_or("", |known| known.about);
    terminal.line(format!("Exhausting {}: {}", scope.name, about.to_lowercase()));
    if let Some(bug) = &scope.bug {
        terminal.row("planted", bug);
    }
    let limit = Limit { schedules: args.schedules, time: args.limit, first_only: false };
    let progress = Progress::begin("schedules", None);
    let exhausted = exhaust(subject, &scope, limit, |_| progress.one());
    progress.end();
    let exhausted = exhausted?;
    terminal.exhausted(&exhausted);
    let failure = |(invariant, failure): (&String, &exhaust::Failure)| Failure {
        case: failure.case.clone(),
        invariant: invariant.clone(),
        how: failure.how.clone(),
        seeds: vec![scope.seed],
        count: failure.count,
    };
    let failures: Vec<_> = exhausted.failures.iter().map(failure).collect();
    let Findings { findings, more } = shrunk(subject, failures.iter(), &[], &args.out, program)?;
    let complete = if exhausted.complete { "yes" } else { "no" };
    let summary = Summary {
        title: format!("Exhausting {}", scope.name),
        held: failures.is_empty(),
        figures: vec![
            ("Schedules".to_owned(), exhausted.counts.visited.to_string()),
            ("Complete".to_owned(), complete.to_owned()),
        ],
        findings,
        more,
        took: exhausted.took,
        ..Summary::default()
    };
    super::finish(&summary, &args.out, &terminal, args.json)
}

fn scope(subject: &AnySubject, args: &Args) -> Result<Scope, CommandError> {
    if let Some(scope) = Scope::named(subject, &args.workload) {
        return Ok(scope);
    }
    let scripts = subject.scripts(&args.workload).ok_or_else(|| {
        let names: Vec<_> = subject.scopes().iter().map(|scope| scope.name).collect();
        let names = names.join(", ");
        CommandError::Usage(format!(
            "there is no scope {:?}; the scopes are {names}",
            args.workload
        ))
    })?;
    Ok(Scope {
        name: args.workload.clone(),
        bug: None,
        seed: args.from,
        script: scripts(args.from),
        lead: 1,
        rules: Vec::new(),
    })
}
