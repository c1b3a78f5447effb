//! The state of one simulated instance, running or starting.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use axum::Router;
use futures::future::AbortHandle;
use platform::activity::Activity;
use platform::run::{Running, StartError};

use crate::instance::InstanceId;

/// An instance that is running.
pub(super) struct Instance {
    pub(super) id: InstanceId,
    pub(super) routes: Router,
    pub(super) activity: Arc<Activity>,
    pub(super) work: Vec<AbortHandle>,
}

/// An instance that is starting.
pub(super) struct Starting {
    pub(super) id: InstanceId,
    /// Empty until the start has succeeded or failed.
    pub(super) result: Rc<RefCell<Option<Result<Running, StartError>>>>,
    pub(super) work: AbortHandle,
}
