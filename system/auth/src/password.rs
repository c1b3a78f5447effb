//! Passwords into hashes, by scrypt: PHC strings that hold their salt and their cost.
//!
//! Hashing is meant to take long, so it is handed to a [`Compute`] and never done on the
//! thread that answers requests, unless that is what the `Compute` does. Nothing here reads
//! or writes anything, and no salt comes from anywhere but the entropy port.

use std::fmt;
use std::sync::Arc;

use futures::channel::oneshot;
use ports::entropy::Entropy;
use scrypt::password_hash::phc::{Output, PasswordHash, Salt};
use scrypt::password_hash::{PasswordHasher, PasswordVerifier};
use scrypt::{Params, Scrypt};

/// How much work a hash is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// log₂ of scrypt's N: how much memory, and how much work.
    pub log_n: u8,
    /// Scrypt's r: the size of a block.
    pub r: u32,
    /// Scrypt's p: how often over.
    pub p: u32,
}

impl Cost {
    /// One of the settings that OWASP recommends: one hash takes 32 MiB and one to two tenths
    /// of a second.
    pub const PRODUCTION: Self = Self { log_n: 15, r: 8, p: 3 };
    /// As little as there is, for rehearsals, in which thousands sign up every second.
    pub const REHEARSAL: Self = Self { log_n: 1, r: 1, p: 1 };
}

/// A piece of work for the processor alone.
pub type Work = Box<dyn FnOnce() + Send>;

/// Runs work that computes for long. Clones are the same.
#[derive(Clone)]
pub struct Compute(Arc<dyn Fn(Work) + Send + Sync>);

impl Compute {
    /// Hands work to this function, which runs each piece once, anywhere.
    pub fn new(run: impl Fn(Work) + Send + Sync + 'static) -> Self {
        Self(Arc::new(run))
    }

    /// Runs work at once, on the calling thread: for tests and the simulation.
    pub fn inline() -> Self {
        Self::new(|work| work())
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> T {
        let (done, result) = oneshot::channel();
        // Nobody waits any more where the request was given up.
        (self.0)(Box::new(move || drop(done.send(work()))));
        result.await.expect("work that was handed over is run")
    }
}

impl fmt::Debug for Compute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compute")
    }
}

/// Hashes and verifies passwords. Clones are the same.
#[derive(Clone)]
pub struct Passwords {
    scrypt: Scrypt,
    decoy: Arc<str>,
    compute: Compute,
    entropy: Arc<dyn Entropy>,
}

impl Passwords {
    /// Hashes at this cost from now on; what was hashed at another still verifies.
    pub fn new(cost: Cost, compute: &Compute, entropy: &Arc<dyn Entropy>) -> Self {
        let params = Params::new(cost.log_n, cost.r, cost.p).expect("scrypt knows this cost");
        Self {
            scrypt: Scrypt::new_with_params(params),
            decoy: decoy(params).into(),
            compute: compute.clone(),
            entropy: Arc::clone(entropy),
        }
    }

    /// The hash of this password under a new salt.
    pub async fn hash(&self, password: &str) -> String {
        let mut salt = [0; 16];
        self.entropy.fill(&mut salt);
        let (scrypt, password) = (self.scrypt, password.to_owned());
        let hash = move || scrypt.hash_password_with_salt(password.as_bytes(), &salt);
        self.compute.run(hash).await.expect("scrypt hashes any password").to_string()
    }

    /// Whether this is the password behind the hash. Without a hash it is not, and finding
    /// that out takes as long as with one.
    pub async fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let password = password.to_owned();
        let known = hash.is_some();
        let hash = hash.unwrap_or(&self.decoy).to_owned();
        self.compute.run(move || verify(&password, &hash) & known).await
    }
}

/// Compares in constant time: the hash's own equality does.
fn verify(password: &str, hash: &str) -> bool {
    let parsed = PasswordHash::new(hash);
    parsed.is_ok_and(|hash| Scrypt::new().verify_password(password.as_bytes(), &hash).is_ok())
}

/// A hash at this cost that no password is known to have.
fn decoy(params: Params) -> String {
    let hash = PasswordHash {
        algorithm: scrypt::phc::ALG_ID,
        version: None,
        params: params.try_into().expect("three numbers fit"),
        salt: Some(Salt::new(&[0; 16]).expect("16 bytes are a salt")),
        hash: Some(Output::new(&[0; 32]).expect("32 bytes are a hash")),
    };
    hash.to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering::SeqCst};

    use futures::executor::block_on;

    use super::*;

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
    fn the_same_password_has_another_hash_each_time() {
        let passwords = passwords(Cost::REHEARSAL);
        assert_ne!(block_on(passwords.hash("opera")), block_on(passwords.hash("opera")));
    }

    #[test]
    fn the_cost_of_a_hash_is_its_own() {
        let hash = block_on(passwords(Cost { log_n: 2, r: 8, p: 1 }).hash("opera"));
        assert!(block_on(passwords(Cost::REHEARSAL).verify("opera", Some(&hash))));
    }

    #[test]
    fn nothing_verifies_against_no_hash_or_a_broken_one() {
        assert!(!block_on(passwords(Cost::REHEARSAL).verify("opera", None)));
        assert!(!block_on(passwords(Cost::REHEARSAL).verify("opera", Some("$scrypt$nonsense"))));
    }

    #[test]
    fn the_decoy_costs_what_a_hash_costs() {
        let passwords = passwords(Cost { log_n: 3, r: 8, p: 3 });
        let cost = |hash: &str| hash.rsplitn(3, '$').nth(2).map(str::to_owned);
        assert_eq!(cost(&passwords.decoy), cost(&block_on(passwords.hash("opera"))));
        assert!(PasswordHash::new(&passwords.decoy).is_ok());
    }
}
