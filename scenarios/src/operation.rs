//! The operations of ticketing's clients, as plain data.
//!
//! Workloads draw them and steps build them; [`crate::clients`] turns them into requests.

use std::fmt;

use contracts::Cents;
use harness::subject::Reference;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::manner::Manner;
use crate::provider::misbehavior::Misbehavior;

/// The name of the administrator: the only client that may ban users.
pub const ADMINISTRATOR: &str = "the administrator";

/// The name of the payment provider, among those that do something.
const PROVIDER: &str = "the provider";

/// The password of every client, unless a scenario gives another.
pub const PASSWORD: &str = "curtain";

/// An operation of a client. It names clients by name and tickets by title.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Signs up.
    SignUp {
        /// The client.
        who: String,
        /// The email address; `None` for the [`address`] of the name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// The password.
        password: String,
    },
    /// Signs in.
    SignIn {
        /// The client.
        who: String,
        /// The email address; `None` for the [`address`] of the name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<String>,
        /// The password.
        password: String,
    },
    /// Signs out.
    SignOut {
        /// The client.
        who: String,
    },
    /// Changes the client's email address or password.
    ChangeAccount {
        /// The client.
        who: String,
        /// The body of the request.
        change: Value,
    },
    /// Lists a ticket for sale.
    List {
        /// The seller.
        who: String,
        /// The title.
        title: String,
        /// The price.
        price: Price,
    },
    /// Edits a ticket.
    Change {
        /// The client, which need not be the seller.
        who: String,
        /// The title under which the ticket was listed.
        title: String,
        /// The new title.
        to: String,
        /// The new price.
        price: Price,
    },
    /// Reserves a ticket.
    Reserve {
        /// The buyer.
        who: String,
        /// The ticket.
        title: String,
    },
    /// Cancels the buyer's newest order for a ticket.
    Cancel {
        /// The client.
        who: String,
        /// The buyer.
        owner: String,
        /// The ticket.
        title: String,
    },
    /// Pays for the buyer's newest order for a ticket.
    Pay {
        /// The client.
        who: String,
        /// The buyer.
        owner: String,
        /// The ticket.
        title: String,
        /// The card.
        card: Card,
    },
    /// Reads the buyer's newest order for a ticket.
    LookAtOrder {
        /// The client.
        who: String,
        /// The buyer.
        owner: String,
        /// The ticket.
        title: String,
    },
    /// Reads all orders of the client.
    LookAtOrders {
        /// The client.
        who: String,
        /// The query string; `{TITLE}` in it stands for the id of the client's newest order for
        /// that ticket.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        query: String,
    },
    /// Reads a ticket.
    LookAtTicket {
        /// The client.
        who: String,
        /// The ticket.
        title: String,
    },
    /// Reads the claims of the client's session.
    WhoAmI {
        /// The client.
        who: String,
    },
    /// Reads a page of the tickets for sale.
    Browse {
        /// The client.
        who: String,
        /// The query string; `{TITLE}` in it stands for the id of that ticket.
        query: String,
    },
    /// Bans a user.
    Ban {
        /// The client.
        who: String,
        /// The user.
        whom: String,
    },
    /// Lifts the ban on a user.
    Unban {
        /// The client.
        who: String,
        /// The user.
        whom: String,
    },
    /// Does the same in another manner.
    In {
        /// The manner.
        manner: Manner,
        /// The operation.
        operation: Box<Self>,
    },
    /// Makes the payment provider misbehave.
    Misbehave {
        /// In which way.
        how: Misbehavior,
    },
    /// Sends a raw request.
    Send {
        /// The client.
        who: String,
        /// The method.
        method: String,
        /// The path.
        path: String,
        /// Content type and body.
        body: Option<(String, String)>,
    },
}

/// A price as a client sends it: any JSON, valid or not; null leaves the field out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Price(pub Value);

impl Price {
    /// The price in a step: the text read as JSON, or a JSON string where it is not JSON.
    pub fn typed(text: &str) -> Self {
        Self(serde_json::from_str(text).unwrap_or_else(|_| Value::from(text)))
    }

