//! The oracle: judges every answer of a run by the [model](crate::model).
//!
//! A request meets one state of a resource between its invocation and its return, and other
//! requests and events may change the resource meanwhile. So the model is asked about every
//! version that was visible in that interval, which the trace shows, and the answer must be that
//! of one of them. A request that writes met the version before its own write, which the trace
//! names by its `traceparent`. There is no search: each answer is judged by itself.
//!
//! A request without an answer, and one that is answered with 503, needs a reason too, and may
//! have had the effect of any answer.
//!
//! Without a trace, `outcome` compares accepted operations with the final documents.

mod access;
mod callers;
mod exchange;
mod outcome;
mod pages;
mod reasons;
mod routes;
mod timeline;
mod writes;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::invariants::evidence::Evidence;
use crate::model::session::Token;
use crate::model::{Answer, Body, Cookie, Effect, Rule};
use access::Access;
use exchange::Exchange;
use reasons::Reasons;
use timeline::Timelines;

/// The violations of the contract in a run.
pub fn check(evidence: &Evidence<'_>) -> Vec<String> {
    if evidence.without_trace {
        return outcome::check(evidence);
    }
    let exchanges = exchange::read(evidence);
    let timelines = Timelines::read(evidence);
    let court = Court {
        evidence,
        reasons: Reasons::read(evidence),
        access: Access::read(evidence),
        passwords: timelines.passwords(&exchanges),
        timelines,
        tokens: RefCell::default(),
    };
    let mut broken = writes::check(&court, &exchanges);
    let mut reached = BTreeSet::new();
    for exchange in &exchanges {
        match court.judge(exchange) {
            Ok(rule) => {
                reached.insert(rule);
            }
            Err(why) => broken.push(why),
        }
    }
    for rule in reached {
        evidence.reach(rule.statement());
    }
    broken
}

/// Everything by which an exchange is judged.
struct Court<'a> {
    evidence: &'a Evidence<'a>,
    timelines: Timelines<'a>,
    reasons: Reasons,
    access: Access,
    /// The password of each hash, as it is compared.
    passwords: BTreeMap<&'a str, String>,
    /// The tokens in each cookie header.
    tokens: RefCell<BTreeMap<&'a [u8], Rc<Vec<Token>>>>,
}

impl<'a> Court<'a> {
    /// The rule that allows the answer.
    fn judge(&self, exchange: &Exchange<'a>) -> Result<Rule, String> {
        let allowed = self.allowed(exchange);
        let Some(status) = exchange.status else {
            self.reasons.of_silence(exchange)?;
            return self.judge_effect(exchange, &allowed, Rule::Unanswered);
        };
        if status == 503 {
            let is_late = |rule: &Rule| [Rule::ReserveLate, Rule::PayLate].contains(rule);
            let late = allowed.iter().map(|answer| answer.rule).find(is_late);
            self.judge_unavailable(exchange, late)?;
            return self.judge_effect(exchange, &allowed, late.unwrap_or(Rule::Unavailable));
        }
        if status == 429 {
            return self.judge_too_many(exchange);
        }
        let alike = allowed.iter().filter(|answer| {
            answer.is(status, exchange.answer, &exchange.shown)
                && self.has_effect(exchange, &answer.effect)
        });
        let mut cookie = None;
        for answer in alike {
            match self.judge_headers(exchange, answer) {
                Ok(()) => return Ok(answer.rule),
                Err(why) => cookie = Some(why),
            }
        }
        Err(cookie.unwrap_or_else(|| {
            let allowed: Vec<String> = allowed.iter().map(describe).collect();
            let allowed =
                if allowed.is_empty() { "nothing".to_owned() } else { allowed.join(", or ") };
            format!("{exchange}: {status} {}, but the contract allows {allowed}", exchange.text())
        }))
    }

