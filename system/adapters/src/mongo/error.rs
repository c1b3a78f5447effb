//! What a driver's error says about a call: was it refused, was it never sent, or is it not
//! known?
//!
//! In doubt a write is unknown, never unavailable: a caller may take unavailable for "nothing
//! was written".

use mongodb::error::{
    Error, ErrorKind, NO_WRITES_PERFORMED, SYSTEM_OVERLOADED_ERROR, WriteFailure,
};

use ports::store::{ReadError, WriteError};

/// The collection is already there.
pub(super) const NAMESPACE_EXISTS: i32 = 48;
/// A unique index has the key already.
const DUPLICATE_KEY: i32 = 11000;
/// The server has not done this one: it is not the primary, or others held what it needed.
const NOT_TAKEN: [i32; 6] = [24, 46, 112, 10058, 10107, 13435];
/// The server gave up on a call that it may have carried out: interrupted by shutdown or by
/// a change of primary, its time limit, or its own network.
const INTERRUPTED: [i32; 14] =
    [6, 7, 50, 64, 89, 91, 134, 189, 262, 9001, 11600, 11601, 11602, 13436];

/// What is known of a call that failed.
#[derive(Debug, PartialEq, Eq)]
enum Known {
    /// Refused by the unique index of this name.
    Duplicate(String),
    /// It was never carried out, through no fault of the caller.
    NotDone,
    /// It may have been carried out.
    Perhaps,
    /// The caller asked for what cannot be done.
    Refused,
}

/// The server's code for the error, where it is the server's.
pub(super) fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        _ => None,
    }
}

/// As a failed read: it can be repeated whatever has become of it.
pub(super) fn read_error(error: &Error) -> ReadError {
    match known(error) {
        Known::Refused | Known::Duplicate(_) => ReadError::Rejected(error.to_string()),
        Known::NotDone | Known::Perhaps => ReadError::Unavailable(error.to_string()),
    }
}

/// As a failed write.
pub(super) fn write_error(error: &Error) -> WriteError {
    match known(error) {
        Known::Duplicate(index) => WriteError::Duplicate { index },
        Known::NotDone => WriteError::Unavailable(error.to_string()),
        Known::Perhaps => WriteError::Unknown(error.to_string()),
        Known::Refused => WriteError::Rejected(error.to_string()),
    }
}

fn known(error: &Error) -> Known {
    if error.contains_label(NO_WRITES_PERFORMED) {
        return Known::NotDone;
    }
    match &*error.kind {
        ErrorKind::Command(error) => answered(error.code, &error.message),
        ErrorKind::Write(WriteFailure::WriteError(error)) => answered(error.code, &error.message),
        ErrorKind::InvalidArgument { .. } => Known::Refused,
        ErrorKind::ServerSelection { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::InvalidTlsConfig { .. }
        | ErrorKind::IncompatibleServer { .. }
        | ErrorKind::SessionsNotSupported
        | ErrorKind::Shutdown => Known::NotDone,
        // The driver puts this label on errors of making a connection, and on no others.
        ErrorKind::Io(_) if error.contains_label(SYSTEM_OVERLOADED_ERROR) => Known::NotDone,
        // The same kind is also a connection cut while it waited for the answer, in other words.
        ErrorKind::ConnectionPoolCleared { message, .. }
            if message.starts_with("Connection pool for ") =>
        {
            Known::NotDone
        }
        _ => Known::Perhaps,
    }
}

fn answered(code: i32, message: &str) -> Known {
    match code {
        DUPLICATE_KEY => Known::Duplicate(index(message)),
        code if NOT_TAKEN.contains(&code) => Known::NotDone,
        code if INTERRUPTED.contains(&code) => Known::Perhaps,
        _ => Known::Refused,
    }
}

/// The index that a duplicate key error names: `E11000 duplicate key error collection:
/// orders.orders index: ticket dup key: { ticketId: "t" }`.
fn index(message: &str) -> String {
    let named = message.split_once(" index: ").map(|(_, rest)| rest);
    let name = named.and_then(|rest| rest.split_once(" dup key")).map(|(name, _)| name);
    name.unwrap_or("unnamed").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duplicate_names_its_index() {
        let message = "E11000 duplicate key error collection: orders.orders index: _id_ dup key: \
                       { _id: \"an index: odd dup key\" }";
        assert_eq!(answered(11000, message), Known::Duplicate("_id_".to_owned()));
    }

    #[test]
    fn a_connection_cut_while_waiting_may_have_written() {
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        assert!(matches!(write_error(&Error::from(lost)), WriteError::Unknown(_)));
    }

    #[test]
    fn a_shutdown_in_the_middle_may_have_written_and_a_secondary_has_not() {
        assert_eq!(answered(11600, "interrupted at shutdown"), Known::Perhaps);
        assert_eq!(answered(10107, "not primary"), Known::NotDone);
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_unavailable() {
        use crate::mongo::Mongo;
        use ports::store::Store;

        let url = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=50";
        let mut options = mongodb::options::ClientOptions::parse(url).await.expect("it is valid");
        options.server_selection_timeout = Some(std::time::Duration::from_millis(50));
        let client = mongodb::Client::with_options(options).expect("nothing connects yet");
        let store = Mongo::with_client(&client, "nowhere");
        let document = bson::doc! { "_id": "a" };
        let written = store.insert("things", document).await;
        assert!(matches!(written, Err(WriteError::Unavailable(_))), "{written:?}");
        assert!(matches!(store.ping().await, Err(ReadError::Unavailable(_))));
    }
}
