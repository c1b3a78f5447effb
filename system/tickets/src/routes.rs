//! HTTP in: `/api/tickets`. It parses, calls [`crate::model`] and maps refusals to responses.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use contracts::{Cents, messages};
use garde::Validate;
use identity::session::User;
use platform::http::{ApiError, Created, Id, Input, Page, created, input, show};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::model::{self, EditError, Listing, Ticket};
use crate::store;

/// Returns the routes of this service.
pub fn routes(app: App) -> Router {
    Router::new()
        .route("/api/tickets", get(list).post(create))
        .route("/api/tickets/{id}", show(&app.tickets, TicketView::from).put(edit))
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
) -> Created<TicketView> {
    let (ticket, events) = model::list(app.tickets.fresh_id(), user.id, input.listing());
    app.tickets.insert(&ticket, events).await?;
    created(ticket)
}

async fn list(State(app): State<App>, page: Page) -> Result<Json<Vec<TicketView>>, ApiError> {
    let tickets = store::for_sale(&app.tickets, page).await?;
    Ok(Json(tickets.into_iter().map(TicketView::from).collect()))
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
