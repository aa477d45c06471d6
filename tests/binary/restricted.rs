//! What hides owners from an exporter that may ask, each on the real kernel: one warning with the command that helps.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{enter, program};
use testkit::exporter::Exporter;
use testkit::public::{Public, unprivileged};

/// One view that asks for processes, and one that asks for cgroups.
const OWNERS: &str = "views: {v: {by: [process], state: [listen]}}\n";
const UNITS: &str = "views: {v: {by: [unit], state: [listen]}}\n";

/// The messages of all warnings of restrictions.
const MESSAGES: [&str; 5] = [
    "processes cannot be inspected although the capabilities are there",
    "the capabilities hold only in this user namespace",
    "processes are hidden in /proc",
    "sockets belong to processes outside this PID namespace",
    "cgroups of the host are not visible",
];

/// What an exporter shows and logs of restrictions in several collections.
struct Judged {
    metrics: String,
    log: String,
}

impl Judged {
    fn of(exporter: Exporter) -> Self {
        let mut metrics = String::new();
        for _ in 0..4 {
            metrics = exporter.metrics();
        }
        exporter.signal(rustix::process::Signal::TERM);
        Self { metrics, log: exporter.log() }
    }

    /// How often each message was logged.
    fn messages(&self) -> [usize; 5] {
        MESSAGES
            .map(|message| self.log.lines().filter(|line| line.replace("\\'", "'").contains(message)).count())
    }

    /// The restrictions that hide something, by the metric.
    fn hiding(&self) -> Vec<&str> {
        let lines = self.metrics.lines();
        let by = lines
            .filter_map(|line| line.strip_prefix("ss_exporter_owners_hidden{by=\"")?.strip_suffix("\"} 1"));
        by.collect()
    }

    fn hint(&self, hint: &str) {
        assert!(self.log.lines().any(|line| line.contains("hint=") && line.contains(hint)), "{}", self.log);
    }
}

/// A listener of a process outside of whatever the exporter is confined to.
fn outside() -> TcpListener {
    TcpListener::bind("127.0.0.1:7001").expect("a port")
}

fn configuration(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.yml");
    std::fs::write(&path, text).expect("room");
    (folder, path)
}

/// The program below another, which confines it.
fn below(confining: &[&str], config: &Path) -> Command {
    let mut command = Command::new(confining[0]);
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
    command
        .args(&confining[1..])
        .arg(env!("CARGO_BIN_EXE_prometheus_ss_exporter"))
        .arg("--config")
        .arg(config);
    command
}

/// Runs a program in a Landlock domain, which may inspect no process outside of it whatever its capabilities.
const LANDLOCKED: &str = "
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
CREATE, RESTRICT, MAKE_BLOCK = 444, 446, 1 << 11
handled = struct.pack('Q', MAKE_BLOCK)
rules = libc.syscall(CREATE, handled, len(handled), 0)
if rules < 0 or libc.syscall(RESTRICT, rules, 0) != 0:
    sys.exit('Landlock: ' + os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])
";

#[test]
fn a_security_module_that_forbids_inspection_is_named_once_with_what_helps() {
    if enter() {
        return;
    }
    let _listener = outside();
    let (_folder, config) = configuration(OWNERS);
    let judged = Judged::of(Exporter::spawn(&mut below(&["python3", "-c", LANDLOCKED], &config)));
    assert_eq!(judged.messages(), [1, 0, 0, 0, 0], "{}", judged.log);
    assert_eq!(judged.hiding(), ["security_module"], "{}", judged.metrics);
    judged.hint("journalctl --dmesg --grep=");
    assert!(
        judged
            .metrics
            .contains("ss_exporter_capability_held{feature=\"processes\",capability=\"CAP_SYS_PTRACE\"} 1\n")
    );
    assert!(!judged.log.contains("collect.owners"), "time is not the cause: {}", judged.log);
}

#[test]
fn capabilities_of_a_user_namespace_are_not_taken_for_those_of_the_host() {
    if enter() {
        return;
    }
    let _listener = outside();
    let (_folder, config) = configuration(OWNERS);
    let mut confined = below(&["unshare", "--user", "--map-root-user"], &config);
    let judged = Judged::of(Exporter::spawn(&mut confined));
    assert_eq!(judged.messages(), [0, 1, 0, 0, 0], "{}", judged.log);
    assert_eq!(judged.hiding(), ["user_namespace"], "{}", judged.metrics);
    judged.hint("docker run --userns host");
}

