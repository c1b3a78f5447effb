//! A catalog as an AsyncAPI 3.0 document.

use serde_json::{Map, Value, json};

use super::{Catalog, Event, schemas};

/// The headers of every event: CloudEvents 1.0 in binary mode, and the trace.
const HEADERS: [(&str, &str); 7] = [
    ("ce-id", "The id of the event; also `Nats-Msg-Id`, by which the stream drops duplicates"),
    ("ce-source", "The service that published it"),
    ("ce-type", "The name of its type"),
    ("ce-specversion", "The version of CloudEvents: 1.0"),
    ("ce-time", "The time of the change, in RFC 3339"),
    ("ce-subject", "The id of the aggregate that changed"),
    ("traceparent", "The trace that leads back to its cause"),
];

/// The catalog as an AsyncAPI document of this version of the system.
pub fn document(catalog: &Catalog, version: &str) -> Value {
    let mut schemas = Map::new();
    let (mut channels, mut operations, mut messages) = (Map::new(), Map::new(), Map::new());
    for event in &catalog.events {
        let (name, channel) = (&event.name, &event.subject);
        let in_channel = json!({ "$ref": format!("#/channels/{channel}/messages/{name}") });
        let reference = json!({ "$ref": format!("#/channels/{channel}") });
        channels.insert(channel.clone(), channel_of(event));
        messages.insert(
            name.clone(),
            message_of(event, schemas::hoisted(&event.schema, &event.name, &mut schemas)),
        );
        let mut operation = |action: &str, service: &str, verb: &str| {
            let operation = json!({
                "action": action,
                "channel": reference,
                "messages": [in_channel],
                "tags": [{ "name": service }],
            });
            operations.insert(format!("{service}.{verb}.{name}"), operation);
        };
        operation("send", &event.from, "publishes");
        event.to.iter().for_each(|service| operation("receive", service, "consumes"));
    }
    let headers = HEADERS.iter().map(|(name, about)| {
        ((*name).to_owned(), json!({ "type": "string", "description": about }))
    });
    let headers: Map<String, Value> = headers.collect();
    let required: Vec<&str> = HEADERS.iter().map(|(name, _)| *name).collect();
    schemas.insert(
        "Headers".to_owned(),
        json!({ "type": "object", "properties": headers, "required": required }),
    );
    json!({
        "asyncapi": "3.0.0",
        "info": { "title": format!("The events of {}", catalog.subject), "version": version },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": { "messages": messages, "schemas": schemas },
    })
}

fn channel_of(event: &Event) -> Value {
    let name = &event.name;
    json!({
        "address": format!("{{namespace}}.{}", event.subject),
        "parameters": { "namespace": { "description": "The prefix of all subjects of the system" } },
        "messages": { name: { "$ref": format!("#/components/messages/{name}") } },
    })
}

fn message_of(event: &Event, payload: Value) -> Value {
    json!({
        "name": event.name,
        "headers": { "$ref": "#/components/schemas/Headers" },
        "payload": payload,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, of: &str) -> Event {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": { "amount": { "$ref": "#/$defs/Amount" } },
            "$defs": { "Amount": { "type": of } },
        });
        let subject = name.to_lowercase();
        let (from, to) = ("loans".to_owned(), vec!["returns".to_owned()]);
        Event { name: name.to_owned(), subject, from, to, schema }
    }

    #[test]
    fn definitions_move_to_the_document_and_keep_apart() {
        let events =
            vec![event("Lent", "integer"), event("Given", "integer"), event("Lost", "string")];
        let document = document(&Catalog { subject: "the library", events }, "1");
        let schemas = &document["components"]["schemas"];
        assert_eq!(schemas["Amount"], json!({ "type": "integer" }));
        assert_eq!(schemas["LostAmount"], json!({ "type": "string" }));
        let payload = |name: &str| &document["components"]["messages"][name]["payload"];
        let reference = |name: &str| &payload(name)["properties"]["amount"]["$ref"];
        assert_eq!(reference("Given"), "#/components/schemas/Amount");
        assert_eq!(reference("Lost"), "#/components/schemas/LostAmount");
        assert_eq!(document["operations"]["returns.consumes.Lent"]["action"], "receive");
    }
}
