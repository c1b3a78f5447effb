//! The features, as tests: each scenario twice, in simulation and on real servers.
//!
//! It takes the arguments of cargo's own test harness, so a filter, `--exact`, `--skip`,
//! `--list` and nextest work here as everywhere. Where `REHEARSAL_REAL` is `skip`, the real
//! world is left out, and the summary says so.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use libtest_mimic::{Arguments, FormatSetting};
use scenarios::gherkin::features::{place, program};
use scenarios::gherkin::{self, Choice, Finished, Run};
use scenarios::stage::WorldKind;
use servers;

/// Where ids and decisions come from in simulation.
const SEED: u64 = 1;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let skips = servers::are_unwanted();
    let kinds = [WorldKind::simulated(SEED), WorldKind::Real];
    let chosen: Vec<_> = kinds.into_iter().map(|kind| (kind, choose(kind, &arguments))).collect();
    if arguments.list {
        if !arguments.ignored {
            let names = chosen.iter().flat_map(|(_, chosen)| chosen.values());
            names.for_each(|name| println!("{name}: test"));
        }
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.expect("a runtime needs nothing but threads");
    let (mut passed, mut failures, mut left_out) = (0, Vec::new(), 0);
    let all: usize = chosen.iter().map(|(_, chosen)| chosen.len()).sum();
    println!("\nrunning {all} tests");
    let quiet = arguments.quiet || arguments.format == Some(FormatSetting::Terse);
    for (kind, chosen) in chosen {
        if chosen.is_empty() {
            continue;
        }
        if is_real(kind) && skips {
            left_out = chosen.len();
            continue;
        }
        if is_real(kind)
            && let Err(why) = runtime.block_on(servers::shared())
        {
            println!("test scenarios::real ... FAILED");
            failures.push(("scenarios::real".to_owned(), why.to_string()));
            continue;
        }
        let places: BTreeSet<String> = chosen.keys().cloned().collect();
        let choice = Choice { places: Some(places), ..Choice::default() };
        let run = Run { choice, ..Run::all(kind) };
        let tell = |finished: &Finished| {
            let verdict = if finished.failure.is_none() { "ok" } else { "FAILED" };
            if !quiet || finished.failure.is_some() {
                println!("test {} ... {verdict}", chosen[&finished.place]);
            }
        };
        let summary = runtime.block_on(gherkin::run(&run, tell));
        let summary = summary.expect("the features that are built in can be read");
        passed += summary.passed();
        for finished in summary.scenarios {
            let Some(failure) = finished.failure else { continue };
            let step = failure.step.map_or_else(String::new, |step| format!("{step}\n"));
            let why = format!("at {}\n{step}{}", finished.place, failure.why);
            failures.push((chosen[&finished.place].clone(), why));
        }
        let unreadable = summary.unreadable.into_iter();
        failures.extend(unreadable.map(|why| ("scenarios::features".to_owned(), why)));
    }
    for (name, why) in &failures {
        println!("\n---- {name} ----\n{why}");
    }
    if left_out > 0 {
        println!("\nleft out: {left_out} scenarios on real servers, because REHEARSAL_REAL=skip");
    }
    let (verdict, failed) = (if failures.is_empty() { "ok" } else { "FAILED" }, failures.len());
    println!(
        "\ntest result: {verdict}. {passed} passed; {failed} failed; {left_out} ignored; \
         0 measured; 0 filtered out"
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}

fn is_real(kind: WorldKind) -> bool {
    matches!(kind, WorldKind::Real)
}

/// The tests of one world that the arguments choose: their names, by place.
fn choose(kind: WorldKind, arguments: &Arguments) -> BTreeMap<String, String> {
    let program = program(&Choice::default(), kind.name());
    let program = program.expect("the features that are built in can be read");
    assert!(program.unreadable.is_empty(), "{:?}", program.unreadable);
    let mut names = BTreeMap::new();
    for feature in &program.features {
        let file = feature.path.as_deref().and_then(|path| path.file_stem()?.to_str());
        for scenario in &feature.scenarios {
            let (world, file) = (kind.name(), file.unwrap_or_default());
            let mut name = format!("scenarios::{world}::{file}::{}", scenario.name);
            if scenario.keyword.contains("Outline") {
                name += &format!(" (line {})", scenario.position.line);
            }
            names.insert(place(feature, scenario), name);
        }
    }
    names.retain(|_, name| is_wanted(name, arguments));
    names
}

fn is_wanted(name: &str, arguments: &Arguments) -> bool {
    let matches = |filter: &String| {
        if arguments.exact { name == filter } else { name.contains(filter.as_str()) }
    };
    !arguments.ignored
        && arguments.filter.as_ref().is_none_or(matches)
        && !arguments.skip.iter().any(matches)
}
