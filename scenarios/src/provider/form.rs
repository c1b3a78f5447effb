//! Form-encoded request bodies, validated as Stripe does.

use std::collections::BTreeMap;

use http::StatusCode;

use super::{Reply, invalid};

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

    /// Rejects fields other than these and metadata.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Reply> {
        let known = |name: &str| names.contains(&name) || metadata(name).is_some();
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

    /// A whole number of cents above zero.
    pub(super) fn amount(&self) -> Result<i64, Reply> {
        let amount = self.required("amount")?;
        amount.parse().ok().filter(|amount| *amount > 0).ok_or_else(|| {
            let message = format!("Invalid positive integer: {amount}");
            bad(&message, "parameter_invalid_integer", "amount")
        })
    }

    /// Three letters, in lower case.
    pub(super) fn currency(&self) -> Result<String, Reply> {
        let currency = self.required("currency")?;
        let fits = currency.len() == 3 && currency.bytes().all(|b| b.is_ascii_alphabetic());
        fits.then(|| currency.to_ascii_lowercase()).ok_or_else(|| {
            let message = format!("Invalid currency: {currency}");
            invalid(StatusCode::BAD_REQUEST, &message, None, Some("currency"))
        })
    }

    /// The fields `metadata[name]`, by name.
    pub(super) fn metadata(&self) -> BTreeMap<&str, &str> {
        let fields = self.0.iter();
        fields.filter_map(|(name, value)| Some((metadata(name)?, value.as_str()))).collect()
    }
}

fn metadata(name: &str) -> Option<&str> {
    name.strip_prefix("metadata[")?.strip_suffix(']')
}

fn bad(message: &str, code: &str, param: &str) -> Reply {
    invalid(StatusCode::BAD_REQUEST, message, Some(code), Some(param))
}
