//! Workloads: what people might do, as strategies that generate [`Script`]s.
//!
//! Each tempts another part of the system. Adding one is adding a file and a line in [`ALL`].

mod accounts;
mod bans;
mod expiry;
mod market;
mod payment;
mod race;
mod restart;

use contracts::Cents;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::script::{Act, Script};

/// How many buyers race for one ticket.
pub const BUYERS: u8 = 10;

/// A workload.
#[derive(Debug, Clone, Copy)]
pub struct Workload {
    /// Its name, on the command line.
    pub name: &'static str,
    /// What happens in it, in a sentence.
    pub about: &'static str,
    /// The scripts that it draws.
    pub scripts: fn() -> BoxedStrategy<Script>,
}

/// All workloads.
pub const ALL: &[Workload] = &[
    Workload {
        name: "race",
        about: "Ten buyers reserve one ticket at the same moment, then cancel, pay, and try again",
        scripts: || race::scripts(BUYERS).boxed(),
    },
    Workload {
        name: "market",
        about: "Many people list, edit, buy, cancel and pay for several tickets",
        scripts: || market::scripts().boxed(),
    },
    Workload {
        name: "expiry",
        about: "Buyers pay, cancel and reserve at the very moment at which time is up",
        scripts: || expiry::scripts().boxed(),
    },
    Workload {
        name: "payment",
        about: "Cards are declined, payments repeated, and orders cancelled while money is under way",
        scripts: || payment::scripts().boxed(),
    },
    Workload {
        name: "bans",
        about: "Buyers are banned and let in again while they buy, on services of several instances",
        scripts: || bans::scripts().boxed(),
    },
    Workload {
        name: "restart",
        about: "Services crash and start again while people buy",
        scripts: || restart::scripts().boxed(),
    },
    Workload {
        name: "accounts",
        about: "People sign up with addresses that others want too, and come back when their session is over",
        scripts: || accounts::scripts().boxed(),
    },
];

/// The workload of this name.
pub fn named(name: &str) -> Option<&'static Workload> {
    ALL.iter().find(|workload| workload.name == name)
}

/// The race without minutes that pass, for a world in which they really would.
pub fn race_without_time() -> Scripts {
    Scripts(race::scripts_without_time(BUYERS).boxed())
}

/// The scripts of one workload, by seed.
pub struct Scripts(BoxedStrategy<Script>);

impl Workload {
    /// Its scripts.
    pub fn open(&self) -> Scripts {
        Scripts((self.scripts)())
    }
}

impl Scripts {
    /// The script of this seed.
    ///
    /// ```
    /// let race = scenarios::workloads::named("race").unwrap().open();
    /// assert_eq!(race.draw(7), race.draw(7));
    /// assert_ne!(race.draw(7), race.draw(8));
    /// ```
    pub fn draw(&self, seed: u64) -> Script {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&seed.to_le_bytes());
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let tree = self.0.new_tree(&mut runner).expect("a workload rejects nothing");
        tree.current()
    }
}

/// Whatever a buyer may do with a ticket.
fn trade(
    who: impl Strategy<Value = u8> + Clone,
    ticket: impl Strategy<Value = u8> + Clone,
) -> impl Strategy<Value = Act> + Clone {
    let both = (who, ticket);
    prop_oneof![
        3 => both.clone().prop_map(|(who, ticket)| Act::Reserve { who, ticket }),
        2 => both.clone().prop_map(|(who, ticket)| Act::Cancel { who, ticket }),
        3 => (both, prop::bool::weighted(0.8))
            .prop_map(|((who, ticket), good)| Act::Pay { who, ticket, good }),
    ]
}

/// A price; some are such that floating point would lose a cent.
fn price() -> impl Strategy<Value = Cents> + Clone {
    prop_oneof![3 => 1_i64..10_000, 1 => Just(1999_i64), 1 => Just(2010_i64)].prop_map(Cents)
}
