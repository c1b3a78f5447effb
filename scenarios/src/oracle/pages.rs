//! Pages of lists: sorted, complete, and of nothing but what was visible.

use bson::Document;
use harness::evidence::field::text;
use serde_json::Value;

use super::Court;
use super::exchange::Exchange;
use super::routes::visible;
use super::timeline::Collection;
use crate::model::answer::same;
use crate::model::input::Page;
use crate::model::{Answer, Body, Caller, Rule, input, orders, tickets};

/// A list: the documents that belong on it, and how one is shown.
struct List<'l, 'a> {
    all: &'l Collection<'a>,
    belongs: &'l dyn Fn(&Document) -> bool,
    view: fn(&Document) -> Value,
}

impl<'a> Court<'a> {
    /// The answers to a request for tickets.
    pub(super) fn tickets_for_sale(&self, exchange: &Exchange<'a>) -> Vec<Answer> {
        let belongs = |ticket: &Document| tickets::holder(ticket).is_none();
        let all = &self.timelines.tickets;
        let list = List { all, belongs: &belongs, view: tickets::view };
        match input::page(exchange.query, Rule::TicketPageInput) {
            Ok(page) => list.answers(Rule::TicketPage, &page, exchange),
            Err(answer) => vec![*answer],
        }
    }

    /// The answers to a request for the caller's orders.
    pub(super) fn orders_of(&self, exchange: &Exchange<'a>, by: &Caller) -> Vec<Answer> {
        let belongs = |order: &Document| text(order, "userId") == by.id;
        let list = List { all: &self.timelines.orders, belongs: &belongs, view: orders::view };
        match input::page(exchange.query, Rule::OrderPageInput) {
            Ok(page) => list.answers(Rule::OrderPage, &page, exchange),
            Err(answer) => vec![*answer],
        }
    }
}

impl List<'_, '_> {
    /// The page that was shown, if it is a right one. Otherwise the one as of the end of the
    /// request, to show the difference.
    fn answers(&self, rule: Rule, page: &Page, exchange: &Exchange<'_>) -> Vec<Answer> {
        let right = exchange.shown.as_array().is_some_and(|s| self.is_right(page, s, exchange));
        let answer = Answer::shows(rule, Value::Null);
        if right {
            return vec![Answer { body: Body::Page, ..answer }];
        }
        let newest = self.on_page(page).filter_map(|(_, timeline)| timeline.newest());
        let items = newest.filter(|document| (self.belongs)(document)).take(page.limit);
        vec![Answer { body: Body::Json(items.map(self.view).collect()), ..answer }]
    }

    /// The documents after the cursor, newest first.
    fn on_page(&self, page: &Page) -> impl Iterator<Item = (&str, &super::timeline::Timeline<'_>)> {
        let after = page.after.clone();
        let all = self.all.iter().rev().map(|(id, timeline)| (*id, timeline));
        all.filter(move |(id, _)| after.as_deref().is_none_or(|after| *id < after))
    }

    fn is_right(&self, page: &Page, shown: &[Value], exchange: &Exchange<'_>) -> bool {
        let ids: Vec<&str> = shown.iter().map(|item| item["id"].as_str().unwrap_or("")).collect();
        let is_sorted = ids.windows(2).all(|pair| pair[0] > pair[1]);
        if !is_sorted || ids.len() > page.limit {
            return false;
        }
        let is_last = ids.len() < page.limit;
        let mut shown = shown.iter().zip(&ids).peekable();
        for (id, timeline) in self.on_page(page) {
            let states = visible(timeline, exchange);
            let belongs = |state: &Option<&Document>| state.is_some_and(|s| (self.belongs)(s));
            match shown.next_if(|(_, shown)| **shown == id) {
                Some((item, _)) => {
                    let mut states = states.iter().filter(|state| belongs(state)).flatten();
                    if !states.any(|state| same(&(self.view)(state), item)) {
                        return false;
                    }
                }
                None => {
                    let must = is_last || ids.last().is_some_and(|last| id > *last);
                    if must && states.iter().all(belongs) {
                        return false;
                    }
                }
            }
        }
        shown.next().is_none()
    }
}
