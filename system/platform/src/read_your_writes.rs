//! Waits for the news of what was made a moment ago by another service.
//!
//! Who was told of a ticket may order it before the event of it has come through. An id says
//! when it was made; so where a service knows nothing of one that is only moments old, it
//! waits a little before it says that there is none. What is old or made up is never waited
//! for. It reads nothing itself: whoever asks, asks again.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use ports::clock::{Clock, after};
use ports::entropy::id_time;

/// How long after something was made its news may be on the way.
const LIMIT: Duration = Duration::from_secs(2);
/// The first pause before asking again; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(5);

/// Patience with one id.
pub struct Patience {
    clock: Arc<dyn Clock>,
    until: Timestamp,
    pause: Duration,
}

impl Patience {
    /// With whatever has this id.
    pub fn with(id: &str, clock: &Arc<dyn Clock>) -> Self {
        let now = clock.now();
        // The clock of whoever made it may be a little ahead.
        let recent = id_time(id).filter(|&made| made <= after(now, LIMIT));
        Self {
            clock: Arc::clone(clock),
            until: recent.map_or(now, |made| after(made.min(now), LIMIT)),
            pause: FIRST_PAUSE,
        }
    }

    /// Waits before asking again; says at once where that is of no use any more.
    pub async fn wait(&mut self) -> bool {
        if self.clock.now() >= self.until {
            return false;
        }
        self.clock.sleep(self.pause).await;
        self.pause *= 2;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;
    use futures::executor::block_on;

    use super::*;
    use ports::entropy::Entropy;

    /// A clock that sleeps in no time.
    struct Hands(Mutex<Timestamp>);

    #[async_trait]
    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }

        async fn sleep_until(&self, at: Timestamp) {
            *self.0.lock().unwrap() = at;
        }
    }

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(0);
        }
    }

    /// How long a thing is waited for that was made this many milliseconds after now.
    fn waited(made: i64) -> Duration {
        let now = Timestamp::from_millisecond(1_700_000_000_000).unwrap();
        let entropy: &dyn Entropy = &Zeros;
        let id = entropy.id(Timestamp::from_millisecond(now.as_millisecond() + made).unwrap());
        let clock: Arc<dyn Clock> = Arc::new(Hands(Mutex::new(now)));
        let mut patience = Patience::with(&id, &clock);
        while block_on(patience.wait()) {}
        clock.now().duration_since(now).unsigned_abs()
    }

    #[test]
    fn what_was_made_a_moment_ago_is_waited_for() {
        assert!(waited(-10) >= LIMIT / 2);
        assert!(waited(-10) <= LIMIT * 2);
        assert!(waited(500) <= LIMIT * 2);
    }

    #[test]
    fn what_is_old_or_made_up_is_not() {
        assert_eq!(waited(-2_001), Duration::ZERO);
        assert_eq!(waited(3_600_000), Duration::ZERO);
        let clock: Arc<dyn Clock> = Arc::new(Hands(Mutex::new(Timestamp::UNIX_EPOCH)));
        assert!(!block_on(Patience::with("ffffffffffffffffffffffff", &clock).wait()));
        assert!(!block_on(Patience::with("not an id", &clock).wait()));
    }
}
