//! Renders an error with its sources on one line, for logs and dead letters.
//!
//! The error types of this workspace do not repeat their source in their own message, so
//! printing one without its chain loses the cause.

use std::error::Error;
use std::fmt;

/// Displays an error and its sources, separated by `: `.
///
/// ```
/// use platform::chain::Chain;
/// use platform::run::StartError;
/// use ports::store::WriteError;
///
/// let source = WriteError::Unavailable("timeout".to_owned());
/// let error = StartError::Collection { collection: "orders", source };
/// assert_eq!(
///     Chain(&error).to_string(),
///     "the collection orders could not be created: the store is unavailable: timeout"
/// );
/// ```
#[derive(Debug)]
pub struct Chain<'a>(pub &'a (dyn Error + 'a));

impl fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut next = self.0.source();
        while let Some(error) = next {
            write!(f, ": {error}")?;
            next = error.source();
        }
        Ok(())
    }
}
