//! Reading replies: success, errors, and a description for a failed step.

use harness::gherkin::StepError;
use harness::world::Reply;
use serde_json::Value;

use crate::operation::Operation;

/// An operation with its reply.
#[derive(Debug, Clone, Copy)]
pub(super) struct Replied<'a> {
    pub(super) operation: &'a Operation,
    pub(super) reply: &'a Reply,
}

impl<'a> Replied<'a> {
    /// The client that sent the request.
    pub(super) fn who(&self) -> &'a str {
        self.operation.who()
    }

    /// Whether the status is a 2xx.
    pub(super) fn is_success(&self) -> bool {
        self.reply.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// # Errors
    ///
    /// When the reply is no success.
    pub(super) fn success(&self) -> Result<(), StepError> {
        StepError::unless(self.is_success(), || {
            format!("{}: expected success, but the reply is {}", self.operation, self.describe())
        })
    }

    /// Checks for exactly this error message and for the status that belongs to it.
    ///
    /// # Errors
    ///
    /// When the reply differs.
    pub(super) fn refused(&self, message: &str) -> Result<(), StepError> {
        let why = || {
            let (operation, reply) = (self.operation, self.describe());
            format!("{operation}: expected the error {message:?}, but the reply is {reply}")
        };
        let status = self.reply.status().ok_or_else(|| StepError::new(why()))?;
        let problems = problems(self.reply)?;
        let says = problems.len() == 1 && problems[0].1 == message;
        StepError::unless(says && status == status_of(message), why)
    }

    /// The reply in words.
    pub(super) fn describe(&self) -> String {
        describe(self.reply)
    }
}

/// A reply in words.
pub(super) fn describe(reply: &Reply) -> String {
    match reply {
        Reply::Answer(answer) => {
            let body = String::from_utf8_lossy(answer.body());
            format!("{} {body}", answer.status())
        }
        Reply::Unanswered(why) => format!("missing ({why})"),
    }
}

/// The errors in a reply: field and message.
///
/// # Errors
///
/// When the body is not `{"errors": [{"message": .., "field"?: ..}, ..]}`.
pub(super) fn problems(reply: &Reply) -> Result<Vec<(String, String)>, StepError> {
    let shapeless =
        || StepError::new(format!("the reply has no valid error body: {}", describe(reply)));
    let body = reply.json();
    let errors = body["errors"].as_array().ok_or_else(shapeless)?;
    let problem = |error: &Value| {
        let message = error["message"].as_str().ok_or_else(shapeless)?;
        let field = error["field"].as_str().unwrap_or_default();
        Ok((field.to_owned(), message.to_owned()))
    };
    let problems: Vec<_> = errors.iter().map(problem).collect::<Result<_, StepError>>()?;
    StepError::unless(
        !problems.is_empty() && body.as_object().is_some_and(|o| o.len() == 1),
        || shapeless().to_string(),
    )?;
    Ok(problems)
}

/// The status that belongs to a message.
fn status_of(message: &str) -> u16 {
    match message {
        "Not authorized" => 401,
        "Payment declined" => 402,
        "Not an administrator" | "User is banned" | "Invalid claim" => 403,
        "Not Found" => 404,
        "Service unavailable, try again later" => 503,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn reply(status: u16, body: &'static str) -> Reply {
        let answer = http::Response::builder().status(status);
        Reply::Answer(answer.body(Bytes::from_static(body.as_bytes())).unwrap())
    }

    fn refused(status: u16, body: &'static str) -> Result<(), StepError> {
        let operation = Operation::SignOut { who: "Anna".to_owned() };
        let reply = reply(status, body);
        Replied { operation: &operation, reply: &reply }.refused("Not Found")
    }

    #[test]
    fn a_refusal_counts_only_in_the_shape_and_under_the_status_of_its_message() {
        let good = r#"{"errors":[{"message":"Not Found"}]}"#;
        assert!(refused(404, good).is_ok());
        assert!(refused(400, good).is_err());
        assert!(refused(404, r#"{"errors":[{"message":"Not authorized"}]}"#).is_err());
        assert!(refused(404, r#"{"error":"Not Found"}"#).is_err());
        assert!(refused(404, r#"{"errors":[]}"#).is_err());
        let more = r#"{"errors":[{"message":"Not Found"}],"stack":"..."}"#;
        assert!(refused(404, more).is_err());
    }

    #[test]
    fn no_reply_is_neither_success_nor_refusal() {
        let operation = Operation::SignOut { who: "Anna".to_owned() };
        let reply = Reply::Unanswered("down".to_owned());
        let replied = Replied { operation: &operation, reply: &reply };
        assert!(replied.success().is_err());
        assert!(replied.refused("Not Found").is_err());
    }
}
