//! The tests of a subject under `cargo test`: its scenarios in both worlds, its workloads, its
//! planted bugs and its regressions, each as a test of its own.
//!
//! ```no_run
//! # use std::process::ExitCode;
//! # use harness::Subject;
//! # fn target(shop: impl Subject) -> ExitCode {
//! // In a test target with `harness = false`:
//! harness::test_target::main(shop, None)
//! # }
//! ```
//!
//! It takes the arguments of cargo's own test harness, so a filter, `--exact`, `--skip`,
//! `--list` and nextest work as everywhere. Where `REHEARSAL_REAL` is `skip`, the scenarios on
//! real servers are shown as ignored.

use std::path::Path;
use std::process::ExitCode;
use std::sync::LazyLock;

use cucumber::gherkin::Feature;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use crate::bugs::scoreboard::{Effort, score, withstand};
use crate::case::Token;
use crate::gherkin::{self, Choice, Run, WorldKind, features};
use crate::regressions::Regression;
use crate::report::trace;
use crate::run::{self, Run as Outcome};
use crate::search::explore::Plan;
use crate::subject::{AnySubject, Subject};

/// The source of ids and decisions in simulated scenarios.
const SEED: u64 = 1;

/// The number of schedules of each workload.
const SCHEDULES: u64 = 40;

/// The maximum number of schedules to find a planted bug.
const HUNT: u64 = 2_000;

/// The number of concurrent tests; those on real servers mostly wait.
const AT_ONCE: usize = 8;

/// Runs the tests that the arguments of this process choose. `regressions` is the folder of
/// the regressions, where there are some.
pub fn main(subject: impl Subject, regressions: Option<&Path>) -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(AT_ONCE);
    let subject = AnySubject::new(subject);
    let mut trials = scenarios(&subject, WorldKind::simulated(SEED), false);
    trials.extend(scenarios(&subject, WorldKind::Real, servers::are_unwanted()));
    trials.extend(workloads(&subject));
    trials.extend(planted_bugs(&subject));
    trials.extend(regressions.map(|folder| kept(&subject, folder)).unwrap_or_default());
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A test for each scenario of a world.
fn scenarios(subject: &AnySubject, kind: WorldKind, ignored: bool) -> Vec<Trial> {
    if subject.features().is_empty() {
        return Vec::new();
    }
    let world = kind.name();
    let program = match features::program(subject, &Choice::default(), world) {
        Ok(program) => program,
        Err(why) => {
            let failed = move || Err(Failed::from(why.to_string()));
            return vec![Trial::test(format!("scenarios::{world}"), failed)];
        }
    };
    let mut trials = Vec::new();
    for why in program.unreadable {
        let name = format!("scenarios::{world}::features can be read");
        trials.push(Trial::test(name, move || Err(Failed::from(why.as_str()))));
    }
    for feature in &program.features {
        let file = feature.path.as_deref().and_then(|path| path.file_stem()?.to_str());
        for scenario in &feature.scenarios {
            let mut name =
                format!("scenarios::{world}::{}::{}", file.unwrap_or_default(), scenario.name);
            if scenario.keyword.contains("Outline") {
                name += &format!(" (line {})", scenario.position.line);
            }
            let feature = Feature { scenarios: vec![scenario.clone()], ..feature.clone() };
            let subject = subject.clone();
            let trial = Trial::test(name, move || one(&subject, kind, feature));
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    trials
}

/// Runs one scenario.
fn one(subject: &AnySubject, kind: WorldKind, feature: Feature) -> Result<(), Failed> {
    let run = Run::all(kind);
    let ran = gherkin::run_features(subject, &run, vec![feature]);
    let finished = runtime().block_on(ran).into_iter().next();
    let finished = finished.ok_or("the scenario did not run")?;
    match finished.failure {
        None => Ok(()),
        Some(failure) => {
            let step = failure.step.map_or_else(String::new, |step| format!("{step}\n"));
            Err(Failed::from(format!("at {}\n{step}{}", finished.place, failure.why)))
        }
    }
}

fn runtime() -> &'static Runtime {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        let built = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        built.expect("a runtime needs nothing but threads")
    });
    &RUNTIME
}

