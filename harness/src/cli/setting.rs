//! The arguments by which `run`, `explore` and `bugs` fix settings.

use super::CommandError;
use crate::search::explore::SettingsChoice;
use crate::settings::{SettingError, Settings, Value};
use crate::subject::AnySubject;
use crate::time_scale::TimeScale;

/// The word that keeps all settings at their defaults.
const DEFAULT: &str = "default";

/// The settings on the command line.
#[derive(Debug, clap::Args)]
pub(super) struct Fixed {
    /// Fixes a setting, such as attempts=2, instead of drawing it from the seed; `default` keeps
    /// all others at their defaults. Can be repeated
    #[arg(long, value_name = "NAME=VALUE|default")]
    setting: Vec<String>,
}

impl Fixed {
    /// Whether any are given.
    pub(super) fn given(&self) -> bool {
        !self.setting.is_empty()
    }

    /// The settings of the runs.
    pub(super) fn choice(&self, subject: &AnySubject) -> Result<SettingsChoice, CommandError> {
        let mut choice = SettingsChoice::default();
        for text in &self.setting {
            if text == DEFAULT {
                choice.defaults = true;
                continue;
            }
            let wrong = |why: SettingError| CommandError::Usage(format!("--setting {text}: {why}"));
            let (name, value) = text.split_once('=').ok_or_else(|| {
                CommandError::Usage(format!(
                    "--setting {text}: a setting is NAME=VALUE, such as attempts=2, or {DEFAULT}"
                ))
            })?;
            let value = Value::try_from(value.to_owned()).map_err(wrong)?;
            let all = subject.settings();
            Settings::default().set_named(all, name, value).map_err(wrong)?;
            choice.fixed.extend(all.iter().find(|s| s.name == name).map(|s| (s.clone(), value)));
        }
        let mut fixed = Settings::default();
        choice.fixed.iter().for_each(|(setting, value)| fixed.set(setting, *value));
        let policy = TimeScale::simulated().with(&fixed);
        policy.policy().check().map_err(|why| CommandError::Usage(format!("--setting: {why}")))?;
        Ok(choice)
    }
}

/// The settings of a subject, as the help lists them.
pub(super) fn list(subject: &AnySubject) -> String {
    let lines = subject.settings().iter().map(|setting| {
        let values: Vec<String> = setting.values.iter().map(ToString::to_string).collect();
        let (default, values) = (setting.default, values.join(", "));
        let values =
            if values.is_empty() { "never drawn".to_owned() } else { format!("or {values}") };
        format!("\n  {:<24} {}: {default}, {values}", setting.name, setting.about)
    });
    format!("Settings, drawn from the seed in half of the runs:{}\n", lines.collect::<String>())
}

/// What the runs do with settings, for the head of a report.
pub(super) fn announced(choice: &SettingsChoice) -> String {
    let fixed = choice.fixed.iter().map(|(setting, value)| format!("{} {value}", setting.name));
    let mut parts: Vec<String> = fixed.collect();
    parts.push(if choice.defaults { "defaults" } else { "drawn in half of the runs" }.to_owned());
    parts.join(", ")
}
