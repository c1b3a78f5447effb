//! What people do, as requests, and what is learned from the answers.

use bytes::Bytes;
use contracts::Cents;
use harness::world::Reply;
use http::{HeaderValue, Method, Request, header};
use serde_json::{Value, json};

use super::{Stage, Wrong};

/// Something that somebody does.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Signs up.
    SignUp {
        /// With this address.
        email: String,
        /// And this password.
        password: String,
    },
    /// Signs in.
    SignIn {
        /// With this address.
        email: String,
        /// And this password.
        password: String,
    },
    /// Signs out.
    SignOut,
    /// Changes their own address or password.
    ChangeAccount(Value),
    /// Lists a ticket; with no price where it is null.
    List {
        /// Its title.
        title: String,
        /// Its price, as it is typed.
        price: Value,
    },
    /// Changes a ticket.
    Change {
        /// The ticket, by the title that it was listed under.
        title: String,
        /// The new title.
        to: String,
        /// The new price, as it is typed.
        price: Value,
    },
    /// Reserves a ticket.
    Reserve(String),
    /// Looks at an order.
    Look {
        /// Whose.
        owner: String,
        /// Of which ticket.
        title: String,
    },
    /// Cancels an order.
    Cancel {
        /// Whose.
        owner: String,
        /// Of which ticket.
        title: String,
    },
    /// Pays for an order.
    Pay {
        /// Whose.
        owner: String,
        /// Of which ticket.
        title: String,
        /// What stands for the card.
        token: &'static str,
    },
    /// Bans somebody.
    Ban(String),
    /// Lifts the ban of somebody.
    Unban(String),
    /// Looks at a page of tickets for sale.
    Browse(String),
    /// Sends whatever they like.
    Send {
        /// The method.
        method: Method,
        /// The path.
        path: String,
        /// The content type and the body.
        body: Option<(&'static str, String)>,
    },
}

/// A card that is good.
pub const GOOD_CARD: &str = "tok_visa";
/// A card that is declined.
pub const BAD_CARD: &str = "tok_chargeDeclined";

impl Act {
    /// They sign up as the scenario expects of somebody with this name.
    pub fn sign_up(name: &str) -> Self {
        let (email, password) = (super::people::address(name), super::people::PASSWORD.to_owned());
        Self::SignUp { email, password }
    }

    /// They cancel their own order.
    pub fn cancel(who: &str, title: &str) -> Self {
        Self::Cancel { owner: who.to_owned(), title: title.to_owned() }
    }

    /// They pay for their own order with a good card.
    pub fn pay(who: &str, title: &str) -> Self {
        Self::Pay { owner: who.to_owned(), title: title.to_owned(), token: GOOD_CARD }
    }

    /// They give a ticket another price.
    pub fn reprice(title: &str, price: &str) -> Self {
        let (title, to) = (title.to_owned(), title.to_owned());
        Self::Change { title, to, price: typed(price) }
    }
}

/// A value as somebody types it into a client: JSON where it is JSON, else a text.
pub fn typed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::from(text))
}

impl Stage {
    /// The request with which somebody does this.
    pub(super) fn request(&self, who: &str, act: &Act) -> Result<Request<Bytes>, Wrong> {
        let person = self.person(who);
        let none = Value::Null;
        let request = match act {
            Act::SignUp { email, password } => {
                let body = json!({ "email": email, "password": password });
                person.request(Method::POST, "/api/users/signup", &body)
            }
            Act::SignIn { email, password } => {
                let body = json!({ "email": email, "password": password });
                person.request(Method::POST, "/api/users/signin", &body)
            }
            Act::SignOut => person.request(Method::POST, "/api/users/signout", &json!({})),
            Act::ChangeAccount(body) => person.request(Method::PATCH, "/api/users/me", body),
            Act::List { title, price } => {
                person.request(Method::POST, "/api/tickets", &listing(title, price))
            }
            Act::Change { title, to, price } => {
                let path = format!("/api/tickets/{}", self.ticket(title)?);
                person.request(Method::PUT, &path, &listing(to, price))
            }
            Act::Reserve(title) => {
                let body = json!({ "ticketId": self.ticket(title)? });
                person.request(Method::POST, "/api/orders", &body)
            }
            Act::Look { owner, title } => {
                let path = format!("/api/orders/{}", self.order(owner, title)?);
                person.request(Method::GET, &path, &none)
            }
            Act::Cancel { owner, title } => {
                let path = format!("/api/orders/{}", self.order(owner, title)?);
                person.request(Method::DELETE, &path, &none)
            }
            Act::Pay { owner, title, token } => {
                let body = json!({ "orderId": self.order(owner, title)?, "token": token });
                person.request(Method::POST, "/api/payments", &body)
            }
            Act::Ban(whom) => {
                let path = format!("/api/users/{}/ban", self.person(whom).id);
                person.request(Method::POST, &path, &none)
            }
            Act::Unban(whom) => {
                let path = format!("/api/users/{}/ban", self.person(whom).id);
                person.request(Method::DELETE, &path, &none)
            }
            Act::Browse(query) => {
                person.request(Method::GET, &format!("/api/tickets?{query}"), &none)
            }
            Act::Send { method, path, body } => {
                let mut request = person.request(method.clone(), path, &none);
                if let Some((kind, text)) = body {
                    let kind = HeaderValue::from_static(kind);
                    request.headers_mut().insert(header::CONTENT_TYPE, kind);
                    *request.body_mut() = Bytes::from(text.clone());
                }
                request
            }
        };
        Ok(request)
    }

    /// Keeps what the answer tells.
    pub(super) fn learn(&mut self, who: &str, act: &Act, reply: &Reply) {
        let mut person = self.person(who);
        person.absorb(reply);
        let body = reply.json();
        let created = reply.status() == Some(201);
        let id = body["id"].as_str().unwrap_or_default();
        match act {
            Act::SignUp { email, .. } if created => person.email.clone_from(email),
            Act::List { title, .. } if created => {
                self.tickets.insert(title.clone(), id.to_owned());
            }
            Act::Reserve(title) if created => {
                let price = Cents::from_json(&body["ticket"]["price"]);
                self.remember_order(who, title, id, price);
            }
            _ => {}
        }
        self.set_person(who, person);
    }
}

fn listing(title: &str, price: &Value) -> Value {
    let mut listing = json!({ "title": title });
    if !price.is_null() {
        listing["price"] = price.clone();
    }
    listing
}
