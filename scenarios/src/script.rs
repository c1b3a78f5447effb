//! A script: what people do, as plain data. Rounds follow one another; the acts of one round
//! happen at the same moment.
//!
//! Workloads generate scripts, [`crate::perform`] carries them out, and shrinking removes
//! lines from them. A script knows nothing of worlds, HTTP or faults.

use std::fmt;

use contracts::Cents;
use serde::{Deserialize, Serialize};
use ticketing::SERVICES;

/// What people do, round by round.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    /// How many people there are; they are numbered from 0, and all have signed up before
    /// the first round.
    pub people: u8,
    /// The rounds, in order.
    pub rounds: Vec<Round>,
}

impl Script {
    /// Whether the administrator acts in it.
    pub fn is_administrated(&self) -> bool {
        let administrated = |act: &Act| matches!(act, Act::Ban { .. } | Act::Unban { .. });
        self.rounds.iter().flat_map(|round| &round.acts).any(administrated)
    }
}

/// What happens at the same moment, and what comes after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// All at once.
    pub acts: Vec<Act>,
    /// Before the next round.
    pub then: Then,
}

/// What comes after a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Then {
    /// The next round begins as soon as all acts are answered.
    Go,
    /// Everything that was caused plays out first.
    Settle,
    /// This many seconds pass first, and what falls due meanwhile plays out.
    Pass(u32),
    /// This many seconds pass, and the next round begins at that very moment, together with
    /// what falls due then.
    Meet(u32),
}

/// Something that somebody does. People and tickets go by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Act {
    /// Lists a ticket.
    List {
        /// The seller.
        who: u8,
        /// The ticket.
        ticket: u8,
        /// Its price.
        price: Cents,
    },
    /// Changes a ticket's price.
    Edit {
        /// Who tries to.
        who: u8,
        /// The ticket.
        ticket: u8,
        /// The new price.
        price: Cents,
    },
    /// Reserves a ticket.
    Reserve {
        /// The buyer.
        who: u8,
        /// The ticket.
        ticket: u8,
    },
    /// Cancels the newest order that they have for a ticket.
    Cancel {
        /// The buyer.
        who: u8,
        /// The ticket.
        ticket: u8,
    },
    /// Pays the newest order that they have for a ticket.
    Pay {
        /// The buyer.
        who: u8,
        /// The ticket.
        ticket: u8,
        /// Whether the card is good.
        good: bool,
    },
    /// The administrator bans somebody.
    Ban {
        /// Whom.
        who: u8,
    },
    /// The administrator lifts a ban.
    Unban {
        /// From whom.
        who: u8,
    },
    /// Looks at their own orders, which takes a session.
    Look {
        /// Who.
        who: u8,
    },
    /// Signs in again, for a session of now.
    SignIn {
        /// Who.
        who: u8,
    },
    /// Somebody signs up, perhaps with an address that others want too.
    Join {
        /// Whose address it is, by a number of their own.
        who: u8,
    },
    /// All instances of a service go down at once, and one comes up while the others act.
    Restart {
        /// Which, by its place in [`ticketing::SERVICES`].
        service: u8,
    },
    /// One more instance of a service starts before the others act.
    Scale {
        /// Which, by its place in [`ticketing::SERVICES`].
        service: u8,
    },
}

impl Act {
    /// The person that it is about, whoever does it.
    pub fn who_mut(&mut self) -> Option<&mut u8> {
        match self {
            Self::List { who, .. }
            | Self::Edit { who, .. }
            | Self::Reserve { who, .. }
            | Self::Cancel { who, .. }
            | Self::Pay { who, .. }
            | Self::Ban { who }
            | Self::Unban { who }
            | Self::Look { who }
            | Self::SignIn { who } => Some(who),
            // Not one of those who have signed up.
            Self::Join { .. } | Self::Restart { .. } | Self::Scale { .. } => None,
        }
    }

    /// The ticket that it is about.
    pub fn ticket_mut(&mut self) -> Option<&mut u8> {
        match self {
            Self::List { ticket, .. }
            | Self::Edit { ticket, .. }
            | Self::Reserve { ticket, .. }
            | Self::Cancel { ticket, .. }
            | Self::Pay { ticket, .. } => Some(ticket),
            _ => None,
        }
    }
}

/// The number of a service in a script.
///
/// # Panics
///
/// When there is no such service.
pub fn number(service: &str) -> u8 {
    let at = SERVICES.iter().position(|entry| entry.name == service);
    u8::try_from(at.expect("a service of ours")).expect("few services")
}

/// The services of a script, by number.
pub fn service(number: u8) -> &'static str {
    SERVICES[usize::from(number) % SERVICES.len()].name
}

/// The people of a script, by number.
pub fn name(who: u8) -> String {
    const NAMES: [&str; 12] =
        ["Anna", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gina", "Hugo", "Ida", "Jan", "Kim", "Leo"];
    NAMES.get(usize::from(who)).map_or_else(|| format!("Guest {who}"), |name| (*name).to_owned())
}

/// The tickets of a script, by number.
pub fn title(ticket: u8) -> String {
    const TITLES: [&str; 6] = ["Opera", "Ballet", "Concert", "Circus", "Recital", "Musical"];
    let title = TITLES.get(usize::from(ticket));
    title.map_or_else(|| format!("Show {ticket}"), |title| (*title).to_owned())
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::List { who, ticket, price } => {
                write!(f, "{} lists \"{}\" for {}", name(who), title(ticket), price)
            }
            Self::Edit { who, ticket, price } => {
                write!(f, "{} changes the price of \"{}\" to {}", name(who), title(ticket), price)
            }
            Self::Reserve { who, ticket } => {
                write!(f, "{} reserves \"{}\"", name(who), title(ticket))
            }
            Self::Cancel { who, ticket } => {
                write!(f, "{} cancels the order for \"{}\"", name(who), title(ticket))
            }
            Self::Pay { who, ticket, good: true } => {
                write!(f, "{} pays for \"{}\"", name(who), title(ticket))
            }
            Self::Pay { who, ticket, good: false } => {
                let (who, title) = (name(who), title(ticket));
                write!(f, "{who} pays for \"{title}\" with a card that is declined")
            }
            Self::Ban { who } => write!(f, "the administrator bans {}", name(who)),
            Self::Unban { who } => write!(f, "the administrator lifts the ban of {}", name(who)),
            Self::Look { who } => write!(f, "{} looks at their orders", name(who)),
            Self::SignIn { who } => write!(f, "{} signs in again", name(who)),
            Self::Join { who } => write!(f, "{} signs up", name(who)),
            Self::Restart { service: number } => {
                write!(f, "{} crashes and starts again", service(number))
            }
            Self::Scale { service: number } => {
                write!(f, "one more instance of {} starts", service(number))
            }
        }
    }
}
