//! Digests: 64-bit hashes that are equal on every machine, in every build and for every
//! compiler. Seeds, recorded runs and exhaustive searches depend on them.
//!
//! **Algorithm.** SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast short-input PRF", 2012)
//! under the fixed key `rehearsal digest` (its 16 ASCII bytes). The key is public: a digest
//! resists accidental collisions, not an adversary.
//!
//! **Input.** The concatenation of the values in the order in which they are added, each of
//! which is self-delimiting:
//!
//! | value | bytes |
//! |---|---|
//! | number | 8 bytes, little-endian |
//! | time | nanoseconds since the Unix epoch: 16 bytes, two's complement, little-endian |
//! | bytes | their length as a number, then the bytes |
//! | text | its UTF-8 encoding, as bytes |
//! | document | its BSON encoding, as bytes |
//!
//! A digest begins with the text of its kind, so that values of different kinds never have the
//! same input. `std::hash::Hash` and `Debug` are never involved: neither promises a stable
//! output. The unit tests contain test vectors.

use std::hash::Hasher as _;

use bson::Document;
use ports::Timestamp;
use siphasher::sip::SipHasher24;

const KEY: &[u8; 16] = b"rehearsal digest";

/// A digest under construction.
///
/// ```
/// use sim::digest::Digest;
///
/// let digest = Digest::new("order").text("7").number(2).finish();
/// assert_ne!(digest, Digest::new("order").text("72").finish());
/// ```
#[derive(Debug, Clone, Copy)]
#[must_use = "a digest has no value before it is finished"]
pub struct Digest(SipHasher24);

impl Digest {
    /// A digest of this kind.
    pub fn new(kind: &str) -> Self {
        Self(SipHasher24::new_with_key(KEY)).text(kind)
    }

    /// Adds a number.
    pub fn number(self, number: u64) -> Self {
        self.raw(&number.to_le_bytes())
    }

    /// Adds a time.
    pub fn time(self, time: Timestamp) -> Self {
        self.raw(&time.as_nanosecond().to_le_bytes())
    }

    /// Adds bytes.
    pub fn bytes(self, bytes: &[u8]) -> Self {
        self.number(bytes.len() as u64).raw(bytes)
    }

    /// Adds a text.
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a document. One that BSON cannot encode, because a name in it contains a null byte,
    /// is added as no bytes; the simulated store rejects such documents.
    pub fn document(self, document: &Document) -> Self {
        self.bytes(&document.to_vec().unwrap_or_default())
    }

    /// The digest.
    pub fn finish(self) -> u64 {
        self.0.finish()
    }

    fn raw(mut self, bytes: &[u8]) -> Self {
        // Of `Hasher`, only `write` is used: the bytes and their order are given here.
        self.0.write(bytes);
        self
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    /// From appendix A of the paper: the key 00 01 .. 0f, and the input 00 01 .. 0e.
    #[test]
    fn the_hasher_is_siphash_2_4() {
        let key: [u8; 16] = std::array::from_fn(|at| at as u8);
        let input: [u8; 15] = std::array::from_fn(|at| at as u8);
        let mut hasher = SipHasher24::new_with_key(&key);
        input.chunks(4).for_each(|chunk| hasher.write(chunk));
        assert_eq!(hasher.finish(), 0xa129_ca61_49be_45e5);
    }

    #[test]
    fn the_input_is_as_specified() {
        let document = doc! { "a": 1 };
        let time = Timestamp::from_nanosecond(-2).expect("in range");
        let digest = Digest::new("kind").number(7).time(time).bytes(&[9]).text("é");
        let mut input = Vec::new();
        input.extend([4, 0, 0, 0, 0, 0, 0, 0, b'k', b'i', b'n', b'd']);
        input.extend([7, 0, 0, 0, 0, 0, 0, 0]);
        input.extend([0xfe].iter().chain(&[0xff; 15]));
        input.extend([1, 0, 0, 0, 0, 0, 0, 0, 9]);
        input.extend([2, 0, 0, 0, 0, 0, 0, 0, 0xc3, 0xa9]);
        input.extend([12, 0, 0, 0, 0, 0, 0, 0]);
        input.extend([12, 0, 0, 0, 0x10, b'a', 0, 1, 0, 0, 0, 0]);
        let expected = SipHasher24::new_with_key(KEY).hash(&input);
        assert_eq!(digest.document(&document).finish(), expected);
    }

    /// Computed with an independent implementation of the specification.
    #[test]
    fn digests_equal_the_test_vectors() {
        assert_eq!(Digest::new("").finish(), 0x43c6_289b_e9c3_264f);
        assert_eq!(Digest::new("entropy").number(1).finish(), 0xf183_a7aa_d5a2_9d98);
        assert_eq!(Digest::new("client").number(42).number(7).finish(), 0x4d7a_d5b3_1415_a3ff);
        let document = doc! { "_id": "a", "price": 2000_i64 };
        assert_eq!(Digest::new("content").document(&document).finish(), 0x90b8_c357_941e_1b1e);
    }
}
