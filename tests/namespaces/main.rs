//! Many network namespaces, seen by the program as its users run it. Needs root.
//!
//! Each test has a namespace of processes of its own, so that `netns: all` finds what the test has made and
//! nothing of the host, and they run one after the other.

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
mod unix;

use std::process::Command;
use std::sync::{Mutex, PoisonError};

use testkit::exporter::program;
use testkit::netns::{enter_with, test_name};

/// Runs the current test in namespaces of its own: of the network, mounts and processes; `false` inside.
fn enter() -> bool {
    // The load of one would slow the other.
    static TURN: Mutex<()> = Mutex::new(());
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let arguments = ["--exact", &test_name(), "--nocapture"];
    if enter_with(&arguments) {
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