    /// The amount; `None` where the price is not a valid one.
    pub fn cents(&self) -> Option<Cents> {
        Cents::from_json(&self.0)
    }
}

impl From<Cents> for Price {
    fn from(cents: Cents) -> Self {
        Self(cents.to_json())
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.cents() {
            Some(cents) => cents.fmt(f),
            None => self.0.fmt(f),
        }
    }
}

/// A card.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Card {
    /// The provider accepts it.
    Good,
    /// The provider declines it.
    Declined,
    /// No card: the token is empty.
    Missing,
}

impl Card {
    /// The provider's token for the card.
    pub fn token(self) -> &'static str {
        match self {
            Self::Good => "tok_visa",
            Self::Declined => "tok_chargeDeclined",
            Self::Missing => "",
        }
    }
}

/// The default email address of a client.
pub fn address(name: &str) -> String {
    let name = name.strip_prefix("the ").unwrap_or(name);
    let name = if name == "administrator" { "admin" } else { name };
    format!("{}@example.org", name.to_lowercase().replace(' ', "."))
}

/// The title of the n-th ticket, from 0.
pub fn title(number: usize) -> String {
    const TITLES: [&str; 6] = ["Opera", "Ballet", "Concert", "Circus", "Recital", "Musical"];
    let title = TITLES.get(number);
    title.map_or_else(|| format!("Show {number}"), |title| (*title).to_owned())
}

impl Operation {
    /// Signs up with the default email address.
    pub fn sign_up(who: &str) -> Self {
        Self::SignUp { who: who.to_owned(), email: None, password: PASSWORD.to_owned() }
    }

    /// Signs in with the default email address.
    pub fn sign_in(who: &str) -> Self {
        Self::SignIn { who: who.to_owned(), email: None, password: PASSWORD.to_owned() }
    }

    /// Lists a ticket for sale.
    pub fn list(who: &str, title: &str, price: impl Into<Price>) -> Self {
        Self::List { who: who.to_owned(), title: title.to_owned(), price: price.into() }
    }

    /// Changes the price of a ticket.
    pub fn reprice(who: &str, title: &str, price: impl Into<Price>) -> Self {
        let (who, price) = (who.to_owned(), price.into());
        Self::Change { who, title: title.to_owned(), to: title.to_owned(), price }
    }

    /// Reserves a ticket.
    pub fn reserve(who: &str, title: &str) -> Self {
        Self::Reserve { who: who.to_owned(), title: title.to_owned() }
    }

    /// Cancels the client's own order for a ticket.
    pub fn cancel(who: &str, title: &str) -> Self {
        Self::Cancel { who: who.to_owned(), owner: who.to_owned(), title: title.to_owned() }
    }

    /// Pays for the client's own order for a ticket.
    pub fn pay(who: &str, title: &str, card: Card) -> Self {
        let (owner, title) = (who.to_owned(), title.to_owned());
        Self::Pay { who: who.to_owned(), owner, title, card }
    }

    /// Claims the rights of the administrator.
    pub fn claim(who: &str, claim: &str) -> Self {
        let body = serde_json::json!({ "claim": claim }).to_string();
        let (method, path) = ("POST".to_owned(), "/api/users/me/admin".to_owned());
        let body = Some(("application/json".to_owned(), body));
        Self::Send { who: who.to_owned(), method, path, body }
    }

    /// Reads all orders of the client.
    pub fn look_at_orders(who: &str) -> Self {
        Self::LookAtOrders { who: who.to_owned(), query: String::new() }
    }

    /// The same in this manner.
    pub fn in_manner(self, manner: Manner) -> Self {
        Self::In { manner, operation: Box::new(self) }
    }

    /// The operation without its manner.
    pub fn plain(&self) -> &Self {
        match self {
            Self::In { operation, .. } => operation.plain(),
            plain => plain,
        }
    }

