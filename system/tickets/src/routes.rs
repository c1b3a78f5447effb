//! HTTP in: `/api/tickets`. It parses, calls [`crate::model`] and maps refusals to responses.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use contracts::{Cents, messages};
use garde::Validate;
use identity::session::User;
use platform::http::{ApiError, Id, Input, Params, input};
use ports::entropy::is_id;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::model::{self, EditError, Listing, Ticket};
use crate::store;

/// Returns the routes of this service.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/api/tickets", get(list).post(create))
        .route("/api/tickets/{id}", get(show).put(edit))
        .with_state(app)
}

#[derive(Deserialize, Validate)]
struct TicketInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_title))]
    title: String,
    #[serde(default)]
    #[garde(custom(valid_price))]
    price: Value,
}

impl TicketInput {
    fn listing(&self) -> Listing {
        let price = Cents::from_json(&self.price).expect("the price was validated");
        Listing { title: self.title.trim().to_owned(), price }
    }
}

fn valid_title(title: &str, _: &()) -> garde::Result {
    match title.trim().chars().count() {
        1..=200 => Ok(()),
        _ => Err(garde::Error::new("Title must have 1 to 200 characters")),
    }
}

fn valid_price(price: &Value, _: &()) -> garde::Result {
    let message = "Price must be greater than 0, with at most two decimals";
    Cents::from_json(price).map(|_| ()).ok_or_else(|| garde::Error::new(message))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TicketView {
    id: String,
    title: String,
    price: Value,
    user_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<String>,
    version: i64,
}

impl From<Ticket> for TicketView {
    fn from(ticket: Ticket) -> Self {
        Self {
            id: ticket.id,
            title: ticket.title,
            price: ticket.price.to_json(),
            user_id: ticket.user_id,
            order_id: ticket.order_id,
            version: ticket.version,
        }
    }
}

async fn create(
    State(app): State<App>,
    user: User,
    Input(input): Input<TicketInput>,
) -> Result<(StatusCode, Json<TicketView>), ApiError> {
    let id = app.entropy.id(app.clock.now());
    let (ticket, events) = model::list(id, user.id, input.listing());
    app.tickets.insert(&ticket, events).await?;
    Ok((StatusCode::CREATED, Json(ticket.into())))
}

/// Decoded as text, so that a bad value is reported like a bad field of a body.
#[derive(Deserialize)]
struct PageInput {
    limit: Option<String>,
    after: Option<String>,
}

/// A page of the tickets for sale.
#[derive(Debug, PartialEq, Eq)]
struct Page {
    limit: u32,
    after: Option<String>,
}

impl PageInput {
    fn page(self) -> Result<Page, ApiError> {
        let limit = self.limit.map_or(Some(100), |limit| limit.parse().ok());
        let limit = limit.filter(|limit| (1..=1000).contains(limit));
        let after = self.after.map(|after| after.to_ascii_lowercase());
        let mut bad = Vec::new();
        if limit.is_none() {
            bad.push(("limit".to_owned(), "must be 1 to 1000".to_owned()));
        }
        if after.as_ref().is_some_and(|after| !is_id(after)) {
            bad.push(("after".to_owned(), "must be 24 hex digits".to_owned()));
        }
        limit
            .filter(|_| bad.is_empty())
            .map(|limit| Page { limit, after })
            .ok_or_else(|| ApiError::invalid(bad))
    }
}

async fn list(
    State(app): State<App>,
    Params(input): Params<PageInput>,
) -> Result<Json<Vec<TicketView>>, ApiError> {
    let page = input.page()?;
    let tickets = store::for_sale(&app.tickets, page.limit, page.after).await?;
    Ok(Json(tickets.into_iter().map(TicketView::from).collect()))
}

async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<TicketView>, ApiError> {
    let ticket = app.tickets.get(&id).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(ticket.into()))
}

async fn edit(
    State(app): State<App>,
    user: User,
    Id(id): Id,
    Input(input): Input<TicketInput>,
) -> Result<Json<TicketView>, ApiError> {
    let listing = input.listing();
    let edit = |ticket: Option<&Ticket>| model::edit(ticket, &user.id, &listing);
    let changed = app.tickets.change(&id, edit).await?;
    let ticket = changed.document.expect("an edit never removes the ticket");
    Ok(Json(ticket.into()))
}

impl From<EditError> for ApiError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::NotFound => Self::not_found(),
            EditError::NotOwner => Self::not_authorized(),
            EditError::Reserved => Self::refused(messages::CANNOT_EDIT_RESERVED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(limit: Option<&str>, after: Option<&str>) -> Result<Page, ApiError> {
        PageInput { limit: limit.map(str::to_owned), after: after.map(str::to_owned) }.page()
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
