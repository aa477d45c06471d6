//! The manual pages and the completions of bash, zsh and fish in `deploy/manual` against the definition of the command
//! line; `UPDATE=1 cargo test --test manual` writes them.

use std::collections::BTreeMap;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::{Generator as _, Shell, generate};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use ss_exporter::cli::Cli;

const FOLDER: &str = "deploy/manual";

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
        &[
            ("0", "all went well"),
            ("1", "something failed at run time"),
            ("2", "it was asked for wrongly"),
            ("3", "estimate: a scrape has more series than --max-series"),
        ],
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

/// The manual page of a command, with sections of our own at its end: its file name and its text.
fn page(command: &Command, sections: &[(&str, &[(&str, &str)])]) -> (String, Vec<u8>) {
    let man = Man::new(command.clone()).manual("Prometheus exporters");
    let mut text = Vec::new();
    man.render(&mut text).expect("room");
    let mut ours = Roff::new();
    for (title, terms) in sections {
        ours.control("SH", [*title]);
        for (term, meaning) in *terms {
            ours.control("TP", []);
            ours.text([bold(*term)]);
            ours.text([roman(*meaning)]);
        }
    }
    ours.to_writer(&mut text).expect("room");
    (man.get_filename(), text)
}

/// Every file of the folder by its name.
fn files() -> BTreeMap<String, Vec<u8>> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut files = BTreeMap::new();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        let mut text = Vec::new();
        generate(shell, &mut command, &name, &mut text);
        files.insert(shell.file_name(&name), text);
    }
    command.build();
    files.extend([page(&command, &SECTIONS)]);
    files.extend(command.get_subcommands().filter(|task| !task.is_hide_set()).map(|task| page(task, &[])));
    files
}

#[test]
fn the_manual_and_the_completions_are_those_of_the_command_line() {
    let folder = Path::new(FOLDER);
    let files = files();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, text) in &files {
            std::fs::write(folder.join(name), text).expect("room");
        }
    }
    let entries = std::fs::read_dir(folder).expect(FOLDER).map(|entry| entry.expect("an entry"));
    let there: BTreeMap<_, _> = entries
        .map(|entry| {
            let name = entry.file_name().into_string().expect("UTF-8");
            (name, std::fs::read(entry.path()).expect("a file"))
        })
        .collect();
    assert!(there.keys().eq(files.keys()), "found {:?}; expected {:?}", there.keys(), files.keys());
    for (name, text) in files {
        assert!(
            there[&name] == text,
            "{FOLDER}/{name} is not current; run UPDATE=1 cargo test --test manual"
        );
    }
}
