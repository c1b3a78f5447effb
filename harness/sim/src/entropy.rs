//! Randomness drawn from the run's seed.

use std::collections::BTreeMap;
use std::sync::Mutex;

use ports::causality::Causality;
use ports::entropy::Entropy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::access::{Access, Resource};
use crate::kernel::Kernel;

/// The bytes of one instance: a stream of its own for each request and each event that it
/// handles, and one for its background work.
///
/// So what one piece of work draws does not shift what another gets, and two schedules that
/// only swap independent calls have literally the same ids.
pub struct SimEntropy {
    kernel: Kernel,
    seed: u64,
    instance: u32,
    streams: Mutex<BTreeMap<u64, ChaCha8Rng>>,
}

impl SimEntropy {
    /// The source of this instance.
    pub fn new(kernel: Kernel, seed: u64, instance: u32) -> Self {
        Self { kernel, seed, instance, streams: Mutex::default() }
    }

    /// The stream of what is being handled now.
    fn stream(&self) -> Resource {
        let of = |origin: &Causality| {
            Resource::new("entropy", (self.instance, &origin.correlation, &origin.cause))
        };
        Causality::peek(of).unwrap_or_else(|| Resource::new("entropy", self.instance))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        let stream = self.stream();
        self.kernel.access(|| match Causality::peek(|_| ()) {
            Some(()) => Access::Write(stream),
            // Background work goes on for ever, and so does its stream.
            None => Access::DurableWrite(stream, buffer.len() as u64),
        });
        let mut streams = self.streams.lock().expect("no panic holds this lock");
        let stream = streams.entry(stream.number()).or_insert_with_key(|&number| {
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(number);
            rng
        });
        stream.fill_bytes(buffer);
    }
}
