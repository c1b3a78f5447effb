//! Randomness drawn from the run's seed.

use std::sync::Mutex;

use platform::ports::entropy::Entropy;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The bytes of one actor, by the run's seed and the actor's number: what one draws does not
/// shift what another gets.
pub struct SimEntropy(Mutex<ChaCha8Rng>);

impl SimEntropy {
    /// The source of this actor.
    pub fn new(seed: u64, actor: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(actor);
        Self(Mutex::new(rng))
    }
}

impl Entropy for SimEntropy {
    fn fill(&self, buffer: &mut [u8]) {
        self.0.lock().expect("no panic holds this lock").fill_bytes(buffer);
    }
}
