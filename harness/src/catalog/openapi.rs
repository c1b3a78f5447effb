//! The routes of a subject as an OpenAPI 3.1 document.

use axum::http::StatusCode;
use platform::http::interface::{DeclaredAnswer, Endpoint, Parameter};
use serde_json::{Map, Value, json};

use super::schemas::referred;
use crate::letter_case::capitalized;

/// The routes of a service.
#[derive(Debug, Clone, PartialEq)]
pub struct Interface {
    /// The name of the service.
    pub service: &'static str,
    /// Its routes that describe themselves.
    pub endpoints: Vec<Endpoint>,
}

/// The routes as an OpenAPI document of this version of the system.
pub fn document(subject: &str, interfaces: &[Interface], version: &str) -> Value {
    let (mut paths, mut schemas, mut schemes) = (Map::new(), Map::new(), Map::new());
    for Interface { service, endpoints } in interfaces {
        for endpoint in endpoints {
            let described = operation(service, endpoint, &mut schemas);
            let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            path[endpoint.method.as_str().to_lowercase()] = described;
            if let Some(session) = endpoint.session {
                let scheme = json!({ "type": "apiKey", "in": "cookie", "name": session.cookie });
                schemes.insert(session.cookie.to_owned(), scheme);
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": format!("The HTTP API of {subject}"), "version": version },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": schemes },
    })
}

fn operation(service: &str, endpoint: &Endpoint, schemas: &mut Map<String, Value>) -> Value {
    let owner = capitalized(service);
    let answers = endpoint.answers.iter();
    let answers = answers
        .map(|(status, answer)| (status.to_string(), response(*status, answer, &owner, schemas)));
    let answers: Map<String, Value> = answers.collect();
    let mut described = json!({
        "operationId": operation_id(endpoint),
        "tags": [service],
        "responses": answers,
    });
    if !endpoint.parameters.is_empty() {
        described["parameters"] = endpoint.parameters.iter().map(parameter).collect();
    }
    if let Some(body) = &endpoint.body {
        let schema = referred(body.as_value(), &owner, schemas);
        described["requestBody"] =
            json!({ "required": true, "content": { "application/json": { "schema": schema } } });
    }
    if let Some(session) = endpoint.session {
        let roles: Vec<&str> = endpoint.role.into_iter().collect();
        let needed = json!({ session.cookie: roles });
        described["security"] =
            if session.is_required { json!([needed]) } else { json!([needed, {}]) };
    }
    described
}

/// The method and the path as one name: `getApiOrdersById`.
fn operation_id(endpoint: &Endpoint) -> String {
    let words = endpoint.path.split('/').filter(|word| !word.is_empty());
    let name = |word: &str| match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
        Some(parameter) => format!("By{}", capitalized(parameter)),
        None => capitalized(word),
    };
    endpoint.method.as_str().to_lowercase() + &words.map(name).collect::<String>()
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name,
        "in": if parameter.is_in_path { "path" } else { "query" },
        "required": parameter.is_in_path,
        "description": parameter.about,
        "schema": parameter.schema,
    })
}

fn response(
    status: u16,
    answer: &DeclaredAnswer,
    owner: &str,
    schemas: &mut Map<String, Value>,
) -> Value {
    let reason = StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let description = match &answer.reasons[..] {
        [] => reason.unwrap_or_default().to_owned(),
        reasons => reasons.join(", or: "),
    };
    let mut response = json!({ "description": description });
    if let Some(body) = &answer.body {
        let schema = referred(body.as_value(), owner, schemas);
        response["content"] = json!({ "application/json": { "schema": schema } });
    }
    for (name, about) in &answer.headers {
        response["headers"][canonical(name)] =
            json!({ "description": about, "required": true, "schema": { "type": "string" } });
    }
    response
}

/// The name of a header as documents write it: `Retry-After`.
fn canonical(header: &str) -> String {
    header.split('-').map(capitalized).collect::<Vec<_>>().join("-")
}
