//! The payloads of events, parsed once for all invariants.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

/// Payloads as JSON, by their bytes.
type Parsed = BTreeMap<Vec<u8>, Option<Arc<Value>>>;

/// The payloads that were parsed so far. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Payloads(Arc<Mutex<Parsed>>);

impl Payloads {
    /// The payload as JSON; `None` where it is none.
    pub fn parsed(&self, payload: &[u8]) -> Option<Arc<Value>> {
        let mut known = self.0.lock();
        if let Some(parsed) = known.get(payload) {
            return parsed.clone();
        }
        let parsed = serde_json::from_slice(payload).ok().map(Arc::new);
        known.insert(payload.to_vec(), parsed.clone());
        parsed
    }
}
