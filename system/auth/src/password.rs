//! Password hashing with scrypt: PHC strings that carry their salt and their cost.
//!
//! Hashing is slow on purpose, so it runs on a [`Compute`], which in production keeps it off
//! the threads that serve requests. Nothing here does I/O, and salts come from the entropy port
//! only.

use std::fmt;
use std::sync::Arc;

use futures::channel::oneshot;
use platform::memo::Memo;
use ports::entropy::Entropy;
use scrypt::password_hash::phc::{Output, PasswordHash, Salt};
use scrypt::password_hash::{PasswordHasher, PasswordVerifier};
use scrypt::{Params, Scrypt};
use unicode_normalization::UnicodeNormalization;

/// Returns a password as it is hashed and compared: the OpaqueString profile of RFC 8265 without
/// the outer spaces. Keyboards differ in how they compose an accented letter.
#[must_use]
pub fn normalized(password: &str) -> String {
    let spaces = |c: char| if c.is_whitespace() { ' ' } else { c };
    password.nfc().map(spaces).collect::<String>().trim().to_owned()
}

/// The cost of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost {
    /// log₂ of scrypt's N: memory and work grow with N.
    pub log_n: u8,
    /// Scrypt's r, the block size.
    pub r: u32,
    /// Scrypt's p, the number of passes.
    pub p: u32,
}

impl Cost {
    /// One of the settings that OWASP recommends: a hash takes 32 MiB and 0.1 to 0.2 s.
    pub const PRODUCTION: Self = Self { log_n: 15, r: 8, p: 3 };
    /// The lowest cost, for rehearsals with thousands of sign-ups per second.
    pub const REHEARSAL: Self = Self { log_n: 1, r: 1, p: 1 };

    fn params(self) -> Params {
        Params::new(self.log_n, self.r, self.p).expect("the cost is within the limits of scrypt")
    }
}

/// A piece of CPU-bound work.
pub type Work = Box<dyn FnOnce() + Send>;

/// An executor for CPU-bound work. Clones share it.
#[derive(Clone)]
pub struct Compute {
    run: Arc<dyn Fn(Work) + Send + Sync>,
    remembers: bool,
}

impl Compute {
    /// Hands work to this function, which must run each piece once, on any thread.
    pub fn new(run: impl Fn(Work) + Send + Sync + 'static) -> Self {
        Self { run: Arc::new(run), remembers: false }
    }

    /// Runs work at once on the calling thread, and remembers hashes: for tests and the
    /// simulation, where many runs sign the same people up.
    #[must_use]
    pub fn inline() -> Self {
        Self { remembers: true, ..Self::new(|work| work()) }
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        // The receiver is gone if the request was cancelled.
        (self.run)(Box::new(move || drop(done.send(work()))));
        result.await.expect("a Compute runs all work")
    }
}

impl fmt::Debug for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compute")
    }
}

/// Hashes and verifies passwords.
#[derive(Clone)]
pub struct Passwords {
    cost: Cost,
    decoy: Arc<str>,
    compute: Compute,
    entropy: Arc<dyn Entropy>,
}

impl Passwords {
    /// Hashes at this cost. Hashes of another cost still verify.
    pub fn new(cost: Cost, compute: &Compute, entropy: &Arc<dyn Entropy>) -> Self {
        Self {
            cost,
            decoy: decoy(cost.params()).into(),
            compute: compute.clone(),
            entropy: Arc::clone(entropy),
        }
    }

    /// Hashes the password with a new salt.
    pub async fn hash(&self, password: &str) -> String {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let (cost, password) = (self.cost, password.to_owned());
        let hash = if self.compute.remembers { remembered } else { hash };
        self.compute.run(move || hash(cost, &password, salt)).await
    }

    /// Verifies the password against a hash. Without a hash it returns false after the same
    /// time, so the latency does not reveal whether an account exists.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let password = password.to_owned();
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        self.compute.run(move || verify(&password, &hash) & known).await
    }
}

fn hash(cost: Cost, password: &str, salt: [u8; 16]) -> String {
    let scrypt = Scrypt::new_with_params(cost.params());
    let hash = scrypt.hash_password_with_salt(password.as_bytes(), &salt);
    hash.expect("scrypt hashes any password").to_string()
}

/// The same, from a memo: a hash depends on its arguments alone.
fn remembered(cost: Cost, password: &str, salt: [u8; 16]) -> String {
    thread_local! {
        static HASHES: Memo<(Cost, [u8; 16], String), String> = const { Memo::new() };
    }
    let arguments = (cost, salt, password.to_owned());
    HASHES.with(|known| known.get(arguments, || hash(cost, password, salt)))
}

/// Compares in constant time, by the equality of the hash type.
fn verify(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Scrypt::new().verify_password(password.as_bytes(), &hash).is_ok())
}

/// Builds a hash of this cost that no known password has.
fn decoy(params: Params) -> String {
    let hash = PasswordHash {
        algorithm: scrypt::phc::ALG_ID,
        version: None,
        params: params.try_into().expect("three numbers are valid PHC parameters"),
        salt: Some(Salt::new(&[0; 16]).expect("16 bytes are a valid salt")),
        hash: Some(Output::new(&[0; 32]).expect("32 bytes are a valid hash")),
    };
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

    use futures::executor::block_on;

    use super::*;

    /// A source that fills each buffer with the next number.
    struct Counting(AtomicU8);

    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0.fetch_add(1, SeqCst));
        }
    }

    fn passwords(cost: Cost) -> Passwords {
        let entropy: Arc<dyn Entropy> = Arc::new(Counting(AtomicU8::new(0)));
        Passwords::new(cost, &Compute::inline(), &entropy)
    }

    #[test]
    fn a_hash_verifies_its_password_and_no_other() {
        let hash = block_on(passwords(Cost::REHEARSAL).hash("opera"));
        assert!(hash.starts_with("$scrypt$ln=1,r=1,p=1$"), "{hash}");
        assert!(block_on(passwords(Cost::REHEARSAL).verify("opera", Some(&hash))));
        assert!(!block_on(passwords(Cost::REHEARSAL).verify("operas", Some(&hash))));
    }

    #[test]
    fn hashing_the_same_password_twice_gives_different_hashes() {
        let passwords = passwords(Cost::REHEARSAL);
        assert_ne!(block_on(passwords.hash("opera")), block_on(passwords.hash("opera")));
    }

    #[test]
    fn a_password_is_the_same_in_every_unicode_form() {
        assert_eq!(normalized("cafe\u{301}"), normalized("caf\u{e9}"));
        assert_eq!(normalized(" \u{3000}two\u{a0}words "), "two words");
        assert_ne!(normalized("cafe"), normalized("caf\u{e9}"));
    }

    #[test]
    fn a_hash_of_another_cost_verifies() {
        let hash = block_on(passwords(Cost { log_n: 2, r: 8, p: 1 }).hash("opera"));
        assert!(block_on(passwords(Cost::REHEARSAL).verify("opera", Some(&hash))));
    }

    #[test]
    fn no_password_verifies_against_a_missing_or_broken_hash() {
        assert!(!block_on(passwords(Cost::REHEARSAL).verify("opera", None)));
        assert!(!block_on(passwords(Cost::REHEARSAL).verify("opera", Some("$scrypt$nonsense"))));
    }

    #[test]
    fn the_decoy_has_the_cost_of_a_hash() {
        let passwords = passwords(Cost { log_n: 3, r: 8, p: 3 });
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(cost(&passwords.decoy), cost(&block_on(passwords.hash("opera"))));
        assert!(PasswordHash::new(&passwords.decoy).is_ok());
    }
}
