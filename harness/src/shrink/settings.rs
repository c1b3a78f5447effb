//! Settings back at their defaults.

use super::minimize;
use super::shrinker::Shrinker;
use crate::case::Case;
use crate::session::RunError;

impl Shrinker<'_> {
    /// Returns settings to their defaults where the invariant is still violated.
    pub(super) fn default_settings(&mut self) -> Result<(), RunError> {
        let settings = self.best.settings.clone();
        let names: Vec<String> = settings.iter().map(|(name, _)| name.to_owned()).collect();
        minimize(names, |part| {
            self.take(Case { settings: settings.only(part), ..self.best.clone() })
        })?;
        Ok(())
    }
}
