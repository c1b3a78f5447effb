//! Secrets from files: `JWT_KEY_FILE` names a file that holds `JWT_KEY`, and so on for every
//! setting whose value is hidden. Containers get secrets as files, which no listing of processes
//! shows.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

/// Appends to the command line the content of each file that the environment names, as the flag of
/// its setting. Only this process sees that command line.
///
/// # Errors
///
/// One line that names the variable: when a file cannot be read, or the setting is given twice.
pub(crate) fn from_files(
    command: &Command,
    mut arguments: Vec<OsString>,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Vec<OsString>, String> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    let named = |known: &&Command| arguments.iter().any(|a| a.to_str() == Some(known.get_name()));
    let Some(subcommand) = command.get_subcommands().find(named) else { return Ok(arguments) };
    for secret in subcommand.get_arguments().filter(|a| a.is_hide_env_values_set()) {
        let (Some(name), Some(flag)) = (secret.get_env(), secret.get_long()) else { continue };
        let name = name.to_string_lossy();
        let file = format!("{name}_FILE");
        let Some(path) = set(&file).map(PathBuf::from) else { continue };
        if set(&name).is_some() {
            return Err(format!("{file}: {name} is set as well"));
        }
        let content = std::fs::read_to_string(&path)
            .map_err(|error| format!("{file}: {}: {error}", path.display()))?;
        arguments.push(format!("--{flag}={}", content.trim_end_matches(['\r', '\n'])).into());
    }
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::*;
    use crate::cli::{Cli, Command as Parsed};

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn serve(variables: &[(&str, &str)]) -> Result<String, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into())
        };
        let arguments = ["ticketing", "serve", "auth", "--mongo-url", "mongodb://a"];
        let arguments = arguments.into_iter().chain(["--nats-url", "nats://a"]);
        let arguments = arguments.map(OsString::from).collect();
        let arguments = from_files(&Cli::command(), arguments, variable)?;
        match Cli::try_parse_from(arguments).expect("it parses").command {
            Parsed::Serve(serve) => Ok(serve.jwt_key),
            Parsed::DeadLetters(_) | Parsed::Archive(_) => unreachable!("the command is serve"),
        }
    }

    #[test]
    fn a_secret_comes_from_the_file_that_the_environment_names() {
        let file = std::env::temp_dir().join(format!("rehearsal-key-{}", std::process::id()));
        std::fs::write(&file, format!("{KEY}\n")).unwrap();
        let path = file.to_str().unwrap();
        assert_eq!(serve(&[("JWT_KEY_FILE", path)]).as_deref(), Ok(KEY));
        let twice = serve(&[("JWT_KEY_FILE", path), ("JWT_KEY", KEY)]);
        assert_eq!(twice, Err("JWT_KEY_FILE: JWT_KEY is set as well".to_owned()));
        std::fs::remove_file(&file).unwrap();
        let missing = serve(&[("JWT_KEY_FILE", path)]).unwrap_err();
        assert!(missing.starts_with("JWT_KEY_FILE: "), "{missing}");
    }
}
