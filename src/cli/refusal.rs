//! What clap would accept, or would refuse without the flag that helps.

use std::path::Path;

use clap::CommandFactory as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, Task};

/// The error about an argument that is no flag and no command. Of the path of a file, it names `--config`.
pub(super) fn explained(error: clap::Error) -> clap::Error {
    let argument = error.get(ContextKind::InvalidSubcommand).or_else(|| error.get(ContextKind::InvalidArg));
    let Some(ContextValue::String(argument)) = argument else { return error };
    if !matches!(error.kind(), ErrorKind::InvalidSubcommand | ErrorKind::UnknownArgument) {
        return error;
    }
    let is_file =
        !argument.starts_with('-') && (argument.contains('/') || Path::new(argument).extension().is_some());
    let expected = if is_file {
        format!("a flag or a command. A configuration file needs --config {argument}")
    } else {
        return error;
    };
    Cli::command()
        .error(ErrorKind::UnknownArgument, format!("found the argument '{argument}'; expected: {expected}"))
}

/// Refuses a command beside a flag that also runs in place of the exporter.
pub(super) fn of_two_modes(cli: Cli) -> Result<Cli, clap::Error> {
    let flags = [
        (cli.check, "--config.check"),
        (cli.create_config.is_some(), "--create-config"),
        (cli.once, "--once"),
        (cli.healthcheck, "--healthcheck"),
    ];
    let task = match &cli.task {
        Some(Task::Estimate { .. }) => "estimate",
        Some(Task::Sockets(_)) => "sockets",
        Some(Task::Top(_)) => "top",
        None => return Ok(cli),
    };
    match flags.into_iter().find(|(is_set, _)| *is_set) {
        None => Ok(cli),
        Some((_, flag)) => Err(Cli::command().error(
            ErrorKind::ArgumentConflict,
            format!("the argument '{flag}' cannot be used with the command '{task}'; use one of them"),
        )),
    }
}
