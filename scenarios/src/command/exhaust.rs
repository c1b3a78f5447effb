//! `rehearse explore --scheduler exhaustive`: every schedule of a small scope.

use super::conclude::{Telling, tell};
use super::explore::Args;
use super::{CommandError, Verdict};
use crate::exhaust::{self, Limit, SCOPES, Scope, exhaust};
use crate::explore::Failure;
use crate::report::page::Page;
use crate::report::{self, Progress};
use crate::workloads;

/// Exhausts a scope by name, or the script that a workload draws from the first seed.
pub(super) fn exhaust_command(args: &Args) -> Result<Verdict, CommandError> {
    let mut scope = scope(args)?;
    scope.bug = args.bug()?.map(str::to_owned);
    report::exhausting(&scope);
    let limit = Limit { schedules: args.seeds, time: args.limit, first_only: false };
    let progress = Progress::begin("schedules");
    let exhausted = exhaust(&scope, limit, |_| progress.one());
    progress.end();
    let exhausted = exhausted.map_err(|why| CommandError::Harness(why.to_string()))?;
    report::exhausted(&exhausted);
    let failure = |(invariant, failure): (&&str, &exhaust::Failure)| Failure {
        case: failure.case.clone(),
        invariant: (*invariant).to_owned(),
        how: failure.how.clone(),
        seeds: vec![scope.seed],
        count: failure.count,
    };
    let failures: Vec<_> = exhausted.failures.iter().map(failure).collect();
    let Telling { told, untold } = tell(failures.iter(), &args.out)?;
    let held = failures.is_empty();
    let page = Page {
        title: format!("Exhausting {}", scope.name),
        held,
        figures: vec![
            ("Schedules".to_owned(), exhausted.counts.visited.to_string()),
            ("Complete".to_owned(), if exhausted.complete { "yes" } else { "no" }.to_owned()),
        ],
        failures: &told,
        untold,
        ..Page::default()
    };
    page.write(&args.out)?;
    report::written(&args.out);
    Ok(if held { Verdict::Held } else { Verdict::Finding })
}

fn scope(args: &Args) -> Result<Scope, CommandError> {
    if let Some(named) = exhaust::named(&args.workload) {
        return Ok(named.open());
    }
    let workload = workloads::named(&args.workload).ok_or_else(|| {
        let names: Vec<_> = SCOPES.iter().map(|scope| scope.name).collect();
        let why = format!("there is no scope {:?}; there are: {}", args.workload, names.join(", "));
        CommandError::Use(why)
    })?;
    Ok(Scope {
        name: workload.name.to_owned(),
        bug: None,
        seed: args.from,
        script: workload.open().draw(args.from),
        lead: 1,
        rules: Vec::new(),
    })
}
