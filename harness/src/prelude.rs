//! The names that a small subject uses: `use harness::prelude::*`.

pub use bytes::Bytes;
pub use cucumber::{given, then, when};
pub use http::Request;
pub use platform::catalogue::Entry;
pub use ports::{Ports, Timestamp};

pub use crate::Subject;
pub use crate::bugs::PlantedBug;
pub use crate::bugs::planting::with_listeners;
pub use crate::bugs::ports::lying;
pub use crate::gherkin::{Done, ScenarioWorld, StepError};
pub use crate::script::{Round, Script, Then};
pub use crate::subject::clients::post;
pub use crate::subject::{
    Clients, Evidence, Invariant, Names, Reference, Workload, Written, names,
};
pub use crate::system::{ServiceSpec, System};
pub use crate::time_scale::TimeScale;
pub use crate::world::Reply;
