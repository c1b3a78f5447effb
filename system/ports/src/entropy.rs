//! The entropy port: random bytes for ids and salts, and the format of document ids.
//!
//! An id carries its creation time, so ids sort by age and a reader can tell how old one is.

use jiff::Timestamp;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// Returns `2 * bytes` random hex digits.
    pub fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.fill(&mut buffer);
        const_hex::encode(buffer)
    }

    /// Creates a document id: 24 hex digits, of which the first twelve are the time in
    /// milliseconds since 1970.
    pub fn id(&self, now: Timestamp) -> String {
        let mut buffer = [0; 12];
        buffer[..6].copy_from_slice(&now.as_millisecond().to_be_bytes()[2..]);
        self.fill(&mut buffer[6..]);
        const_hex::encode(buffer)
    }
}

/// Returns the creation time that a document id carries; `None` if the text is not an id.
#[must_use]
pub fn id_time(id: &str) -> Option<Timestamp> {
    let digits = id.get(..12).filter(|_| is_id(id))?;
    Timestamp::from_millisecond(i64::from_str_radix(digits, 16).ok()?).ok()
}

/// The regular expression of a document id, as [`is_id`] checks it.
pub const ID_PATTERN: &str = "^[0-9a-fA-F]{24}$";

/// Checks that the text has the format of a document id.
#[must_use]
pub fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Constant(u8);

    impl Entropy for Constant {
        fn fill(&self, buffer: &mut [u8]) {
            buffer.fill(self.0);
        }
    }

    #[test]
    fn an_id_carries_its_creation_time_and_sorts_by_it() {
        let entropy: &dyn Entropy = &Constant(0xab);
        let at = |ms| Timestamp::from_millisecond(ms).unwrap();
        let id = entropy.id(at(1_700_000_000_123));
        assert_eq!(id, "018bcfe5687babababababab");
        assert_eq!(id_time(&id), Some(at(1_700_000_000_123)));
        assert!(id < entropy.id(at(1_700_000_000_124)));
    }

    #[test]
    fn text_of_another_format_is_not_an_id() {
        for text in ["", "018bcfe5687b", "018bcfe5687bababababababab", "018bcfe5687bzzababababab"] {
            assert!(!is_id(text), "{text}");
            assert_eq!(id_time(text), None, "{text}");
        }
    }
}
