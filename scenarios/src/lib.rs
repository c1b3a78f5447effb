//! What is particular to ticketing: what people do, what the system promises them, and the
//! parties outside it.
//!
//! It never changes how a service behaves: what it needs of one, it asks over its ports.
//!
//! Features run through [`gherkin`]: [`steps`] say what each line means, on a [`stage`], at a
//! [`pace`].
//!
//! Read [`script`] (what people do), [`perform`] (how it is carried out) and [`invariants`]
//! (what must hold afterwards). In simulation a [`case`] is a whole run as data: [`simulate`]
//! runs one, [`explore`] runs many, [`shrink`] makes one as small as it goes, [`story`] tells
//! it, and [`regression`] keeps it.

pub mod case;
pub mod client;
pub mod command;
pub mod confirm;
pub mod coverage;
pub mod exhaust;
pub mod explore;
pub mod gherkin;
pub mod invariants;
pub mod neighbours;
pub mod pace;
pub mod perform;
pub mod planted;
pub mod provider;
pub mod races;
pub mod regression;
pub mod report;
pub mod scoreboard;
pub mod script;
pub mod shrink;
pub mod simulate;
pub mod stage;
pub mod steps;
pub mod story;
pub mod sweep;
pub mod system;
mod threads;
pub mod workloads;
