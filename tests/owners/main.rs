//! The promise that no owner is wrong, against processes of which each connects to a port of its own, each test in
//! a network namespace of its own and one after the other.
#![cfg(feature = "root-tests")]

#[path = "../support/namespace.rs"]
mod namespace;

#[path = "../binary/exporter.rs"]
#[expect(dead_code, reason = "logs and exit codes are for the tests of the binary")]
mod exporter;

#[path = "../binary/public.rs"]
#[expect(dead_code, reason = "root without capabilities is for the tests of the binary")]
mod public;

#[path = "../exact/scrapes.rs"]
mod scrapes;

mod actor;
mod cast;
mod cgroups;
mod handing;
mod oracle;
mod passed;
mod ports;
mod renames;
mod restart;
mod rows;
mod selection;
mod sleeper;
mod storms;
mod unprivileged;

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Runs the current test in a network namespace of its own; `false` inside.
fn enter() -> bool {
    // The load of one would slow the other.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    namespace::enter(&["--exact", &name(), "--nocapture"])
}

/// The current test.
fn name() -> String {
    std::thread::current().name().expect("the test's name").to_owned()
}

/// The program, without the environment's settings. It ends with the test, also if that fails while other
/// threads hold the exporter.
fn program() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_prometheus_ss_exporter")]);
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
    command
}
