//! Many network namespaces, seen by the program as its users run it. Needs root.
//!
//! Each test has a namespace of processes of its own, so that `netns: all` finds what the test has made and
//! nothing of the host, and they run one after the other.

#[path = "../support/namespace.rs"]
mod namespace;

#[path = "../support/holder.rs"]
mod holder;

#[path = "../binary/exporter.rs"]
#[expect(dead_code, reason = "some answers and settings are for the tests of the binary")]
mod exporter;

#[path = "../exactness/scrapes.rs"]
mod scrapes;

#[path = "../exactness/traffic.rs"]
#[expect(dead_code, reason = "some ends are for the tests of exactness")]
mod traffic;

#[path = "../owners/actor.rs"]
#[expect(dead_code, reason = "connections are for the tests of owners")]
mod actor;

mod counted;
mod deleted;
mod directions;
mod early;
mod held;
mod inner;
mod labels;
mod readiness;
mod selection;
mod threads;

use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Runs the current test in namespaces of its own: of the network, mounts and processes; `false` inside.
fn enter() -> bool {
    // The load of one would slow the other.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let name = std::thread::current().name().expect("the test's name").to_owned();
    let arguments = ["--exact", &name, "--nocapture"];
    if namespace::enter(&arguments) {
        return true;
    }
    if std::process::id() == 1 {
        // Names of namespaces are the test's own.
        inner::run("mount -t tmpfs none /run");
        return false;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let alone = ["--pid", "--fork", "--mount-proc", "--kill-child", "--"];
    let status = Command::new("unshare").args(alone).arg(program).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "failed in its namespaces");
    true
}

/// The program, without the environment's settings.
fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prometheus_ss_exporter"));
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
    command
}
