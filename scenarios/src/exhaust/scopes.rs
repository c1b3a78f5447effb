//! The scopes that come with the house, as data.

use contracts::Cents;

use super::Scope;
use crate::script::{Act, Round, Script, Then};

/// A scope by name.
#[derive(Debug, Clone, Copy)]
pub struct Named {
    /// Its name, on the command line.
    pub name: &'static str,
    /// What happens in it, in a sentence.
    pub about: &'static str,
    /// What people do.
    script: fn() -> Script,
    /// How many rounds are played politely first.
    lead: usize,
}

/// All scopes, smallest first.
pub const SCOPES: &[Named] = &[
    Named {
        name: "two-buyers",
        about: "Two buyers reserve one ticket at the same moment",
        script: two_buyers,
        lead: 1,
    },
    Named {
        name: "two-buyers-one-expiry",
        about: "Two buyers reserve one ticket at the same moment, and fifteen minutes later the hold expires",
        script: two_buyers_one_expiry,
        lead: 1,
    },
    Named {
        name: "pay-or-cancel",
        about: "A buyer pays and cancels at the same moment",
        script: pay_or_cancel,
        lead: 2,
    },
];

/// The scope of this name.
pub fn named(name: &str) -> Option<&'static Named> {
    SCOPES.iter().find(|scope| scope.name == name)
}

impl Named {
    /// The scope in the system as it is.
    pub fn open(&self) -> Scope {
        Scope {
            name: self.name.to_owned(),
            bug: None,
            seed: 0,
            script: (self.script)(),
            lead: self.lead,
            rules: Vec::new(),
        }
    }
}

const SELLER: u8 = 0;
const BUYER: u8 = 1;
const OTHER: u8 = 2;
const TICKET: u8 = 0;

fn listed() -> Round {
    let list = Act::List { who: SELLER, ticket: TICKET, price: Cents(2000) };
    Round { acts: vec![list], then: Then::Settle }
}

fn reserved(buyers: &[u8], then: Then) -> Round {
    let reserve = |&who: &u8| Act::Reserve { who, ticket: TICKET };
    Round { acts: buyers.iter().map(reserve).collect(), then }
}

fn two_buyers() -> Script {
    Script { people: 3, rounds: vec![listed(), reserved(&[BUYER, OTHER], Then::Settle)] }
}

fn two_buyers_one_expiry() -> Script {
    let waited = Round { acts: Vec::new(), then: Then::Pass(15 * 60) };
    let rounds = vec![listed(), reserved(&[BUYER, OTHER], Then::Settle), waited];
    Script { people: 3, rounds }
}

fn pay_or_cancel() -> Script {
    let acts = vec![
        Act::Pay { who: BUYER, ticket: TICKET, good: true },
        Act::Cancel { who: BUYER, ticket: TICKET },
    ];
    let both = Round { acts, then: Then::Settle };
    Script { people: 2, rounds: vec![listed(), reserved(&[BUYER], Then::Settle), both] }
}
