//! The fault plan as one instance meets it: asks the plan about each call, records the
//! injected fault, and carries out the effects that are the same on every port.

use std::sync::Arc;

use ports::clock::Clock;

use super::plan::Faults;
use super::rule::{Effect, Operation, Port};
use crate::trace::RecordKind;
use crate::trace::recorder::Recorder;

/// Reason given for a call that never left the instance.
pub(super) const REFUSED: &str = "connection refused";

/// Reason given for a call whose outcome the instance cannot know.
pub(super) const LOST: &str = "connection lost before the response";

#[derive(Clone)]
pub(super) struct Injector {
    faults: Faults,
    recorder: Recorder,
    pub(super) clock: Arc<dyn Clock>,
}

impl Injector {
    pub(super) fn new(faults: Faults, recorder: Recorder, clock: Arc<dyn Clock>) -> Self {
        Self { faults, recorder, clock }
    }

    /// Fails where this instance is cut off from the port.
    pub(super) fn reach<E>(&self, port: Port, unavailable: fn(String) -> E) -> Result<(), E> {
        match self.faults.is_cut(self.recorder.instance.service, port, &*self.clock) {
            true => Err(unavailable(REFUSED.to_owned())),
            false => Ok(()),
        }
    }

    /// Decides on a call and records the injected fault. Returns the effect on the call
    /// itself; a clock jump or a broker restart has none.
    pub(super) fn inject(&self, operation: Operation, target: &str) -> Option<Effect> {
        let instance = self.recorder.instance;
        let effect = self.faults.inject(instance, operation, target, &*self.clock)?;
        self.recorder.add(RecordKind::Fault { operation, target: target.to_owned(), effect });
        match effect {
            Effect::Partition(_) | Effect::Outage(_) => Some(Effect::Fail),
            Effect::Jump(_) | Effect::LoseTail(_) => None,
            other => Some(other),
        }
    }

    /// Makes a call under this effect. `unavailable` makes the error of a call that had no
    /// effect, `unknown` that of a call which may have had one.
    pub(super) async fn apply<T, E>(
        &self,
        effect: Option<Effect>,
        call: impl Future<Output = Result<T, E>>,
        unavailable: fn(String) -> E,
        unknown: fn(String) -> E,
    ) -> Result<T, E> {
        match effect {
            Some(Effect::Fail) => Err(unavailable(REFUSED.to_owned())),
            Some(Effect::Vanish) => Err(unknown(LOST.to_owned())),
            Some(Effect::FailAfter) => {
                call.await?;
                Err(unknown(LOST.to_owned()))
            }
            Some(Effect::Delay(by)) => {
                self.clock.sleep(by).await;
                call.await
            }
            Some(Effect::CrashBefore) => self.crash().await,
            Some(Effect::CrashAfter) => {
                // The outcome is lost with the instance.
                drop(call.await);
                self.crash().await
            }
            _ => call.await,
        }
    }

    /// Crashes this instance: the caller never continues.
    pub(super) async fn crash(&self) -> ! {
        self.faults.bring_down(self.recorder.instance);
        std::future::pending().await
    }
}
