//! Every answer of a run is declared by its route in the OpenAPI document: its status, its body
//! and its headers.

use std::collections::{BTreeMap, BTreeSet};

use harness::catalog::openapi;
use harness::run;
use harness::search::explore::Plan;
use harness::subject::AnySubject;
use harness::trace::{Record, RecordKind};
use http::HeaderMap;
use scenarios::Ticketing;
use serde_json::{Value, json};

fn api(subject: &AnySubject) -> Value {
    openapi::document(subject.name(), &subject.interfaces(), "1")
}

/// The answers that the document does not declare, and the number of those that it does.
fn undeclared(document: &Value, records: &[Record]) -> (BTreeSet<String>, usize) {
    let (mut wrong, mut right) = (BTreeSet::new(), 0);
    let mut asked = BTreeMap::new();
    for record in records {
        match &record.kind {
            RecordKind::Request { number, line, .. } => drop(asked.insert(*number, line)),
            RecordKind::Answer { number, status: Some(status), headers, body } => {
                let Some(route) = route(document, asked[number]) else { continue };
                match differs(document, &route["responses"][status.to_string()], headers, body) {
                    None => right += 1,
                    Some(why) => drop(wrong.insert(format!("{} {status}: {why}", asked[number]))),
                }
            }
            _ => {}
        }
    }
    (wrong, right)
}

/// The route of a request: method and path.
fn route<'d>(document: &'d Value, line: &str) -> Option<&'d Value> {
    let (method, target) = line.split_once(' ')?;
    let path: Vec<&str> = target.split('?').next()?.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let alike = |(known, given): (&&str, &&str)| known == given || known.starts_with('{');
        template.len() == path.len() && template.iter().zip(&path).all(alike)
    };
    let mut paths = document["paths"].as_object()?.iter().filter(|(path, _)| fits(path));
    paths.find_map(|(_, methods)| methods.get(method.to_lowercase()))
}

/// The difference of an answer from its declaration.
fn differs(document: &Value, declared: &Value, headers: &HeaderMap, body: &[u8]) -> Option<String> {
    if declared.is_null() {
        return Some("the status is not declared".to_owned());
    }
    let mut named = declared["headers"].as_object().into_iter().flatten();
    if let Some((name, _)) = named.find(|(name, _)| !headers.contains_key(name.as_str())) {
        return Some(format!("no {name}"));
    }
    let schema = &declared["content"]["application/json"]["schema"];
    if schema.is_null() {
        return (!body.is_empty()).then(|| "a body".to_owned());
    }
    let components = json!({ "components": document["components"], "allOf": [schema] });
    let validator = jsonschema::validator_for(&components).expect("it is a schema");
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Some("no JSON".to_owned()) };
    validator.iter_errors(&body).next().map(|why| format!("{body}: {why}"))
}

#[test]
fn every_answer_of_a_run_is_declared() {
    let subject = AnySubject::new(Ticketing);
    let document = api(&subject);
    let mut all = 0;
    for workload in ["contract", "market", "accounts"] {
        let scripts = subject.scripts(workload).expect("there is such a workload");
        for seed in 0..12 {
            let case = Plan::all(workload, 0..u64::MAX).case(&subject, &scripts, seed);
            let run = run::run_watched(&subject, &case).expect("the harness works");
            let (wrong, right) = undeclared(&document, &run.trace);
            assert_eq!(wrong, BTreeSet::new(), "{workload} {seed}");
            all += right;
        }
    }
    assert!(all > 300, "{all}");
}

#[test]
fn an_answer_that_a_route_does_not_declare_is_found() {
    let subject = AnySubject::new(Ticketing);
    let scripts = subject.scripts("market").expect("there is a market");
    let case = Plan::all("market", 0..u64::MAX).case(&subject, &scripts, 1);
    let run = run::run_watched(&subject, &case).expect("the harness works");
    let mut document = api(&subject);
    document["components"]["schemas"]["Ticket"]["properties"]["title"]["type"] = json!("integer");
    let sign_up = &mut document["paths"]["/api/users/signup"]["post"]["responses"];
    sign_up.as_object_mut().expect("it is an object").remove("201");
    let (wrong, _) = undeclared(&document, &run.trace);
    let has = |start: &str, end: &str| {
        wrong.iter().any(|one| one.starts_with(start) && one.ends_with(end))
    };
    assert!(has("POST /api/users/signup 201", "not declared"), "{wrong:#?}");
    assert!(has("POST /api/tickets 201", "is not of type \"integer\""), "{wrong:#?}");
}