    /// The client that sends the operation.
    pub fn who(&self) -> &str {
        match self {
            Self::SignUp { who, .. }
            | Self::SignIn { who, .. }
            | Self::SignOut { who }
            | Self::ChangeAccount { who, .. }
            | Self::List { who, .. }
            | Self::Change { who, .. }
            | Self::Reserve { who, .. }
            | Self::Cancel { who, .. }
            | Self::Pay { who, .. }
            | Self::LookAtOrder { who, .. }
            | Self::LookAtOrders { who, .. }
            | Self::LookAtTicket { who, .. }
            | Self::WhoAmI { who }
            | Self::Browse { who, .. }
            | Self::Ban { who, .. }
            | Self::Unban { who, .. }
            | Self::Send { who, .. } => who,
            Self::In { operation, .. } => operation.who(),
            Self::Misbehave { .. } => PROVIDER,
        }
    }
}

/// The kind of a ticket among the things that operations name.
const TICKET: &str = "ticket";

impl harness::subject::Operation for Operation {
    fn references(&mut self) -> Vec<Reference<'_>> {
        use Reference::{Client, Thing};
        match self {
            Self::SignIn { who, email: None, .. }
            | Self::SignOut { who }
            | Self::WhoAmI { who } => vec![Client(who)],
            Self::LookAtOrders { who, query } | Self::Browse { who, query } => {
                // A query may contain a title.
                if query.contains('{') { Vec::new() } else { vec![Client(who)] }
            }
            Self::In { operation, .. } => operation.references(),
            // A client that signs up is not one of the prepared ones, and an email address or a
            // raw request may contain a client's name.
            Self::SignUp { .. }
            | Self::SignIn { .. }
            | Self::ChangeAccount { .. }
            | Self::Misbehave { .. }
            | Self::Send { .. } => Vec::new(),
            Self::List { who, title, .. }
            | Self::Reserve { who, title }
            | Self::LookAtTicket { who, title } => {
                vec![Client(who), Thing(TICKET, title)]
            }
            Self::Change { who, title, to, .. } => {
                let keeps_title = title == to;
                let mut references = vec![Client(who), Thing(TICKET, title)];
                references.extend(keeps_title.then_some(Thing(TICKET, to)));
                references
            }
            Self::Cancel { who, owner, title }
            | Self::Pay { who, owner, title, .. }
            | Self::LookAtOrder { who, owner, title } => {
                vec![Client(who), Client(owner), Thing(TICKET, title)]
            }
            Self::Ban { who, whom } | Self::Unban { who, whom } => vec![Client(who), Client(whom)],
        }
    }

    fn simpler(&self) -> Vec<Self> {
        let round = |cents| Price::from(Cents(cents));
        match self {
            Self::List { who, title, price } if *price != round(2000) => {
                vec![Self::list(who, title, round(2000))]
            }
            Self::Change { who, title, to, price } if *price != round(2500) && title == to => {
                vec![Self::reprice(who, title, round(2500))]
            }
            Self::In { operation, .. } => vec![(**operation).clone()],
            Self::Misbehave { how } => {
                how.simpler().into_iter().map(|how| Self::Misbehave { how }).collect()
            }
            _ => Vec::new(),
        }
    }

    fn cells(&self) -> Vec<String> {
        let cells = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        match self {
            Self::List { who, title, price } => cells(&[who, "lists", title, &price.to_string()]),
            Self::Change { who, title, to, price } if title == to => {
                cells(&[who, "reprices", title, &price.to_string()])
            }
            Self::Reserve { who, title } => cells(&[who, "reserves", title]),
            Self::Cancel { who, owner, title } if who == owner => cells(&[who, "cancels", title]),
            Self::Pay { who, owner, title, card: Card::Good } if who == owner => {
                cells(&[who, "pays for", title])
            }
            Self::Pay { who, owner, title, card: Card::Declined } if who == owner => {
                cells(&[who, "pays with a declined card for", title])
            }
            Self::Ban { who, whom } => cells(&[who, "bans", whom]),
            Self::Unban { who, whom } => cells(&[who, "lifts the ban on", whom]),
            Self::LookAtOrders { who, query } if query.is_empty() => {
                cells(&[who, "views", "their orders"])
            }
            Self::SignIn { who, .. } if *self == Self::sign_in(who) => {
                cells(&[who, "signs in", "again"])
            }
            Self::SignUp { who, .. } if *self == Self::sign_up(who) => {
                cells(&[who, "signs up", "as new"])
            }
            Self::Misbehave { how } => cells(&[PROVIDER, &how.to_string()]),
            _ => vec![serde_json::to_string(self).expect("an operation is plain data")],
        }
    }

    fn from_cells(cells: &[&str]) -> Option<Self> {
        Some(match *cells {
            [who, "lists", title, price] => Self::list(who, title, amount(price)?),
            [who, "reprices", title, price] => Self::reprice(who, title, amount(price)?),
            [who, "reserves", title] => Self::reserve(who, title),
            [who, "cancels", title] => Self::cancel(who, title),
            [who, "pays for", title] => Self::pay(who, title, Card::Good),
            [who, "pays with a declined card for", title] => Self::pay(who, title, Card::Declined),
            [who, "bans", whom] => Self::Ban { who: who.to_owned(), whom: whom.to_owned() },
            [who, "lifts the ban on", whom] => {
                Self::Unban { who: who.to_owned(), whom: whom.to_owned() }
            }
            [who, "views", "their orders"] => Self::look_at_orders(who),
            [who, "signs in", "again"] => Self::sign_in(who),
            [who, "signs up", "as new"] => Self::sign_up(who),
            [PROVIDER, how] => Self::Misbehave { how: Misbehavior::read(how)? },
            [json] => serde_json::from_str(json).ok()?,
            _ => return None,
        })
    }
}

