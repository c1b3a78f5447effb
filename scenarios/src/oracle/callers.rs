//! The callers that a request may have had.

use std::rc::Rc;

use http::header;

use super::Court;
use super::access::Ended;
use super::exchange::Exchange;
use crate::model::session::Token;
use crate::model::{Answer, Caller, Rule};

impl<'a> Court<'a> {
    /// The callers that a request may have had: a token may end, and a ban or the end of a session
    /// be heard, meanwhile.
    pub(super) fn callers(&self, exchange: &Exchange<'a>) -> Vec<Option<Caller>> {
        let tokens = self.tokens(exchange);
        let mut callers = Vec::new();
        for at in [exchange.invoked.at, exchange.returned.at] {
            let valid = tokens.iter().filter(|token| at.as_second() < token.exp);
            let mut may_be_none = true;
            for token in valid {
                let ended = self.access.ended(exchange, token);
                if ended == Ended::Certainly {
                    continue;
                }
                if self.access.may_be_banned(exchange, &token.caller.id) {
                    callers.push(None);
                }
                callers.push(Some(token.caller.clone()));
                if ended == Ended::No {
                    may_be_none = false;
                    break;
                }
            }
            callers.extend(may_be_none.then_some(None));
        }
        callers.dedup();
        callers
    }

    /// The tokens of a request. A client sends the same cookie many times.
    pub(super) fn tokens(&self, exchange: &Exchange<'a>) -> Rc<Vec<Token>> {
        let read = || Rc::new(self.evidence.clients.sessions.tokens(exchange.headers));
        let mut cookies = exchange.headers.get_all(header::COOKIE).into_iter();
        match (cookies.next(), cookies.next()) {
            (Some(cookie), None) => {
                let mut known = self.tokens.borrow_mut();
                Rc::clone(known.entry(cookie.as_bytes()).or_insert_with(read))
            }
            _ => read(),
        }
    }

    /// The answers to a route that needs a session.
    pub(super) fn signed_in(
        &self,
        exchange: &Exchange<'a>,
        without: Rule,
        with: impl Fn(&Caller) -> Vec<Answer>,
    ) -> Vec<Answer> {
        let answers = |caller: Option<Caller>| match caller {
            Some(caller) => with(&caller),
            None => vec![Answer::unauthorized(without)],
        };
        self.callers(exchange).into_iter().flat_map(answers).collect()
    }
}
