//! The catalog of ticketing's events: complete, and true to the types.

use std::collections::BTreeSet;

use harness::catalog::{Catalog, asyncapi, changes, openapi, routes, text};
use harness::subject::AnySubject;
use scenarios::Ticketing;
use scenarios::model::Rule;
use serde_json::{Value, json};

fn catalog() -> (AnySubject, Catalog) {
    let subject = AnySubject::new(Ticketing);
    let catalog = Catalog::of(subject.name(), subject.events());
    (subject, catalog)
}

#[test]
fn every_listener_is_declared_and_every_declaration_has_a_listener() {
    let (subject, mut catalog) = catalog();
    assert_eq!(catalog.undeclared(subject.topology()), [""; 0]);
    let created = catalog.events.iter_mut().find(|event| event.name == "OrderCreated").unwrap();
    created.to.retain(|service| service != "payments");
    created.to.push("auth".to_owned());
    assert_eq!(
        catalog.undeclared(subject.topology()),
        [
            "OrderCreated declares auth as a consumer that has no listener",
            "payments consumes OrderCreated, which does not declare it",
        ]
    );
}

#[test]
fn the_page_has_the_fields_of_each_event() {
    let page = text::markdown(&catalog().1);
    for row in [
        "| `ticket.price` | integer | The price in cents. |",
        "| `reason` | `user`, `expired`, `payment failed`, optional |",
        "| `status` | `created`, `awaiting:payment`, `complete`, `cancelled` |",
        "| `expiresAt` | time | The end of the reservation window. |",
    ] {
        assert!(page.contains(row), "no {row} in\n{page}");
    }
}

#[test]
fn every_reference_of_the_document_leads_somewhere() {
    let document = asyncapi::document(&catalog().1, "1");
    assert!(references(&document) > 40);
    assert!(references(&api()) > 60);
}

/// The number of references of a document, each of which leads somewhere.
fn references(document: &Value) -> usize {
    let mut references = BTreeSet::new();
    let mut count = 0;
    collect(document, &mut |reference| {
        count += 1;
        references.insert(reference.to_owned());
    });
    let lost = references.iter().filter(|reference| {
        reference.strip_prefix('#').is_none_or(|at| document.pointer(at).is_none())
    });
    assert_eq!(lost.collect::<Vec<_>>(), Vec::<&String>::new());
    count
}

/// The routes as an OpenAPI document.
fn api() -> Value {
    let subject = AnySubject::new(Ticketing);
    openapi::document(subject.name(), &subject.interfaces(), "1")
}

/// The statuses that the model knows for a route, besides those of a body and an outage.
fn known(method: &str, path: &str) -> BTreeSet<u16> {
    let rules = Rule::ALL.iter().filter(|rule| {
        let requests = rule.requests();
        requests.path == path && requests.methods.contains(&method)
    });
    rules.map(|rule| rule.status()).collect()
}

#[test]
fn each_route_declares_the_answers_of_the_model_and_no_other() {
    let document = api();
    let mut routes = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, route) in methods.as_object().unwrap() {
            let method = method.to_uppercase();
            let mut expected = known(&method, path);
            assert!(!expected.is_empty(), "the model does not know {method} {path}");
            expected.insert(Rule::Unavailable.status());
            if ["POST", "PUT", "PATCH"].contains(&&*method)
                && !path.ends_with("/signout")
                && !path.ends_with("/ban")
            {
                let of_body = [Rule::ContentType, Rule::TooLarge, Rule::NotAnObject];
                expected.extend(of_body.map(Rule::status));
            }
            let declared = route["responses"].as_object().unwrap().keys();
            let declared: BTreeSet<u16> = declared.map(|status| status.parse().unwrap()).collect();
            assert_eq!(declared, expected, "{method} {path}");
            routes.insert((method, path.clone()));
        }
    }
    let modelled = Rule::ALL.iter().flat_map(|rule| {
        let requests = rule.requests();
        requests.methods.iter().map(move |method| ((*method).to_owned(), requests.path.to_owned()))
    });
    assert_eq!(routes, modelled.collect());
}

#[test]
fn the_document_has_sessions_headers_parameters_and_bodies() {
    let document = api();
    let route = |place: &str| {
        let (method, path) = place.split_once(' ').unwrap();
        &document["paths"][path][method]
    };
    let resolved = |schema: &Value| {
        let place = schema["$ref"].as_str().unwrap().strip_prefix('#').unwrap();
        document.pointer(place).unwrap().clone()
    };
    let list = route("get /api/tickets");
    assert_eq!(list["security"], Value::Null);
    assert_eq!(list["parameters"][0]["schema"]["maximum"], 1000);
    let body = |route: &Value| resolved(&route["requestBody"]["content"][JSON]["schema"]);
    let sign_up = route("post /api/users/signup");
    assert_eq!(body(sign_up)["required"], json!(["email", "password"]));
    assert_eq!(body(sign_up)["properties"]["password"]["maxLength"], 20);
    assert_eq!(sign_up["responses"]["201"]["headers"]["Set-Cookie"]["required"], true);
    assert_eq!(sign_up["responses"]["429"]["headers"]["Retry-After"]["required"], true);
    let edit = route("patch /api/users/me");
    assert_eq!(body(edit)["required"], json!(["currentPassword"]));
    let ban = route("delete /api/users/{id}/ban");
    assert_eq!(ban["security"], json!([{ "session": ["administrator"] }]));
    assert_eq!(ban["responses"]["204"]["content"], Value::Null);
    let shown = &route("get /api/tickets/{id}")["responses"]["200"]["content"][JSON]["schema"];
    let shown = resolved(shown);
    let required = shown["required"].as_array().unwrap();
    assert!(required.contains(&json!("price")) && !required.contains(&json!("orderId")));
}

const JSON: &str = "application/json";

#[test]
fn a_price_that_is_shown_no_more_breaks_the_clients_of_the_route() {
    let (old, mut new) = (api(), api());
    let ticket = &mut new["components"]["schemas"]["Ticket"];
    ticket["properties"].as_object_mut().unwrap().remove("price");
    new["paths"]["/api/payments"]["post"]["responses"].as_object_mut().unwrap().remove("402");
    let found = routes::breaking(&old, &new);
    let found: Vec<_> = found.iter().map(|one| format!("{} {}", one.place, one.change)).collect();
    for expected in [
        "GET /api/tickets/{id} 200 price is removed",
        "GET /api/tickets 200 [].price is removed",
        "POST /api/payments 402 is no answer any more",
    ] {
        assert!(found.iter().any(|one| one == expected), "no {expected} in {found:#?}");
    }
    assert!(routes::breaking(&old, &old).is_empty());
}

fn collect(value: &Value, found: &mut impl FnMut(&str)) {
    match value {
        Value::Object(object) => {
            object.get("$ref").and_then(Value::as_str).into_iter().for_each(&mut *found);
            object.values().for_each(|value| collect(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
        _ => {}
    }
}

#[test]
fn a_price_in_another_unit_breaks_three_readers() {
    let (_, old) = catalog();
    let (_, mut new) = catalog();
    let created = new.events.iter_mut().find(|event| event.name == "OrderCreated").unwrap();
    let text = created
        .schema
        .to_string()
        .replace(r#""format":"int64","type":"integer""#, r#""type":"number""#);
    created.schema = serde_json::from_str(&text).unwrap();
    let found = changes::breaking(&old, &new);
    let price = found.iter().find(|one| one.place == "OrderCreated.ticket.price").unwrap();
    assert_eq!(price.readers, ["tickets", "expiration", "payments"]);
    assert!(changes::breaking(&old, &old).is_empty());
}
