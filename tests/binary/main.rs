//! The program as its users run it, each test in a network namespace of its own.

#[path = "../support/namespace.rs"]
mod namespace;

#[cfg(feature = "root-tests")]
#[path = "../support/holder.rs"]
mod holder;

mod arguments;
mod configs;
#[cfg(feature = "root-tests")]
mod dropping;
mod estimate;
mod exporter;
mod hostile;
mod hosts;
mod live;
mod managed;
mod paused;
#[cfg(feature = "root-tests")]
mod privileges;
#[cfg(feature = "root-tests")]
mod public;
mod reloading;
#[cfg(feature = "root-tests")]
mod restricted;
mod scrapes;
mod serving;
mod sockets;
#[cfg(feature = "root-tests")]
mod starved;
mod stopping;
mod terminal;

use std::process::{Command, Output};

/// Runs the current test in a network namespace of its own; `false` inside.
fn enter() -> bool {
    let name = std::thread::current().name().expect("the test's name").to_owned();
    namespace::enter(&["--exact", &name, "--nocapture"])
}

/// The program, without the environment's settings.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prometheus_ss_exporter"));
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
    command
}

fn run(arguments: &[&str]) -> Output {
    program().args(arguments).output().expect("the program")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}
