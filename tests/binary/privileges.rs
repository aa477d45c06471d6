//! What works without any capability, and what is said of what does not. Needs root to have none.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use super::enter;
use super::exporter::Exporter;

/// Starts the exporter as nobody, who may read neither the build's folder nor root's processes.
fn start_as_nobody(config: &str) -> (Exporter, tempfile::TempDir) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755))
        .expect("a folder for all");
    let program = folder.path().join("prometheus_ss_exporter");
    std::fs::copy(env!("CARGO_BIN_EXE_prometheus_ss_exporter"), &program).expect("a copy");
    let file = folder.path().join("config.yml");
    std::fs::write(&file, config).expect("a file");
    let mut command = Command::new(program);
    command.current_dir("/").arg("--config").arg(file).uid(65_534).gid(65_534);
    (Exporter::spawn(&mut command), folder)
}

fn held_by_root() -> (std::net::TcpListener, std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a listener");
    let client = std::net::TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
    let server = listener.accept().expect("the other end").0;
    (listener, client, server)
}

#[test]
fn without_a_capability_every_flow_is_shown() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let (exporter, _folder) = start_as_nobody("logic:\n");
    let metrics = exporter.metrics();
    let port = client.local_addr().expect("bound").port();
    assert!(metrics.contains(&format!("tcp_rtt{{flow=\"(SRC#127.0.0.1|{port})(DST#")), "{metrics}");
    assert!(metrics.contains("ss_exporter_capability{name=\"CAP_SYS_PTRACE\"} 0\n"), "{metrics}");
    assert!(!metrics.contains("ss_exporter_processes_unreadable"), "nobody asked for owners");
}

#[test]
fn marks_without_their_capability_are_unknown_and_that_is_said_once() {
    if enter() {
        return;
    }
    let _held = held_by_root();
    let views = "views: {v: {by: [mark], metrics: [sockets]}}\n";
    let (exporter, _folder) = start_as_nobody(views);
    let metrics = [exporter.metrics(), exporter.metrics()].concat();
    assert!(metrics.contains("ss_v_sockets{mark=\"unknown\"}"), "{metrics}");
    assert!(metrics.contains("ss_exporter_capability{name=\"CAP_NET_ADMIN\"} 0\n"), "{metrics}");
    let log = exporter.log();
    assert_eq!(log.matches("the marks of sockets stay unknown").count(), 1, "{log}");
}

#[test]
fn a_missing_capability_is_said_once_and_its_flows_keep_their_endpoints() {
    if enter() {
        return;
    }
    let (_listener, client, _server) = held_by_root();
    let (exporter, _folder) = start_as_nobody("logic: {compression: {label_folding: pid_condensed}}\n");
    let metrics = [exporter.metrics(), exporter.metrics()].concat();
    let port = client.local_addr().expect("bound").port();
    assert!(metrics.contains(&format!("tcp_rtt{{flow=\"(SRC#127.0.0.1|{port})(DST#")), "{metrics}");
    for name in ["CAP_SYS_PTRACE", "CAP_DAC_READ_SEARCH"] {
        assert!(metrics.contains(&format!("ss_exporter_capability{{name=\"{name}\"}} 0\n")), "{metrics}");
    }
    let unreadable = metrics.lines().find_map(|line| line.strip_prefix("ss_exporter_processes_unreadable "));
    assert!(unreadable.is_some_and(|number| number != "0"), "{metrics}");
    let log = exporter.log();
    assert_eq!(log.matches("CAP_SYS_PTRACE").count(), 1, "{log}");
    assert!(log.contains("CAP_DAC_READ_SEARCH"), "{log}");
}
