//! Money: whole cents inside, a JSON number with at most two decimals outside.
//!
//! No sum is ever a float. A price is parsed from its decimal digits, so 19.99 is 1999 cents
//! and not 1998. There is no currency here: the payment provider's configuration has it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

/// An amount in cents.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Cents(pub i64);

impl Cents {
    /// The largest amount: ten million currency units.
    pub const MAX: Self = Self(1_000_000_000);

    /// The lowest price of a ticket: the payment provider charges no less.
    pub const LOWEST_PRICE: Self = Self(50);

    /// The highest price of a ticket: the payment provider charges no more.
    pub const HIGHEST_PRICE: Self = Self(99_999_999);

    /// Returns true if the payment provider can charge this amount.
    #[must_use]
    pub fn is_price(self) -> bool {
        (Self::LOWEST_PRICE..=Self::HIGHEST_PRICE).contains(&self)
    }

    /// Parses a positive amount from a JSON number or a decimal string with at most two
    /// decimals; `None` for anything else.
    ///
    /// ```
    /// use contracts::Cents;
    /// use serde_json::json;
    /// assert_eq!(Cents::from_json(&json!(19.99)), Some(Cents(1999)));
    /// assert_eq!(Cents::from_json(&json!("20.00")), Some(Cents(2000)));
    /// assert_eq!(Cents::from_json(&json!(0.001)), None);
    /// assert_eq!(Cents::from_json(&json!(-1)), None);
    /// ```
    #[must_use]
    pub fn from_json(value: &Value) -> Option<Self> {
        let digits = match value {
            // The shortest decimal that parses to the same number, as the client wrote it.
            Value::Number(number) => plain(number)?,
            Value::String(text) => text.trim().to_owned(),
            _ => return None,
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let all_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let fits = (1..=8).contains(&whole.len()) && all_digits(whole) && all_digits(fraction);
        let significant = fraction.trim_end_matches('0');
        if !fits || significant.len() > 2 || digits.ends_with('.') {
            return None;
        }
        let cents: i64 = format!("{whole}{significant:0<2}").parse().ok()?;
        (cents > 0 && cents <= Self::MAX.0).then_some(Self(cents))
    }

    /// Returns the amount as a JSON number: 20, 19.9, 19.99.
    ///
    /// ```
    /// use contracts::Cents;
    /// assert_eq!(Cents(1999).to_json().to_string(), "19.99");
    /// assert_eq!(Cents(2000).to_json().to_string(), "20");
    /// ```
    #[must_use]
    pub fn to_json(self) -> Value {
        if self.0 % 100 == 0 {
            return Value::from(self.0 / 100);
        }
        let digits = format!("{}.{:02}", self.0 / 100, self.0 % 100);
        let number = digits.parse().ok().and_then(Number::from_f64);
        Value::Number(number.expect("decimal digits are a finite number"))
    }
}

impl std::fmt::Display for Cents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

/// The schema of an amount as a JSON number. For `#[schemars(with = "Price")]`.
#[derive(Debug)]
pub enum Price {}

impl JsonSchema for Price {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Price".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let (low, high) = (Cents::LOWEST_PRICE.to_json(), Cents::HIGHEST_PRICE.to_json());
        json_schema!({
            "type": "number",
            "minimum": low,
            "maximum": high,
            "description": "An amount with at most two decimals",
        })
    }
}

/// The schema of an amount that is read: a JSON number, or its digits in a string.
#[derive(Debug)]
pub enum PriceInput {}

impl JsonSchema for PriceInput {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "PriceInput".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = json_schema!({ "type": "string", "pattern": "^[0-9]{1,8}(\\.[0-9]+)?$" });
        json_schema!({ "anyOf": [Price::json_schema(generator), text] })
    }
}

/// Formats a JSON number in plain decimal notation, without an exponent.
fn plain(number: &Number) -> Option<String> {
    match number.as_i64() {
        Some(whole) => Some(whole.to_string()),
        None => number.as_f64().map(|float| format!("{float}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_price_up_to_a_thousand_round_trips() {
        for cents in 1..=100_000 {
            let json = Cents(cents).to_json();
            let text = serde_json::to_string(&json).unwrap();
            let back: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(Cents::from_json(&back), Some(Cents(cents)), "{text}");
        }
    }

    #[test]
    fn invalid_prices_are_rejected() {
        for bad in [
            json!(0),
            json!(-5),
            json!(1.005),
            json!("abc"),
            json!(""),
            json!("1."),
            json!(".5"),
            json!("1e3"),
            json!("+1"),
            json!(null),
            json!([1]),
            json!(1e300),
            json!(10_000_000.01),
        ] {
            assert_eq!(Cents::from_json(&bad), None, "{bad}");
        }
    }
}