fn amount(text: &str) -> Option<Price> {
    Cents::from_json(&Value::from(text)).map(Price::from)
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SignUp { who, .. } => write!(f, "{who} signs up"),
            Self::SignIn { who, .. } => write!(f, "{who} signs in again"),
            Self::SignOut { who } => write!(f, "{who} signs out"),
            Self::ChangeAccount { who, .. } => write!(f, "{who} changes their account"),
            Self::List { who, title, price } => write!(f, "{who} lists \"{title}\" for {price}"),
            Self::Change { who, title, to, price } if title == to => {
                write!(f, "{who} changes the price of \"{title}\" to {price}")
            }
            Self::Change { who, title, to, price } => {
                write!(f, "{who} changes \"{title}\" to \"{to}\" for {price}")
            }
            Self::Reserve { who, title } => write!(f, "{who} reserves \"{title}\""),
            Self::Cancel { who, owner, title } if who == owner => {
                write!(f, "{who} cancels the order for \"{title}\"")
            }
            Self::Cancel { who, owner, title } => {
                write!(f, "{who} cancels {owner}'s order for \"{title}\"")
            }
            Self::Pay { who, owner, title, card } => {
                let card = match card {
                    Card::Good => "",
                    Card::Declined => " with a declined card",
                    Card::Missing => " without a card",
                };
                if who == owner {
                    write!(f, "{who} pays for \"{title}\"{card}")
                } else {
                    write!(f, "{who} pays for {owner}'s order for \"{title}\"{card}")
                }
            }
            Self::LookAtOrder { who, owner, title } => {
                write!(f, "{who} views {owner}'s order for \"{title}\"")
            }
            Self::LookAtOrders { who, .. } => write!(f, "{who} views their orders"),
            Self::LookAtTicket { who, title } => write!(f, "{who} views \"{title}\""),
            Self::WhoAmI { who } => write!(f, "{who} views their session"),
            Self::In { manner, operation } => write!(f, "{operation} {manner}"),
            Self::Browse { who, .. } => write!(f, "{who} browses the tickets for sale"),
            Self::Ban { who, whom } => write!(f, "{who} bans {whom}"),
            Self::Unban { who, whom } => write!(f, "{who} lifts the ban on {whom}"),
            Self::Misbehave { how } => write!(f, "{PROVIDER} {how}"),
            Self::Send { who, method, path, .. } => write!(f, "{who} sends {method} {path}"),
        }
    }
}
