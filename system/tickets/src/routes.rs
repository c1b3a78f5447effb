//! HTTP in: `/api/tickets`. It parses, calls [`crate::model`] and maps refusals to responses.

use axum::Json;
use axum::extract::State;
use contracts::{Cents, Price, PriceInput, messages};
use garde::Validate;
use identity::session::User;
use platform::http::interface::DocumentId;
use platform::http::{ApiError, Created, Id, Input, Page, Route, Routes, created, input, show};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::model::{self, EditError, Listing, Ticket};
use crate::store;

/// Returns the routes of this service.
pub fn routes(app: App) -> Routes {
    let refusals = [EditError::NotFound, EditError::NotOwner, EditError::Reserved];
    let table = [
        Route::get("/api/tickets", list),
        Route::post("/api/tickets", create),
        show("/api/tickets/{id}", &app.tickets, TicketView::from),
        Route::put("/api/tickets/{id}", edit).role("seller").refuses(refusals),
    ];
    Routes::new(app, table)
}

/// The largest number of characters of a title.
const TITLE_LENGTH: usize = 200;

#[derive(Deserialize, Validate, JsonSchema)]
struct TicketInput {
    #[serde(default, deserialize_with = "input::text")]
    #[garde(custom(valid_title))]
    #[schemars(!default, length(min = 1, max = TITLE_LENGTH))]
    title: String,
    #[serde(default)]
    #[garde(custom(valid_price))]
    #[schemars(!default, with = "PriceInput")]
    price: Value,
}

impl TicketInput {
    fn listing(&self) -> Listing {
        let price = Cents::from_json(&self.price).expect("the price was validated");
        Listing { title: self.title.trim().to_owned(), price }
    }
}

fn valid_title(title: &str, _: &()) -> garde::Result {
    let title = title.trim();
    if !(1..=TITLE_LENGTH).contains(&title.chars().count()) || title.chars().all(is_invisible) {
        return Err(garde::Error::new(format!("Title must have 1 to {TITLE_LENGTH} characters")));
    }
    match title.chars().find(|&letter| is_formatting(letter)) {
        None => Ok(()),
        Some(letter) => {
            let message = format!("Title must not contain {}", letter.escape_unicode());
            Err(garde::Error::new(message))
        }
    }
}

/// Whether a character controls a terminal, breaks a line or reverses the text around it, so that
/// a title with it could pose as another one.
fn is_formatting(letter: char) -> bool {
    let is_bidirectional = matches!(
        letter,
        '\u{061c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    letter.is_control() || is_bidirectional || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// Whether a character has no width. Among others it joins letters or emoji; alone it is no title.
fn is_invisible(letter: char) -> bool {
    let has_no_width =
        matches!(letter, '\u{00ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}');
    letter.is_whitespace() || has_no_width || letter == '\u{feff}'
}

fn valid_price(price: &Value, _: &()) -> garde::Result {
    let (low, high) = (Cents::LOWEST_PRICE, Cents::HIGHEST_PRICE);
    let message = || format!("Price must be {low} to {high}, with at most two decimals");
    let price = Cents::from_json(price).filter(|price| price.is_price());
    price.map(|_| ()).ok_or_else(|| garde::Error::new(message()))
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Ticket")]
struct TicketView {
    #[schemars(with = "DocumentId")]
    id: String,
    title: String,
    #[schemars(with = "Price")]
    price: Value,
    #[schemars(with = "DocumentId")]
    user_id: String,
    /// The order that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DocumentId>")]
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_price_is_one_that_the_provider_takes() {
        for good in [json!(0.5), json!("0.50"), json!(1), json!(999_999.99), json!("999999.99")] {
            assert!(valid_price(&good, &()).is_ok(), "{good}");
        }
        for bad in [json!(0.49), json!(0), json!(-1), json!(1_000_000), json!(0.505), json!(null)] {
            let error = valid_price(&bad, &()).expect_err("the provider refuses it");
            let message = "Price must be 0.50 to 999999.99, with at most two decimals";
            assert_eq!(error.message(), message, "{bad}");
        }
    }

    #[test]
    fn a_title_is_visible_text_on_one_line_in_its_own_direction() {
        let long = "é".repeat(200);
        for good in ["O", "Опера", "تذكرة", "می‌خواهم", "👩‍👩‍👧", " Opera\n", long.as_str()]
        {
            assert!(valid_title(good, &()).is_ok(), "{good:?}");
        }
        let too_long = "é".repeat(201);
        let invisible = ["", " ", "\u{200b}", "\u{feff}\u{2060} \u{200d}", too_long.as_str()];
        let formatting = [
            "\0",
            "Ope\u{1b}[31mra",
            "Ope\nra",
            "Ope\tra",
            "Opera\u{7f}!",
            "Ope\u{85}ra",
            "Ope\u{2028}ra",
            "\u{202e}arepO",
            "Opera\u{2066}",
            "\u{61c}Opera",
            "Opera\u{200f}",
        ];
        for bad in invisible.into_iter().chain(formatting) {
            assert!(valid_title(bad, &()).is_err(), "{bad:?}");
        }
    }
}
