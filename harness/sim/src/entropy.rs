//! Randomness from the seed of the kernel.

use std::collections::BTreeMap;

use parking_lot::Mutex;
use ports::causality::Causality;
use ports::entropy::Entropy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::access::{Access, Resource};
use crate::digest::Digest;
use crate::kernel::Kernel;

/// The entropy of one instance: a stream of its own for each request and each event that the
/// instance handles, and one for its background work.
///
/// The draws of one piece of work therefore do not shift those of another, and two schedules
/// that differ only in the order of independent calls have identical ids.
pub struct SimEntropy {
    kernel: Kernel,
    instance: u32,
    streams: Mutex<BTreeMap<u64, ChaCha8Rng>>,
}

impl SimEntropy {
    /// The entropy of this instance. A stream has the seed of its kernel at its first draw.
    pub fn new(kernel: Kernel, instance: u32) -> Self {
        Self { kernel, instance, streams: Mutex::default() }
    }

    /// The stream of the current task.
    fn stream(&self) -> Resource {
        let instance = Digest::new("entropy").number(self.instance.into());
        let of = |origin: &Causality| instance.text(&origin.correlation).text(&origin.cause);
        Resource::new(Causality::peek(of).unwrap_or(instance))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let stream = self.stream();
        self.kernel.access(|| match Causality::peek(|_| ()) {
            Some(()) => Access::Write(stream),
            // Background work outlives quiescence, and so does the position in its stream.
            None => Access::DurableWrite(stream, buffer.len() as u64),
        });
        let mut streams = self.streams.lock();
        let stream = streams.entry(stream.number()).or_insert_with_key(|&number| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.kernel.seed());
            rng.set_stream(number);
            rng
        });
        stream.fill_bytes(buffer);
    }
}
