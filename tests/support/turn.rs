//! Tests that take turns, each in a network namespace of its own, and the program that they run.
//!
//! Refuses to know what is tested.

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use super::namespace;

/// Runs the current test in a network namespace of its own; `false` inside.
pub fn enter() -> bool {
    // The load of one would slow the other.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    namespace::enter(&["--exact", &name(), "--nocapture"])
}

/// The current test.
pub fn name() -> String {
    std::thread::current().name().expect("the test's name").to_owned()
}

/// The program, without the environment's settings. It ends with the test, also if that fails while other
/// threads hold the exporter.
pub fn program() -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "--", env!("CARGO_BIN_EXE_prometheus_ss_exporter")]);
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
    command
}
