//! Form-encoded bodies and queries of requests, validated as Stripe does.

use std::collections::BTreeMap;

use super::reply::Reply;

/// The smallest charge in US dollars, in cents.
const SMALLEST: i64 = 50;

/// The largest charge, which has eight digits in any currency.
const LARGEST: i64 = 99_999_999;

/// The fields of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Form(BTreeMap<String, String>);

impl Form {
    pub(super) fn read(body: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(body).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Rejects fields other than these; `metadata` stands for all of metadata.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Reply> {
        let takes_metadata = names.contains(&"metadata");
        let known =
            |name: &str| names.contains(&name) || takes_metadata && metadata(name).is_some();
        match self.0.keys().find(|name| !known(name)) {
            None => Ok(()),
            Some(name) => {
                let message = format!("Received unknown parameter: {name}");
                Err(bad(&message, "parameter_unknown", name))
            }
        }
    }

    pub(super) fn required(&self, name: &str) -> Result<&str, Reply> {
        self.get(name).filter(|value| !value.is_empty()).ok_or_else(|| {
            bad(&format!("Missing required param: {name}."), "parameter_missing", name)
        })
    }

    /// A whole number of cents that can be charged.
    pub(super) fn amount(&self) -> Result<i64, Reply> {
        let amount = self.required("amount")?;
        let cents = amount.parse().ok().filter(|amount| *amount > 0);
        let cents: i64 = cents.ok_or_else(|| {
            let message = format!("Invalid positive integer: {amount}");
            bad(&message, "parameter_invalid_integer", "amount")
        })?;
        match cents {
            ..SMALLEST => {
                Err(bad("Amount must be at least $0.50 usd", "amount_too_small", "amount"))
            }
            SMALLEST..=LARGEST => Ok(cents),
            _ => {
                let message = "Amount must be no more than $999,999.99";
                Err(bad(message, "amount_too_large", "amount"))
            }
        }
    }

    /// The number of objects on a page of a list.
    pub(super) fn limit(&self) -> Result<usize, Reply> {
        let limit = self.get("limit").unwrap_or("10");
        limit.parse().ok().filter(|limit| (1..=100).contains(limit)).ok_or_else(|| {
            bad(&format!("Invalid limit: {limit}"), "parameter_invalid_integer", "limit")
        })
    }

    /// A time in seconds since 1970; `None` where the field is missing.
    pub(super) fn time(&self, name: &str) -> Result<Option<i64>, Reply> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let seconds = text.parse().map_err(|_| {
            bad(&format!("Invalid integer: {text}"), "parameter_invalid_integer", name)
        })?;
        Ok(Some(seconds))
    }

    /// Three letters, in lower case.
    pub(super) fn currency(&self) -> Result<String, Reply> {
        let currency = self.required("currency")?;
        let fits = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_alphabetic());
        fits.then(|| currency.to_ascii_lowercase()).ok_or_else(|| {
            let message = format!("Invalid currency: {currency}");
            Reply::invalid(None, &message, Some("currency"))
        })
    }

    /// The fields `metadata[name]`, by name.
    pub(super) fn metadata(&self) -> BTreeMap<String, String> {
        let fields = self.0.iter();
        let named =
            |(name, value): (&String, &String)| Some((metadata(name)?.to_owned(), value.clone()));
        fields.filter_map(named).collect()
    }
}

fn metadata(name: &str) -> Option<&str> {
    name.strip_prefix("metadata[")?.strip_suffix(']')
}

fn bad(message: &str, code: &str, param: &str) -> Reply {
    Reply::invalid(Some(code), message, Some(param))
}
