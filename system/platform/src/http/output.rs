//! Output: the response to a request that created something, and the route that shows a document.

use axum::Json;
use axum::http::StatusCode;
use axum::routing::{MethodRouter, get};
use serde::Serialize;

use super::error::ApiError;
use super::input::Id;
use crate::collection::{Aggregate, Collection};

/// The response to a request that creates a `V`.
pub type Created<V> = Result<(StatusCode, Json<V>), ApiError>;

/// 201 with the new thing as JSON.
///
/// # Errors
///
/// Never: the type is that of the handler.
pub fn created<V>(view: impl Into<V>) -> Created<V> {
    Ok((StatusCode::CREATED, Json(view.into())))
}

/// The route that shows a document by the id in its path to everybody, as `view` converts it.
pub fn show<T, V, S>(collection: &Collection<T>, view: fn(T) -> V) -> MethodRouter<S>
where
    T: Aggregate + 'static,
    V: Serialize + 'static,
    S: Clone + Send + Sync + 'static,
{
    let collection = collection.clone();
    get(move |Id(id): Id| async move {
        let found = collection.get(&id).await?;
        found.map(|document| Json(view(document))).ok_or_else(ApiError::not_found)
    })
}
