//! The meaning of a driver's error: the call was refused, was never carried out, or may have
//! been carried out.
//!
//! In doubt a write may have been applied: callers rely on `Unavailable` to mean that nothing
//! was written. No decision depends on the text of a message.

use std::fmt::Display;

use mongodb::error::{
    Error, ErrorKind, NO_WRITES_PERFORMED, SYSTEM_OVERLOADED_ERROR, WriteFailure,
};

use ports::store::{ReadError, WriteError};

/// The server's code for a collection that does not exist.
const NAMESPACE_NOT_FOUND: i32 = 26;
/// The server's code for a collection that already exists.
const NAMESPACE_EXISTS: i32 = 48;
/// The server's code for a violation of a unique index.
const DUPLICATE_KEY: i32 = 11000;
/// The server's codes for a call that it has not carried out: it is not the primary, could not
/// get a lock, or was short of cache.
const NOT_APPLIED: [i32; 7] = [24, 46, 112, 365, 10058, 10107, 13435];
/// The server's codes for a call that it has aborted and may have carried out: at shutdown, at
/// a change of the primary, at a time limit, or after an error in its own network. Among them are
/// those for the rest of a result whose first part came before a restart (43, 175, 237).
const INTERRUPTED: [i32; 17] =
    [6, 7, 43, 50, 64, 89, 91, 134, 175, 189, 237, 262, 9001, 11600, 11601, 11602, 13436];

/// The outcome of a call that failed.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    /// Refused by a unique index.
    Duplicate,
    /// Not carried out, through no fault of the caller.
    NotApplied,
    /// Possibly carried out.
    MaybeApplied,
    /// Refused, because the request is invalid.
    Refused,
}

/// Whether the error says that the collection already exists.
pub(super) fn is_existing_collection(error: &Error) -> bool {
    code(error) == Some(NAMESPACE_EXISTS)
}

/// Whether the error says that the collection does not exist.
pub(super) fn is_missing_collection(error: &Error) -> bool {
    code(error) == Some(NAMESPACE_NOT_FOUND)
}

/// The error of a read, which can be repeated whatever the outcome.
pub(super) fn read_error(error: &Error) -> ReadError {
    match outcome(error) {
        Outcome::Refused | Outcome::Duplicate => ReadError::Rejected(error.to_string()),
        Outcome::NotApplied | Outcome::MaybeApplied => ReadError::Unavailable(error.to_string()),
    }
}

/// The error of a write; `None` where a unique index refused it.
pub(super) fn write_error(error: &Error) -> Option<WriteError> {
    failure(outcome(error), error)
}

/// The error of a write that the server reports with this code, as [`write_error`].
pub(super) fn reported_error(code: i32, message: &str) -> Option<WriteError> {
    failure(outcome_of_code(code), &message)
}

fn failure(outcome: Outcome, message: &dyn Display) -> Option<WriteError> {
    Some(match outcome {
        Outcome::Duplicate => return None,
        Outcome::NotApplied => WriteError::Unavailable(message.to_string()),
        Outcome::MaybeApplied => WriteError::Unknown(message.to_string()),
        Outcome::Refused => WriteError::Rejected(message.to_string()),
    })
}

fn outcome(error: &Error) -> Outcome {
    if error.contains_label(NO_WRITES_PERFORMED) {
        return Outcome::NotApplied;
    }
    if let Some(code) = code(error) {
        return outcome_of_code(code);
    }
    match &*error.kind {
        ErrorKind::InvalidArgument { .. } => Outcome::Refused,
        ErrorKind::ServerSelection { .. }
        | ErrorKind::Authentication { .. }
        | ErrorKind::DnsResolve { .. }
        | ErrorKind::InvalidTlsConfig { .. }
        | ErrorKind::IncompatibleServer { .. }
        | ErrorKind::SessionsNotSupported
        | ErrorKind::Shutdown => Outcome::NotApplied,
        // The driver sets this label on errors of establishing a connection, and on no others.
        ErrorKind::Io(_) if error.contains_label(SYSTEM_OVERLOADED_ERROR) => Outcome::NotApplied,
        // Among others `ConnectionPoolCleared`, which covers a call that got no connection as
        // well as one that was cut off while it waited for the answer.
        _ => Outcome::MaybeApplied,
    }
}

/// The code, if the error comes from the server.
fn code(error: &Error) -> Option<i32> {
    match &*error.kind {
        ErrorKind::Command(error) => Some(error.code),
        ErrorKind::Write(WriteFailure::WriteError(error)) => Some(error.code),
        _ => None,
    }
}

fn outcome_of_code(code: i32) -> Outcome {
    match code {
        DUPLICATE_KEY => Outcome::Duplicate,
        code if NOT_APPLIED.contains(&code) => Outcome::NotApplied,
        code if INTERRUPTED.contains(&code) => Outcome::MaybeApplied,
        _ => Outcome::Refused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_on_a_connection_that_breaks_may_have_been_applied() {
        let lost = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
        let error = write_error(&Error::from(lost));
        assert!(matches!(error, Some(WriteError::Unknown(_))));
    }

    #[test]
    fn a_shutdown_may_follow_the_write_but_a_secondary_never_writes() {
        assert_eq!(outcome_of_code(11600), Outcome::MaybeApplied);
        assert_eq!(outcome_of_code(10107), Outcome::NotApplied);
    }

    #[test]
    fn a_result_that_a_restart_cuts_short_is_read_again() {
        assert_eq!(outcome_of_code(43), Outcome::MaybeApplied);
    }
}
