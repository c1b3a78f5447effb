//! HTTP in: `/api/orders`. It parses, calls [`crate::model`] and maps refusals to responses.

use axum::Json;
use axum::extract::State;
use axum::response::NoContent;
use contracts::{OrderStatus, Price, messages};
use garde::Validate;
use identity::session::User;
use platform::http::input::document_id;
use platform::http::interface::DocumentId;
use platform::http::{ApiError, Created, Id, Input, Page, Route, Routes, created, input};
use platform::read_your_writes::StaleReadRetry;
use ports::Timestamp;
use ports::clock::after;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::model::{self, Order, OrderError, Reservation, Ticket};
use crate::store::{self, HoldError};

/// Returns the routes of this service.
pub fn routes(app: App) -> Routes {
    use OrderError::{Complete, NotFound, NotOwner};
    let table = [
        Route::get("/api/orders", list),
        Route::post("/api/orders", create).refuses([ApiError::not_found()]).refuses([
            HoldError::Held,
            HoldError::TooMany,
            HoldError::Contended,
        ]),
        Route::get("/api/orders/{id}", show).role("buyer").refuses([NotFound, NotOwner]),
        Route::delete("/api/orders/{id}", cancel)
            .role("buyer")
            .refuses([NotFound, NotOwner, Complete]),
    ];
    Routes::new(app, table)
}

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct OrderInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(document_id))]
    #[schemars(!default, with = "DocumentId")]
    ticket_id: String,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Order")]
struct OrderView {
    #[schemars(with = "DocumentId")]
    id: String,
    status: OrderStatus,
    #[schemars(with = "DocumentId")]
    user_id: String,
    expires_at: Timestamp,
    version: i64,
    ticket: TicketView,
}

/// The ticket as it was when it was reserved.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ReservedTicket")]
struct TicketView {
    #[schemars(with = "DocumentId")]
    id: String,
    title: String,
    #[schemars(with = "Price")]
    price: Value,
    version: i64,
}

impl From<Order> for OrderView {
    fn from(order: Order) -> Self {
        Self {
            id: order.id,
            status: order.status,
            user_id: order.user_id,
            expires_at: order.expires_at,
            version: order.version,
            ticket: TicketView {
                id: order.ticket_id,
                title: order.title,
                price: order.price.to_json(),
                version: order.ticket_version,
            },
        }
    }
}

async fn create(
    State(app): State<App>,
    user: User,
    Input(input): Input<OrderInput>,
) -> Created<OrderView> {
    let ticket_id = input.ticket_id.to_ascii_lowercase();
    let ticket = ticket_copy(&app, &ticket_id).await?;
    let now = app.clock.now();
    let reservation = Reservation {
        id: app.entropy.id(now),
        user_id: user.id,
        created_at: now,
        expires_at: after(now, app.reservation_window),
    };
    let order = store::hold(&app.orders, &ticket, &reservation, app.max_open_orders).await?;
    created(order)
}

/// Returns the copy of a ticket. The order may arrive before the ticket-created event has been
/// processed, so a recent ticket that is missing is looked up again.
async fn ticket_copy(app: &App, id: &str) -> Result<Ticket, ApiError> {
    let mut retry = StaleReadRetry::new(id, &app.clock);
    loop {
        if let Some(ticket) = app.tickets.get(id).await? {
            return Ok(ticket);
        }
        if !retry.wait().await {
            return Err(retry.not_found());
        }
    }
}

async fn list(
    State(app): State<App>,
    user: User,
    page: Page,
) -> Result<Json<Vec<OrderView>>, ApiError> {
    let orders = store::of_user(&app.orders, &user.id, page).await?;
    Ok(Json(orders.into_iter().map(OrderView::from).collect()))
}

async fn show(State(app): State<App>, user: User, Id(id): Id) -> Result<Json<OrderView>, ApiError> {
    let order = app.orders.get(&id).await?;
    let order = model::owned(order.as_ref(), &user.id)?;
    Ok(Json(order.clone().into()))
}

async fn cancel(State(app): State<App>, user: User, Id(id): Id) -> Result<NoContent, ApiError> {
    let cancel = |order: Option<&Order>| model::cancel(order, &user.id);
    app.orders.change(&id, cancel).await?;
    Ok(NoContent)
}

impl From<OrderError> for ApiError {
    fn from(error: OrderError) -> Self {
        match error {
            OrderError::NotFound => Self::not_found(),
            OrderError::NotOwner => Self::not_authorized(),
            OrderError::Complete => Self::refused(messages::CANNOT_CANCEL_COMPLETED),
        }
    }
}

impl From<HoldError> for ApiError {
    fn from(error: HoldError) -> Self {
        match error {
            HoldError::Held => Self::refused(messages::ALREADY_RESERVED),
            HoldError::TooMany => Self::refused(messages::TOO_MANY_OPEN_ORDERS),
            HoldError::Contended => Self::unavailable(),
            HoldError::Read(error) => error.into(),
            HoldError::Write(error) => error.into(),
        }
    }
}
