//! The names of this crate, `axum` and `serde` that a service with all its parts in one file
//! uses: `use platform::prelude::*`.

pub use axum::extract::State;
pub use axum::{Json, Router};
pub use garde::Validate;
pub use ports::Ports;
pub use schemars::JsonSchema;
pub use serde::{Deserialize, Serialize};

pub use crate::collection::{Aggregate, Collection, Decision};
pub use crate::event::Emit;
pub use crate::http::input::document_id;
pub use crate::http::{ApiError, Created, Id, Input, Route, Routes, created, show};
pub use crate::listen::HandleError;
pub use crate::service::Service;
