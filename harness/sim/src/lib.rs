//! A deterministic simulation: a kernel with virtual time, schedulers, and a simulated broker and
//! store behind the ports of [`ports`].
//!
//! Every call on a simulated port waits until the scheduler picks it, and then takes effect at
//! once. All nondeterminism of a run is the list of the scheduler's decisions, so a seed
//! determines the whole run. Two inserts that race for one id, under the schedules of two seeds:
//!
//! ```
//! use bson::doc;
//! use futures::future::join;
//! use ports::Timestamp;
//! use ports::store::Store;
//! use sim::kernel::{Kernel, drive};
//! use sim::scheduler::Random;
//! use sim::store::{SimDatabase, SimStore};
//!
//! fn winner(seed: u64) -> i32 {
//!     let kernel = Kernel::new(Timestamp::UNIX_EPOCH, Box::new(Random::new(seed)));
//!     let database = SimDatabase::new();
//!     let store = |instance| SimStore::new(kernel.clone(), instance, "shop", database.clone());
//!     let (ann, bob) = (store(1), store(2));
//!     drive(&kernel, async move {
//!         let one = ann.insert("loans", doc! { "_id": "7", "reader": 1 });
//!         let two = bob.insert("loans", doc! { "_id": "7", "reader": 2 });
//!         let (one, two) = join(one, two).await;
//!         assert_ne!(one.is_ok(), two.is_ok());
//!     });
//!     database.documents("loans")[0].get_i32("reader").unwrap()
//! }
//!
//! assert_eq!(winner(1), winner(1));
//! assert!((2..20).any(|seed| winner(seed) != winner(1)));
//! ```
//!
//! Nothing here uses the real clock, real randomness, threads, sockets or hash order. The crate
//! polls no services and injects no faults; the `harness` crate does both.
//!
//! Start with [`kernel`], then [`scheduler`] and its [`exhaustive`](scheduler::exhaustive)
//! search, then [`store`] and [`bus`].

pub mod access;
pub mod bus;
pub mod call;
pub mod clock;
pub mod digest;
pub mod entropy;
pub mod external;
pub mod kernel;
pub mod scheduler;
pub mod store;
