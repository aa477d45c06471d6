//! A network namespace of the test's own, so that no test sees or touches the host's connections.

use std::process::Command;

/// Set in the process that runs inside.
const INSIDE: &str = "SS_EXPORTER_TEST_NAMESPACE";

/// Runs this program again in a network namespace of its own with these arguments; `false` inside.
///
/// # Panics
/// If the namespace cannot be made, or if what ran inside failed.
pub fn enter(arguments: &[&str]) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        let up = Command::new("ip").args(["link", "set", "lo", "up"]).status();
        assert!(up.is_ok_and(|status| status.success()), "cannot bring up lo; install the package iproute2");
        return false;
    }
    let program = std::env::current_exe().expect("the path of this program");
    // Root needs no user namespace, and with one could not look into the processes outside.
    // With mounts of its own, so that a namespace it names is named nowhere else.
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