    /// Whether the request has written what it must, and nothing else.
    fn has_effect(&self, exchange: &Exchange<'_>, effect: &Effect) -> bool {
        match effect {
            Effect::Nothing => exchange.writes.is_empty(),
            Effect::Judged => true,
            Effect::Leaves(document) => match &exchange.writes[..] {
                [write] => timeline::is_left(document, write.document),
                _ => false,
            },
        }
    }

    /// A request of unknown outcome has no effect, or that of an allowed answer.
    fn judge_effect(
        &self,
        exchange: &Exchange<'_>,
        allowed: &[Answer],
        rule: Rule,
    ) -> Result<Rule, String> {
        let whole = exchange.writes.is_empty()
            || allowed.iter().any(|answer| self.has_effect(exchange, &answer.effect));
        whole.then_some(rule).ok_or_else(|| {
            format!("{exchange}: it has an effect that the contract allows for no answer to it")
        })
    }

    /// Judges a 503, which needs no failure where an event may be late.
    fn judge_unavailable(&self, exchange: &Exchange<'_>, late: Option<Rule>) -> Result<(), String> {
        if late.is_none() {
            self.reasons.of_unavailability(exchange)?;
        }
        let expected = Answer::unavailable(Rule::Unavailable);
        if !expected.is(503, exchange.answer, &exchange.shown) {
            return Err(format!("{exchange}: 503 {} in another shape", exchange.text()));
        }
        if !exchange.answer_headers.contains_key("retry-after") {
            return Err(format!("{exchange}: 503 without Retry-After"));
        }
        self.judge_headers(exchange, &expected)
    }

    fn judge_too_many(&self, exchange: &Exchange<'_>) -> Result<Rule, String> {
        let is_asked = |rule: &&Rule| {
            let asked = rule.requests();
            asked.path == exchange.path && asked.methods.contains(&exchange.method)
        };
        let limits = Rule::ALL.iter().filter(|rule| rule.status() == 429).find(is_asked);
        let told = exchange.answer_headers.contains_key("retry-after");
        match limits {
            Some(rule) if told && exchange.writes.is_empty() => Ok(*rule),
            _ => Err(format!("{exchange}: 429, which the contract does not allow here")),
        }
    }

    /// The content type and the session cookie.
    fn judge_headers(&self, exchange: &Exchange<'_>, answer: &Answer) -> Result<(), String> {
        let headers = exchange.answer_headers;
        let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
        let is_json = answer.body != Body::Empty;
        if is_json && !kind.is_some_and(|kind| kind.starts_with("application/json")) {
            return Err(format!("{exchange}: JSON with the content type {kind:?}"));
        }
        let cookies = headers.get_all("set-cookie").into_iter();
        let cookies: Vec<&str> = cookies.map(|cookie| cookie.to_str().unwrap_or("")).collect();
        let sessions = &self.evidence.clients.sessions;
        let right = match (&answer.cookie, &cookies[..]) {
            (Cookie::Kept, []) => true,
            (Cookie::Cleared, [cookie]) => sessions.is_cleared(cookie),
            (Cookie::Issued(user, generation), [cookie]) => {
                sessions.issued(cookie).is_some_and(|token| {
                    let issued = exchange.invoked.at.as_second()..=exchange.returned.at.as_second();
                    token.caller.id == user.id
                        && token.generation == *generation
                        && !token.session.is_empty()
                        && token.caller.email == user.email
                        && issued.contains(&token.caller.iat)
                })
            }
            _ => false,
        };
        right.then_some(()).ok_or_else(|| {
            let expected = match &answer.cookie {
                Cookie::Kept => "no cookie".to_owned(),
                Cookie::Cleared => "a cleared session".to_owned(),
                Cookie::Issued(user, _) => format!("a session of {}", user.email),
            };
            format!("{exchange}: the cookies {cookies:?} instead of {expected}")
        })
    }
}

/// An allowed answer in words.
fn describe(answer: &Answer) -> String {
    let reason = answer.rule.statement();
    match &answer.body {
        Body::Json(body) => format!("{} {body} ({reason})", answer.status),
        _ => format!("{} ({reason})", answer.status),
    }
}
