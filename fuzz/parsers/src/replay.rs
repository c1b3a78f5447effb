//! Replay tokens.

use std::sync::LazyLock;

use harness::case::{BadToken, Token};
use harness::subject::AnySubject;
use scenarios::Ticketing;

static SUBJECT: LazyLock<AnySubject> = LazyLock::new(|| AnySubject::new(Ticketing));

/// The prefix of a token.
const PREFIX: &str = "r2.";

/// Text is a token whose case makes a token of the same case, or no token. Text that is not a token
/// is also tried as the JSON of a case, which a fuzzer cannot compress by itself.
///
/// # Panics
///
/// If that is false.
pub fn replay(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let case = match text.parse::<Token>() {
        Ok(token) => token.case().expect("a token holds a case"),
        Err(error) => {
            let is_prefix = matches!(error, BadToken::Prefix);
            assert_eq!(is_prefix, !text.trim().starts_with(PREFIX), "{error:?}");
            let Ok(case) = serde_json::from_str(text) else { return };
            case
        }
    };
    let token = Token::of(&case);
    let again: Token = token.to_string().parse().expect("a printed token is one");
    assert_eq!(again, token);
    assert_eq!(again.case().expect("it holds a case"), case);
    // A script of another system is an error.
    let Ok(read) = case.read(&SUBJECT) else { return };
    let token = Token::of(&read);
    let again = token.case().expect("it holds a case").read(&SUBJECT).expect("it is of this one");
    assert_eq!(Token::of(&again), token);
}
