//! What people are told: reading answers, and saying in words what they are.

use harness::world::Reply;
use serde_json::Value;

use super::{Act, Wrong};

/// Somebody did something, and this is what came back.
#[derive(Debug, Clone)]
pub struct Answered {
    /// Who did it.
    pub who: String,
    /// What they did.
    pub act: Act,
    /// What came back.
    pub reply: Reply,
}

impl Answered {
    /// Whether it went well.
    pub fn is_success(&self) -> bool {
        self.reply.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// # Errors
    ///
    /// When it did not go well.
    pub fn success(&self) -> Result<(), Wrong> {
        Wrong::unless(self.is_success(), || {
            format!("{} was to succeed, and was told {}", self.who, describe(&self.reply))
        })
    }

    /// That it was refused with just this message, under the status that belongs to it.
    ///
    /// # Errors
    ///
    /// When it was not.
    pub fn refused(&self, message: &str) -> Result<(), Wrong> {
        let told =
            || format!("{} was to be told {message:?}, and was told {}", self.who, self.describe());
        let status = self.reply.status().ok_or_else(|| Wrong(told()))?;
        let problems = problems(&self.reply)?;
        let says = problems.len() == 1 && problems[0].1 == message;
        Wrong::unless(says && status == status_of(message), told)
    }

    /// What came back, in words.
    pub fn describe(&self) -> String {
        describe(&self.reply)
    }
}

/// An answer in words.
pub fn describe(reply: &Reply) -> String {
    match reply {
        Reply::Answer(answer) => {
            let body = String::from_utf8_lossy(answer.body());
            format!("{} {body}", answer.status())
        }
        Reply::Unanswered(why) => format!("nothing ({why})"),
    }
}

/// The problems that a refusal names: field and message.
///
/// # Errors
///
/// When the answer is not in the shape that every refusal has.
pub fn problems(reply: &Reply) -> Result<Vec<(String, String)>, Wrong> {
    let shapeless = || Wrong(format!("not in the shape of a refusal: {}", describe(reply)));
    let body = reply.json();
    let errors = body["errors"].as_array().ok_or_else(shapeless)?;
    let problem = |error: &Value| {
        let message = error["message"].as_str().ok_or_else(shapeless)?;
        let field = error["field"].as_str().unwrap_or_default();
        Ok((field.to_owned(), message.to_owned()))
    };
    let problems: Vec<_> = errors.iter().map(problem).collect::<Result<_, Wrong>>()?;
    Wrong::unless(!problems.is_empty() && body.as_object().is_some_and(|o| o.len() == 1), || {
        shapeless().0
    })?;
    Ok(problems)
}

/// The status under which a message is given.
fn status_of(message: &str) -> u16 {
    match message {
        "Not authorized" => 401,
        "Payment declined" => 402,
        "Not an administrator" | "User is banned" => 403,
        "Not Found" => 404,
        "Service unavailable, try again later" => 503,
        _ => 400,
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn told(status: u16, body: &'static str) -> Answered {
        let answer = http::Response::builder().status(status);
        let answer = answer.body(Bytes::from_static(body.as_bytes())).unwrap();
        Answered { who: "Anna".to_owned(), act: Act::SignOut, reply: Reply::Answer(answer) }
    }

    #[test]
    fn a_refusal_counts_only_in_the_shape_and_under_the_status_of_its_message() {
        let good = r#"{"errors":[{"message":"Not Found"}]}"#;
        assert!(told(404, good).refused("Not Found").is_ok());
        assert!(told(400, good).refused("Not Found").is_err());
        assert!(told(404, good).refused("Not authorized").is_err());
        assert!(told(404, r#"{"error":"Not Found"}"#).refused("Not Found").is_err());
        assert!(told(404, r#"{"errors":[]}"#).refused("Not Found").is_err());
        let more = r#"{"errors":[{"message":"Not Found"}],"stack":"..."}"#;
        assert!(told(404, more).refused("Not Found").is_err());
    }

    #[test]
    fn no_answer_is_neither_success_nor_refusal() {
        let reply = Reply::Unanswered("down".to_owned());
        let answered = Answered { who: "Anna".to_owned(), act: Act::SignOut, reply };
        assert!(answered.success().is_err());
        assert!(answered.refused("Not Found").is_err());
    }
}