/// A test for each workload: no run violates an invariant, the same seed gives the same trace
/// twice, and so does the replay token.
fn workloads(subject: &AnySubject) -> Vec<Trial> {
    let trial = |workload: &crate::subject::any::Named| {
        let (subject, name) = (subject.clone(), workload.name);
        Trial::test(format!("workloads::{name}::holds and is deterministic"), move || {
            let plan = Plan::all(name, 0..SCHEDULES);
            let scripts = subject.scripts(name).ok_or("there is no such workload")?;
            for seed in plan.seeds.clone() {
                let case = plan.case(&subject, &scripts, seed);
                let once = run::run(&subject, &case)?;
                if let Some(violation) = once.violation() {
                    return Err(Failed::from(format!("{violation}\n{}", Token::of(&once.exact))));
                }
                same(&once, &run::run(&subject, &case)?, "the same seed")?;
                let token: Token = Token::of(&once.exact).to_string().parse()?;
                let exact = token.case()?.read(&subject)?;
                same(&once, &run::run(&subject, &exact)?, "the replay token")?;
            }
            Ok(())
        })
    };
    subject.workloads().iter().map(trial).collect()
}

fn same(one: &Outcome, other: &Outcome, how: &str) -> Result<(), Failed> {
    let (one, other) = (trace::text(&one.trace), trace::text(&other.trace));
    let differs = one.lines().zip(other.lines()).position(|(one, other)| one != other);
    match differs {
        Some(at) => Err(Failed::from(format!("{how} gives another record {at}"))),
        None if one.len() != other.len() => {
            Err(Failed::from(format!("{how} gives a trace of another length")))
        }
        None => Ok(()),
    }
}

/// A test for each planted bug, and one for the system as it is under the same effort.
fn planted_bugs(subject: &AnySubject) -> Vec<Trial> {
    let effort = Effort { hunts: 1, limit: HUNT, shrinks: false, jobs: 1, ..Effort::default() };
    let found = |name: &'static str| {
        let (subject, effort) = (subject.clone(), effort.clone());
        Trial::test(format!("planted::{name} is found"), move || {
            let bug = subject.planted_bug(name).ok_or("there is no such bug")?;
            let scores = score(&subject, &[bug], &effort, |_| {})?;
            match scores.iter().any(|score| score.found > 0) {
                true => Ok(()),
                false => Err(Failed::from(format!("not found in {HUNT} schedules"))),
            }
        })
    };
    let mut trials: Vec<Trial> = subject.planted_bugs().iter().map(|bug| found(bug.name)).collect();
    if !trials.is_empty() {
        let (subject, effort) = (subject.clone(), effort.clone());
        let sound = Trial::test("planted::the system as it is withstands", move || {
            let sound = withstand(&subject, HUNT, &effort, || {})?;
            match sound.quickest {
                None => Ok(()),
                Some(find) => Err(Failed::from(format!("{}: {}", find.invariant, find.how))),
            }
        });
        trials.push(sound);
    }
    trials
}

/// A test for each regression: it holds, it has not drifted, and it can still fail.
fn kept(subject: &AnySubject, folder: &Path) -> Vec<Trial> {
    let all = match Regression::all(subject, folder) {
        Ok(all) => all,
        Err(why) => {
            let failed = move || Err(Failed::from(why.to_string()));
            return vec![Trial::test("regressions::can be read", failed)];
        }
    };
    let trial = |(path, kept): (std::path::PathBuf, Regression)| {
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let subject = subject.clone();
        Trial::test(format!("regressions::{name}"), move || check(&subject, &path, &kept))
    };
    all.into_iter().map(trial).collect()
}

fn check(subject: &AnySubject, path: &Path, kept: &Regression) -> Result<(), Failed> {
    let (run, drifts) = kept.replay(subject)?;
    if let Some(violation) = run.violation() {
        return Err(Failed::from(violation.to_string()));
    }
    if !drifts.is_empty() {
        let drifts: Vec<_> = drifts.iter().map(|drift| format!("\n  - {drift}")).collect();
        return Err(Failed::from(format!(
            "the run has drifted from its record:{}\nTo record it as it is now: replay {} --record",
            drifts.concat(),
            path.display()
        )));
    }
    if kept.fails(subject)? == Some(false) {
        let bug = kept.bug.as_deref().unwrap_or_default();
        return Err(Failed::from(format!(
            "{} holds even with the planted bug {bug}, so this proves nothing",
            kept.invariant
        )));
    }
    Ok(())
}
