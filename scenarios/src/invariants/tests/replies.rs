//! Lies against the contract: in replies, and in what requests leave.

use harness::trace::RecordKind;
use serde_json::json;

use super::Spoil;
use super::spoil::*;

pub(super) const FAULTS: &[(&str, &str, Spoil)] = &[
    ("contract", "a status outside the contract", |e| {
        answered(e, "POST /api/orders", 400, |answer| *answer.status = Some(409));
    }),
    ("contract", "an internal error", |e| {
        answered(e, "POST /api/orders", 401, |answer| *answer.status = Some(500));
    }),
    ("contract", "no answer although the instance did not crash", |e| {
        answered(e, "POST /api/orders", 401, |answer| *answer.status = None);
    }),
    ("contract", "503 although no call failed", |e| {
        answered(e, "POST /api/orders", 401, |answer| *answer.status = Some(503));
    }),
    ("contract", "404 for a ticket that exists", |e| {
        answered(e, "POST /api/orders", 400, |answer| {
            *answer.status = Some(404);
            answer.rebody(|body| *body = json!({ "errors": [{ "message": "Not Found" }] }));
        });
    }),
    ("contract", "an error in another shape", |e| {
        answered(e, "POST /api/orders", 400, |answer| {
            answer.rebody(|body| *body = json!({ "error": "no" }));
        });
    }),
    ("contract", "another message", |e| {
        answered(e, "POST /api/orders", 400, |answer| {
            answer.rebody(|body| body["errors"][0]["message"] = "Reserved".into());
        });
    }),
    ("contract", "an internal field is exposed", |e| {
        answered(e, "POST /api/tickets", 201, |answer| {
            answer.rebody(|body| body["outbox"] = json!([]));
        });
    }),
    ("contract", "another price than the stored one", |e| {
        answered(e, "POST /api/tickets", 201, |answer| {
            answer.rebody(|body| body["price"] = 1.into());
        });
    }),
    ("contract", "an accepted order does not exist", |e| {
        answered(e, "POST /api/orders", 201, |answer| {
            answer.rebody(|body| body["id"] = "000000000000000000000000".into());
        });
    }),
    ("contract", "an accepted charge does not exist", |e| {
        answered(e, "POST /api/payments", 201, |answer| {
            answer.rebody(|body| body["id"] = "000000000000000000000000".into());
        });
    }),
    ("contract", "an order expires too early", |e| e.clients().window *= 2),
    ("contract", "a session of an unknown key counts", |e| {
        e.clients().sessions.keys = vec!["another key".to_owned()];
    }),
    ("contract", "the session cookie can be read by scripts", |e| {
        answered(e, "POST /api/users/signup", 201, |answer| {
            let cookie = answer.headers["set-cookie"].to_str().expect("it is text");
            let cookie = cookie.replace("HttpOnly; ", "");
            answer.headers.insert("set-cookie", cookie.parse().expect("it is a header"));
        });
    }),
    ("contract", "a sign-out ends another session", |e| {
        for record in edit(e) {
            if let RecordKind::Write { outcome: Ok(Some(user)), .. } = &mut record.kind {
                amend_events(user, |payload| payload.replace("\"session\":\"", "\"session\":\"x"));
            }
        }
    }),
    ("contract", "a claim that another user owns is accepted", |e| {
        e.clients().admin_claim = "another".to_owned();
    }),
    ("contract", "a page lacks an order", |e| {
        answered(e, "GET /api/orders", 200, |answer| answer.rebody(|body| *body = json!([])));
    }),
    ("contract", "a page shows an item twice", |e| {
        answered(e, "GET /api/tickets", 200, |answer| {
            answer.rebody(|body| {
                let items = body.as_array_mut().expect("it is a list");
                items.extend(items.first().cloned());
            });
        });
    }),
    ("contract", "a title changes by itself", |e| {
        let mut free = ticket(e, CANCELLED);
        free.insert("version", free.get_i64("version").expect("it has one") + 1);
        free.insert("revision", free.get_i64("revision").expect("it has one") + 1);
        free.insert("title", "Oper");
        wrote(e, "tickets", free);
    }),
];
