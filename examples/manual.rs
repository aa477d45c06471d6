//! Writes the manual pages and the completions of bash, zsh and fish, from the definition of the command line.
//!
//! `cargo run --example manual -- FOLDER`. Refuses to know where a system keeps them.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use ss_exporter::cli::Cli;

/// What the definition does not say, by section: the terms and what each means.
const SECTIONS: [(&str, &[(&str, &str)]); 4] = [
    (
        "ENVIRONMENT",
        &[
            ("PORT", "as --port, which overrides it; an empty variable is none"),
            ("CONFIG_FILE", "as --config"),
            ("LOG_LEVEL", "as --log-level"),
        ],
    ),
    (
        "SIGNALS",
        &[
            ("SIGHUP", "reads the configuration again; a broken one is refused, and the old one goes on"),
            ("SIGTERM, SIGINT", "ends it; answers in progress have 5 seconds"),
        ],
    ),
    (
        "EXIT STATUS",
        &[("0", "all went well"), ("1", "something failed at run time"), ("2", "it was asked for wrongly")],
    ),
    (
        "FILES",
        &[
            (
                "/etc/default/prometheus-ss-exporter",
                "flags and the path of the configuration, of Debian's package",
            ),
            ("/etc/prometheus-ss-exporter/config.yml", "the configuration, of Debian's package"),
        ],
    ),
];

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        return failed("say which folder to write to: manual FOLDER");
    };
    match write(&folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&format!("cannot write to {}: {error}", folder.display())),
    }
}

fn failed(why: &str) -> ExitCode {
    // Nobody is left to tell if this fails.
    let _ = writeln!(io::stderr(), "{why}");
    ExitCode::FAILURE
}

fn write(folder: &Path) -> io::Result<()> {
    let mut command = Cli::command();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let name = command.get_name().to_owned();
        clap_complete::generate_to(shell, &mut command, name, folder)?;
    }
    command.build();
    page(&command, folder, &SECTIONS)?;
    for task in command.get_subcommands().filter(|task| !task.is_hide_set()) {
        page(task, folder, &[])?;
    }
    Ok(())
}

/// The manual page of a command, with sections of our own at its end.
fn page(command: &Command, folder: &Path, sections: &[(&str, &[(&str, &str)])]) -> io::Result<()> {
    let man = Man::new(command.clone()).manual("Prometheus exporters");
    let mut file = std::fs::File::create(folder.join(man.get_filename()))?;
    man.render(&mut file)?;
    let mut ours = Roff::new();
    for (title, terms) in sections {
        ours.control("SH", [*title]);
        for (term, meaning) in *terms {
            ours.control("TP", []);
            ours.text([bold(*term)]);
            ours.text([roman(*meaning)]);
        }
    }
    ours.to_writer(&mut file)
}
