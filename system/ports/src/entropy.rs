//! The entropy port: ids, salts and jitter.

use jiff::Timestamp;

/// A source of random bytes.
pub trait Entropy: Send + Sync {
    /// Fills the buffer.
    fn fill(&self, buffer: &mut [u8]);
}

impl dyn Entropy + '_ {
    /// `2 * bytes` hex digits.
    pub fn hex(&self, bytes: usize) -> String {
        let mut buffer = vec![0; bytes];
        self.fill(&mut buffer);
        hex(&buffer)
    }

    /// A new document id: 24 hex digits, the first twelve the time in milliseconds, so that
    /// ids sort by age.
    pub fn id(&self, now: Timestamp) -> String {
        let mut buffer = [0; 12];
        buffer[..6].copy_from_slice(&now.as_millisecond().to_be_bytes()[2..]);
        self.fill(&mut buffer[6..]);
        hex(&buffer)
    }
}

/// When the document of this id was made; `None` for what is no id.
pub fn made(id: &str) -> Option<Timestamp> {
    let digits = id.get(..12).filter(|_| is_id(id))?;
    Timestamp::from_millisecond(i64::from_str_radix(digits, 16).ok()?).ok()
}

/// Whether this has the shape of a document id.
pub fn is_id(text: &str) -> bool {
    text.len() == 24 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes
        .iter()
        .flat_map(|b| [DIGITS[usize::from(b >> 4)], DIGITS[usize::from(b & 15)]])
        .map(char::from)
        .collect()
}
