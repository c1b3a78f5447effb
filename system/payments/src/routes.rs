//! HTTP in: `/api/payments`. It parses, calls [`crate::model`] and maps refusals to responses.

use axum::extract::State;
use axum::http::StatusCode;
use contracts::messages;
use garde::Validate;
use identity::session::User;
use platform::collection::ChangeError;
use platform::http::input::document_id;
use platform::http::interface::DocumentId;
use platform::http::{ApiError, Created, Input, Route, Routes, created, input};
use platform::read_your_writes::StaleReadRetry;
use ports::store::WriteError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::charges;
use crate::model::{self, Order, PaymentError};

/// Returns the routes of this service.
pub fn routes(app: App) -> Routes {
    use PaymentError::{Cancelled, Declined, NotBuyer, NotFound, Paid, Unanswered};
    let refusals = [NotFound, NotBuyer, Cancelled, Paid, Declined, Unanswered];
    Routes::new(app, [Route::post("/api/payments", pay).role("buyer").refuses(refusals)])
}

/// The largest number of characters of the token of a card.
const TOKEN_LENGTH: usize = 200;

#[derive(Deserialize, Validate, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct PaymentInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(document_id))]
    #[schemars(!default, with = "DocumentId")]
    order_id: String,
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_token))]
    #[schemars(!default, length(min = 1, max = TOKEN_LENGTH))]
    token: String,
}

fn valid_token(token: &str, _: &()) -> garde::Result {
    match token.trim().chars().count() {
        1..=TOKEN_LENGTH => Ok(()),
        _ => Err(garde::Error::new(format!("Token must have 1 to {TOKEN_LENGTH} characters"))),
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Payment")]
struct PaymentView {
    /// The id of the charge.
    #[schemars(with = "DocumentId")]
    id: String,
}

async fn pay(
    State(app): State<App>,
    user: User,
    Input(input): Input<PaymentInput>,
) -> Created<PaymentView> {
    let order_id = input.order_id.to_ascii_lowercase();
    let now = app.clock.now();
    let id = app.entropy.id(now);
    let token = input.token.trim();
    let intend = |order: Option<&Order>| model::intend(order, &user.id, &id, token, now);
    // The payment may arrive before the order-created event has been processed.
    let mut retry = StaleReadRetry::new(&order_id, &app.clock);
    let intended = loop {
        let intended = app.orders.change(&order_id, intend).await;
        let is_unknown = matches!(intended, Err(ChangeError::Refused(PaymentError::NotFound)));
        if !is_unknown {
            break intended;
        }
        if !retry.wait().await {
            return Err(retry.not_found());
        }
    };
    if matches!(intended, Err(ChangeError::Write(WriteError::Unknown(_)))) {
        // The charge may exist.
        app.unsettled.read();
    }
    let order = intended?.document.expect("an intent never removes the order");
    // If this request dies, the task settles the charge.
    order.due.into_iter().for_each(|due| app.unsettled.add(due));
    let asked = charges::ask(&app, order).await?;
    let order = asked.document.expect("a charged order exists");
    let id = model::respond(&order, asked.written)?;
    created(PaymentView { id })
}

impl From<PaymentError> for ApiError {
    fn from(error: PaymentError) -> Self {
        match error {
            PaymentError::NotFound => Self::not_found(),
            PaymentError::NotBuyer => Self::not_authorized(),
            PaymentError::Cancelled => Self::refused(messages::CANNOT_PAY_CANCELLED),
            PaymentError::Paid => Self::refused(messages::ALREADY_PAID),
            PaymentError::Declined => {
                Self::new(StatusCode::PAYMENT_REQUIRED, messages::PAYMENT_DECLINED)
            }
            PaymentError::Unanswered => Self::unavailable(),
        }
    }
}
