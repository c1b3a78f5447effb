//! The audit log: accepted and refused sign-ins, bans and other changes of an account. Its records have the target
//! `audit`, so that a log collector finds them whatever else is logged.
//!
//! It has ids, addresses and reasons, and never a password, a claim or a token.

use crate::throttle::ClientAddress;

/// The caller of an audited action.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actor<'a> {
    /// The address of the client, where the server knows it.
    pub(crate) client: Option<ClientAddress>,
    /// The user's id, or the address with which somebody signs in or up.
    pub(crate) account: &'a str,
}

/// Records an action that was carried out on this user.
pub(crate) fn accepted(action: &'static str, actor: Actor<'_>, user: &str) {
    let Actor { client, account } = actor;
    let client = client.map(shown);
    tracing::info!(target: "audit", action, outcome = "accepted", account, user, client);
}

/// Records an action that was refused.
pub(crate) fn refused(action: &'static str, actor: Actor<'_>, reason: &'static str) {
    let Actor { client, account } = actor;
    let client = client.map(shown);
    tracing::warn!(target: "audit", action, outcome = "refused", account, reason, client);
}

fn shown(ClientAddress(address): ClientAddress) -> String {
    address.to_string()
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::IpAddr;
    use std::sync::Arc;

    use parking_lot::Mutex;
    use serde_json::{Value, json};

    use super::*;

    /// A log in memory.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn logged(act: impl FnOnce()) -> Value {
        let log = Log::default();
        let written = log.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || log.clone()).finish();
        tracing::subscriber::with_default(subscriber, act);
        let written = written.0.lock();
        serde_json::from_slice(&written).expect("one record")
    }

    #[test]
    fn a_record_has_structured_fields() {
        let client = Some(ClientAddress(IpAddr::from([192, 0, 2, 1])));
        let actor = Actor { client, account: "boss@example.org" };
        let refused = logged(|| refused("sign-in", actor, "wrong credentials"));
        assert_eq!((&refused["target"], &refused["level"]), (&json!("audit"), &json!("WARN")));
        let fields = json!({
            "action": "sign-in", "outcome": "refused", "account": "boss@example.org",
            "reason": "wrong credentials", "client": "192.0.2.1",
        });
        assert_eq!(refused["fields"], fields);
        let actor = Actor { client: None, account: "a1" };
        let accepted = logged(|| accepted("ban", actor, "b1"));
        let fields = json!({
            "action": "ban", "outcome": "accepted", "account": "a1", "user": "b1",
        });
        assert_eq!((&accepted["level"], &accepted["fields"]), (&json!("INFO"), &fields));
    }
}