#[test]
fn mount_options_that_hide_processes_are_named_once_with_what_helps() {
    if enter() {
        return;
    }
    let _listener = outside();
    let public = Public::new(OWNERS);
    for (option, shown) in [("invisible", "hidepid=invisible"), ("ptraceable", "hidepid=ptraceable")] {
        let unprivileged = public.command(&unprivileged(&[]), &[]);
        let mut command = Command::new("unshare");
        let script = "mount -t proc -o hidepid=$0 proc /proc && exec \"$@\"";
        command.args(["--mount", "sh", "-c", script, option]).arg(unprivileged.get_program());
        command.args(unprivileged.get_args()).current_dir("/");
        let judged = Judged::of(Exporter::spawn(&mut command));
        assert_eq!(judged.messages(), [0, 0, 1, 0, 0], "{}", judged.log);
        assert_eq!(judged.hiding(), ["hidepid"], "{}", judged.metrics);
        assert!(judged.log.contains(shown), "{}", judged.log);
        judged.hint("CAP_SYS_PTRACE");
        assert!(judged.metrics.contains("ss_exporter_processes_unreadable 0\n"));
        assert!(!judged.metrics.contains("ss_exporter_sockets_without_owner 0\n"));
    }
    // The capability sees through the option.
    let (_folder, config) = configuration(OWNERS);
    let script = "mount -t proc -o hidepid=invisible proc /proc && exec \"$@\"";
    let judged =
        Judged::of(Exporter::spawn(&mut below(&["unshare", "--mount", "sh", "-c", script, "sh"], &config)));
    assert_eq!((judged.messages(), judged.hiding().len()), ([0; 5], 0), "{}", judged.log);
}

#[test]
fn a_pid_namespace_without_the_owners_is_named_once_with_what_helps() {
    if enter() {
        return;
    }
    let _listener = outside();
    let (_folder, config) = configuration(OWNERS);
    let confining = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let judged = Judged::of(Exporter::spawn(&mut below(&confining, &config)));
    assert_eq!(judged.messages(), [0, 0, 0, 1, 0], "{}", judged.log);
    assert_eq!(judged.hiding(), ["pid_namespace"], "{}", judged.metrics);
    judged.hint("docker run --pid host");
    assert!(judged.metrics.contains("ss_exporter_processes_unreadable 0\n"));
}

#[test]
fn cgroups_that_are_not_visible_are_named_once_with_what_helps() {
    if enter() {
        return;
    }
    let _listener = outside();
    let (_folder, config) = configuration(UNITS);
    let mounts = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"].map(Path::new);
    let mount = mounts.into_iter().find(|mount| mount.join("cgroup.controllers").exists());
    let mount = mount.expect("cgroup v2 below /sys/fs/cgroup");
    let cgroup = mount.join(format!("ss-exporter-restricted-{}", std::process::id()));
    std::fs::create_dir(&cgroup).expect("the right to make cgroups");
    // As a container with a cgroup namespace of its own: of the hierarchy, only its own part is mounted.
    let script = "echo $$ >\"$0/cgroup.procs\" && exec unshare --cgroup --mount sh -c '
        umount --lazy \"$0\" && mount -t cgroup2 cgroup2 \"$0\" && exec \"$@\"' \"$@\"";
    let mut command = Command::new("sh");
    command.args(["-c", script]).arg(&cgroup).arg(mount).arg(env!("CARGO_BIN_EXE_prometheus_ss_exporter"));
    command.arg("--config").arg(&config);
    let judged = Judged::of(Exporter::spawn(&mut command));
    std::fs::remove_dir(&cgroup).expect("an empty cgroup");
    assert_eq!(judged.messages(), [0, 0, 0, 0, 1], "{}", judged.log);
    assert_eq!(judged.hiding(), ["cgroups"], "{}", judged.metrics);
    judged.hint("docker run --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:ro");
}

#[test]
fn where_nothing_is_hidden_nothing_is_said() {
    if enter() {
        return;
    }
    let _listener = outside();
    let (_folder, config) =
        configuration("views: {v: {by: [process, unit], state: [listen, established]}}\n");
    let plain = Exporter::spawn(program().arg("--config").arg(&config));
    let judged = Judged::of(plain);
    assert_eq!((judged.messages(), judged.hiding().len()), ([0; 5], 0), "{}", judged.log);
    // An unprivileged user is warned of the capabilities alone.
    let public = Public::new("views: {v: {by: [process, unit], state: [listen, established]}}\n");
    let judged = Judged::of(public.start(&unprivileged(&[])));
    assert_eq!((judged.messages(), judged.hiding().len()), ([0; 5], 0), "{}", judged.log);
    assert!(judged.log.contains("a capability is missing"), "{}", judged.log);
}

#[test]
fn a_container_that_sees_only_itself_is_not_warned() {
    if enter() {
        return;
    }
    // Its network namespace and all processes in it are its own, except for the test, which asks for the metrics.
    let (_folder, config) = configuration(
        "views: {v: {by: [process], state: [listen, established], select: not sport = 8020 and not dport = 8020}}\n",
    );
    let confining = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c"];
    let script = "python3 -c 'import socket, time; held = socket.create_server((\"127.0.0.1\", 7001)); time.sleep(60)' & exec \"$@\"";
    let confining: Vec<_> = confining.into_iter().chain([script, "sh"]).collect();
    let judged = Judged::of(Exporter::spawn(&mut below(&confining, &config)));
    assert_eq!((judged.messages(), judged.hiding().len()), ([0; 5], 0), "{}", judged.log);
}
