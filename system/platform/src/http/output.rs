//! Output: the response to a request that created something, and the route that shows a document.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ApiError;
use super::input::Id;
use super::interface::{DeclaredAnswer, Gives};
use super::route::Route;
use crate::collection::{Aggregate, Collection};

/// 201 with the new thing as JSON.
#[derive(Debug)]
pub struct New<V>(pub V);

/// The response to a request that creates a `V`.
pub type Created<V> = Result<New<V>, ApiError>;

/// 201 with the new thing as JSON.
///
/// # Errors
///
/// Never: the type is that of the handler.
pub fn created<V>(view: impl Into<V>) -> Created<V> {
    Ok(New(view.into()))
}

impl<V: Serialize> IntoResponse for New<V> {
    fn into_response(self) -> Response {
        (StatusCode::CREATED, Json(self.0)).into_response()
    }
}

impl<V: JsonSchema> Gives for New<V> {
    fn answer() -> (StatusCode, DeclaredAnswer) {
        (StatusCode::CREATED, Json::<V>::answer().1)
    }
}

/// The route that shows a document by the id in its path to everybody, as `view` converts it.
pub fn show<T, V, S>(path: &'static str, collection: &Collection<T>, view: fn(T) -> V) -> Route<S>
where
    T: Aggregate + 'static,
    V: Serialize + JsonSchema + 'static,
    S: Clone + Send + Sync + 'static,
{
    let collection = collection.clone();
    let shown = move |Id(id): Id| async move {
        let found = collection.get(&id).await?;
        found.map(|document| Json(view(document))).ok_or_else(ApiError::not_found)
    };
    Route::get(path, shown).refuses([ApiError::not_found()])
}
