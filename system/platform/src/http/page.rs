//! Pages of a list, newest first: `?limit` and `?after`, the id after which a page begins.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use bson::{Document, doc};
use ports::entropy::is_id;
use ports::store::Find;
use schemars::json_schema;
use serde::Deserialize;

use super::error::ApiError;
use super::interface::{Endpoint, Parameter, Takes, id_schema};

/// The size of a page where the client names none.
const DEFAULT_LIMIT: u32 = 100;
/// The largest page.
const MAX_LIMIT: u32 = 1000;

/// A page of a list, newest first. An id holds its time of creation, so the order of ids is the
/// order of age.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The maximum number of items.
    pub limit: u32,
    /// The id of the item before the first one; `None` for the newest.
    pub after: Option<String>,
}

impl Page {
    /// Returns the query for this page of the documents that match.
    #[must_use]
    pub fn of(self, mut filter: Document) -> Find {
        if let Some(after) = self.after {
            filter.insert("_id", doc! { "$lt": after });
        }
        Find { filter, sort: doc! { "_id": -1 }, limit: self.limit }
    }
}

/// Decoded as text, so that a bad value is reported like a bad field of a body.
#[derive(Deserialize)]
struct Asked {
    limit: Option<String>,
    after: Option<String>,
}

impl Asked {
    fn page(self) -> Result<Page, ApiError> {
        let limit = self.limit.map_or(Some(DEFAULT_LIMIT), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=MAX_LIMIT).contains(limit));
        let after = self.after.map(|after| after.to_ascii_lowercase());
        let mut bad = Vec::new();
        if limit.is_none() {
            bad.push(bad_limit());
        }
        if after.as_ref().is_some_and(|after| !is_id(after)) {
            bad.push(bad_cursor());
        }
        limit
            .filter(|_| bad.is_empty())
            .map(|limit| Page { limit, after })
            .ok_or_else(|| ApiError::invalid(bad))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let Query(asked) = Query::<Asked>::from_request_parts(parts, state)
            .await
            .map_err(|e| ApiError::refused(e.body_text()))?;
        asked.page()
    }
}

impl Takes for Page {
    fn describe(endpoint: &mut Endpoint) {
        let limit = Parameter {
            name: "limit",
            about: "The maximum number of items",
            is_in_path: false,
            schema: json_schema!({
                "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT,
            }),
        };
        let after = Parameter {
            name: "after",
            about: "The id of the item before the first one; the newest without it",
            is_in_path: false,
            schema: id_schema(),
        };
        endpoint.parameters.extend([limit, after]);
        endpoint.refuses(&ApiError::invalid([bad_limit(), bad_cursor()]));
    }
}

fn bad_limit() -> (String, String) {
    ("limit".to_owned(), format!("must be 1 to {MAX_LIMIT}"))
}

fn bad_cursor() -> (String, String) {
    ("after".to_owned(), "must be 24 hex digits".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: Option<&str>, after: Option<&str>) -> Result<Page, ApiError> {
        Asked { limit: limit.map(str::to_owned), after: after.map(str::to_owned) }.page()
    }

    #[test]
    fn the_id_after_which_a_page_begins_ignores_case() {
        assert_eq!(page(None, None), Ok(Page { limit: 100, after: None }));
        let after = "65a0000000000000000000ff".to_owned();
        let decoded = page(Some("7"), Some("65A0000000000000000000FF"));
        assert_eq!(decoded, Ok(Page { limit: 7, after: Some(after) }));
    }

    #[test]
    fn every_bad_query_parameter_is_reported() {
        for limit in ["", "0", "-1", "1.5", "many", "1001", "99999999999999"] {
            let bad = ("limit".to_owned(), "must be 1 to 1000".to_owned());
            assert_eq!(page(Some(limit), None), Err(ApiError::invalid([bad])), "{limit}");
        }
        let bad = [
            ("limit".to_owned(), "must be 1 to 1000".to_owned()),
            ("after".to_owned(), "must be 24 hex digits".to_owned()),
        ];
        assert_eq!(page(Some("0"), Some("yesterday")), Err(ApiError::invalid(bad)));
    }
}
