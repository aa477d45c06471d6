//! A network namespace for each test, so that no test sees or touches the host's connections.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::inner::run;

/// Set in the process that runs inside.
const INSIDE: &str = "SS_EXPORTER_TEST_NAMESPACE";
/// As [`enter_in_turn`], with processes of its own, so that `netns: all` finds what the test has made and nothing of the
/// host; and with names of network namespaces of its own. Needs root.
#[must_use = "outside, the test ends"]
pub fn enter_with_processes() -> bool {
    let _turn = turn();
    let arguments = ["--exact", &test_name(), "--nocapture"];
    if enter_with(&arguments) {
        return true;
    }
    if std::process::id() == 1 {
        run("mount -t tmpfs none /run");
        return false;
    }
    let program = std::env::current_exe().expect("the path of this program");
    let alone = ["--pid", "--fork", "--mount-proc", "--kill-child", "--"];
    let status = Command::new("unshare").args(alone).arg(program).args(arguments).status();
    assert!(status.is_ok_and(|status| status.success()), "failed in its namespaces");
    true
}

/// Waits until no other test of this process is inside a namespace of its own.
fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process runs one test, which has entered with [`enter_in_turn`].
static IN_TURN: AtomicBool = AtomicBool::new(false);

/// Runs this program again in its own network namespace with these arguments. Returns `false` inside.
#[must_use = "outside, the test ends"]
pub fn enter_with(arguments: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        assert!(up.is_ok_and(|status| status.success()), "cannot bring up lo; install the package iproute2");
        return false;
    }
    let program = std::env::current_exe().expect("the path of this program");
    // Root needs no user namespace, and with one could not look into the processes outside.
    // With its own mounts, so that a namespace that it names is named nowhere else.
    let flags = if rustix::process::geteuid().is_root() { "-nm" } else { "-rnm" };
    let status = Command::new("unshare")
        .arg(flags)
        .arg("--")
        .arg(program)
        .args(arguments)
        .env(INSIDE, "1")
        .status()
        .expect("unshare of the package util-linux");
    assert!(status.success(), "failed in its network namespace, or the kernel allows no user namespaces");
    true
}

/// Runs the current test in its own network namespace. Returns `false` inside.
#[must_use = "outside, the test ends"]
pub fn enter() -> bool {
    enter_with(&["--exact", &test_name(), "--nocapture"])
}

/// As [`enter`], one test after the other: the load of one would slow the other. The exporters of such a test end with
/// it, also if it fails while other threads hold them.
#[must_use = "outside, the test ends"]
pub fn enter_in_turn() -> bool {
    let _turn = turn();
    IN_TURN.store(true, Ordering::Relaxed);
    enter()
}

/// Whether this process runs one test, which has entered with [`enter_in_turn`].
pub(crate) fn is_in_turn() -> bool {
    IN_TURN.load(Ordering::Relaxed)
}

/// The name of the current test.
pub fn test_name() -> String {
    std::thread::current().name().expect("the test's name").to_owned()
}
