//! The bodies that the routes read, and the validity of each field.

use std::ops::RangeInclusive;

use garde::Validate;
use platform::http::input;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::password::normalized;

/// The lengths of a password, in characters.
const PASSWORD_LENGTH: RangeInclusive<usize> = 4..=20;

#[derive(Deserialize, Validate, JsonSchema)]
pub(crate) struct SignUpInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_email))]
    #[schemars(!default, email)]
    pub(crate) email: String,
    #[serde(default, deserialize_with = "password")]
    #[garde(custom(valid_password))]
    #[schemars(
        !default,
        length(min = *PASSWORD_LENGTH.start(), max = *PASSWORD_LENGTH.end())
    )]
    pub(crate) password: String,
}

#[derive(Deserialize, Validate, JsonSchema)]
pub(crate) struct SignInInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_email))]
    #[schemars(!default, email)]
    pub(crate) email: String,
    #[serde(default, deserialize_with = "password")]
    #[garde(custom(supplied))]
    #[schemars(!default, length(min = 1))]
    pub(crate) password: String,
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EditInput {
    #[serde(default, deserialize_with = "text_or_none")]
    #[garde(inner(custom(valid_email)))]
    #[schemars(email)]
    pub(crate) email: Option<String>,
    #[serde(default, deserialize_with = "password_or_none")]
    #[garde(inner(custom(valid_password)))]
    #[schemars(length(min = *PASSWORD_LENGTH.start(), max = *PASSWORD_LENGTH.end()))]
    pub(crate) password: Option<String>,
    #[serde(default, deserialize_with = "password")]
    #[garde(custom(supplied))]
    #[schemars(!default, length(min = 1))]
    pub(crate) current_password: String,
}

#[derive(Deserialize, Validate, JsonSchema)]
pub(crate) struct ClaimInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(supplied_claim))]
    #[schemars(!default, length(min = 1))]
    pub(crate) claim: String,
}

fn valid_email(email: &str, _: &()) -> garde::Result {
    garde::rules::email::parse_email(email.trim())
        .map_err(|_| garde::Error::new("Email must be valid"))
}

fn valid_password(password: &str, _: &()) -> garde::Result {
    if PASSWORD_LENGTH.contains(&password.chars().count()) {
        return Ok(());
    }
    let (low, high) = (PASSWORD_LENGTH.start(), PASSWORD_LENGTH.end());
    Err(garde::Error::new(format!("Password must be between {low} and {high} characters")))
}

fn supplied(password: &str, _: &()) -> garde::Result {
    if password.is_empty() {
        return Err(garde::Error::new("You must supply a password"));
    }
    Ok(())
}

fn supplied_claim(claim: &str, _: &()) -> garde::Result {
    if claim.trim().is_empty() {
        return Err(garde::Error::new("You must supply a claim"));
    }
    Ok(())
}

/// Decodes a field that may be absent or null, which keep the old value; a value of another
/// type becomes an invalid text.
fn text_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(text),
        _ => Some(String::new()),
    })
}

/// Decodes a password as it is hashed and compared.
fn password<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    input::text(from).map(|password| normalized(&password))
}

/// As [`text_or_none`], for a password.
fn password_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(text_or_none(from)?.map(|password| normalized(&password)))
}
