//! HTTP in: `/api/payments`.

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use garde::Validate;
use identity::session::User;
use platform::collection::ChangeError;
use platform::http::input::document_id;
use platform::http::{ApiError, Input, input};
use platform::read_your_writes::Patience;
use serde::{Deserialize, Serialize};

use crate::model::{self, Order, Refused};
use crate::{App, charges};

/// The routes of this service.
pub fn routes(app: App) -> Router {
    Router::new().route("/api/payments", post(pay)).with_state(app)
}

#[derive(Deserialize, Validate)]
#[serde(rename_all = "camelCase")]
struct PaymentInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(document_id))]
    order_id: String,
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_token))]
    token: String,
}

fn valid_token(token: &str, _: &()) -> garde::Result {
    match token.trim().chars().count() {
        1..=200 => Ok(()),
        _ => Err(garde::Error::new("Token must have 1 to 200 characters")),
    }
}

#[derive(Serialize)]
struct PaymentView {
    id: String,
}

async fn pay(
    State(app): State<App>,
    user: User,
    Input(input): Input<PaymentInput>,
) -> Result<(StatusCode, Json<PaymentView>), ApiError> {
    let order_id = input.order_id.to_ascii_lowercase();
    let now = app.clock.now();
    let id = app.entropy.id(now);
    let token = input.token.trim();
    let intend = |order: Option<&Order>| model::intend(order, &user.id, &id, token, now);
    // The buyer may know of the order before this service has heard of it.
    let mut patience = Patience::with(&order_id, &app.clock);
    let intended = loop {
        let intended = app.orders.change(&order_id, intend).await;
        let unheard = matches!(intended, Err(ChangeError::Refused(Refused::NotFound)));
        if !unheard || !patience.wait().await {
            break intended;
        }
    };
    if !matches!(intended, Err(ChangeError::Refused(_))) {
        // The charge may be there even where the write says that it failed.
        app.unsettled.wake();
    }
    let order = intended?.document.expect("an intent leaves an order");
    let charge = order.charge.expect("an intent leaves a charge");
    let (asked, _) = charges::ask(&app, &order_id, &charge).await?;
    let order = asked.document.expect("an order that was asked for exists");
    let id = model::answer(&order, asked.written)?;
    Ok((StatusCode::CREATED, Json(PaymentView { id })))
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::NotFound => Self::not_found(),
            Refused::NotBuyer => Self::not_authorized(),
            Refused::Cancelled => Self::refused("Cannot pay for a cancelled order"),
            Refused::Paid => Self::refused("Order is already paid"),
            Refused::Declined => Self::new(StatusCode::PAYMENT_REQUIRED, "Payment declined"),
            Refused::Unanswered => Self::unavailable(),
        }
    }
}
