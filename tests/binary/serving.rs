//! How it is served: flags of the web, and sockets that systemd hands over.

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::{enter, program, run, text};
use testkit::exporter::Exporter;

#[test]
fn flags_move_the_metrics_and_hide_those_of_the_process() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--web.telemetry-path=/ss", "--web.disable-exporter-metrics"]);
    let answer = exporter.get("/ss");
    let metrics = text(&answer.body);
    assert!(
        answer.status == 200 && metrics.contains("ss_exporter_build_info") && !metrics.contains("process_")
    );
    assert_eq!(exporter.get("/metrics").status, 404);
    assert!(text(&exporter.get("/").body).contains("href=\"/ss\""));
}

#[test]
fn a_scrape_has_the_views_it_asks_for() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let families = |query: &str| {
        let metrics = text(&exporter.get(&format!("/metrics?{query}")).body);
        let types = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.map(|line| line.split(' ').next().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    let all = families("");
    let of = |prefix: &str, names: &[String]| names.iter().filter(|name| name.starts_with(prefix)).count();
    assert!(of("ss_tcp_listener_", &all) > 0 && of("tcp_", &all) > 0);
    let one = families("collect[]=tcp_listener");
    assert_eq!(of("ss_tcp_listener_", &one), of("ss_tcp_listener_", &all));
    assert_eq!((of("tcp_", &one), of("ss_tcp_sent", &one)), (0, 0), "{one:?}");
    assert_eq!(of("ss_exporter_", &one), of("ss_exporter_", &all), "how the collection went is always said");
    let others = families("exclude[]=tcp_listener");
    assert!(of("ss_tcp_listener_", &others) == 0 && of("tcp_", &others) == of("tcp_", &all));
    assert_eq!(exporter.get("/metrics?collect[]=nope").status, 400);
}

#[test]
fn more_scrapes_than_may_wait_are_refused() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&["--web.max-requests=1"]);
    let refused = std::thread::scope(|scope| {
        let scrapes: Vec<_> = (0..16).map(|_| scope.spawn(|| exporter.get("/metrics"))).collect();
        let answers = scrapes.into_iter().map(|scrape| scrape.join().expect("an answer"));
        let refused: Vec<_> = answers.filter(|answer| answer.status == 503).collect();
        for answer in &refused {
            assert_eq!(text(&answer.body), "Limit of concurrent requests reached (1), try again later.\n");
        }
        refused.len()
    });
    let said = format!("ss_exporter_scrapes_refused_total {refused}\n");
    // The last of them may still wait for its collection.
    std::thread::sleep(Duration::from_millis(200));
    let metrics = exporter.metrics();
    assert!(metrics.contains(&said), "{said} in {metrics}");
}

/// Starts the program with a listener of the test's as its first handed-over socket.
fn activated(listener: &TcpListener) -> Command {
    let mut command = Command::new("sh");
    let script = r#"LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&0 </dev/null"#;
    command.args(["-c", script, env!("CARGO_BIN_EXE_prometheus_ss_exporter"), "--web.systemd-socket"]);
    command.stdin(Stdio::from(std::os::fd::OwnedFd::from(listener.try_clone().expect("a copy"))));
    command
}

#[test]
fn it_serves_on_the_socket_that_systemd_hands_over() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:8020").expect("a listener");
    let exporter = Exporter::spawn(&mut activated(&listener));
    drop(listener);
    assert_eq!(exporter.get("/health").status, 200);
    exporter.signal(Signal::TERM);
    assert_eq!(exporter.end().0, Some(0));
}

#[test]
fn without_a_socket_of_systemds_it_says_what_is_missing() {
    if enter() {
        return;
    }
    let output = run(&["--web.systemd-socket"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("no socket activation file descriptors found"));
}

#[test]
fn a_link_local_address_with_the_name_of_its_interface_is_listened_on() {
    if enter() {
        return;
    }
    for words in [
        "link add v0 type veth peer name v1",
        "link set v0 addrgenmode none",
        "address add fe80::5/64 dev v0 nodad",
        "link set v0 up",
        "link set v1 up",
    ] {
        let done = Command::new("ip").args(words.split(' ')).status();
        assert!(done.is_ok_and(|status| status.success()), "ip {words}");
    }
    let listen = "--web.listen-address=[fe80::5%v0]:8031";
    let exporter = Exporter::spawn(program().args([listen, "--web.listen-address=127.0.0.1:8020"]));
    let health = program().args(["--healthcheck", listen]).output().expect("the program");
    assert!(health.status.success(), "{}", text(&health.stderr));
    drop(exporter);
    let link = Command::new("ip").args(["-o", "link", "show", "v0"]).output().expect("ip");
    let link = text(&link.stdout);
    let number = link.split(':').next().expect("its number");
    let listen = format!("--web.listen-address=[fe80::5%{number}]:8031");
    drop(Exporter::spawn(program().args([&listen, "--web.listen-address=127.0.0.1:8020"])));
    let unknown = program().arg("--web.listen-address=[fe80::5%v0x]:8031").output().expect("the program");
    let said = text(&unknown.stderr);
    assert_eq!(unknown.status.code(), Some(2), "{said}");
    assert!(said.contains("unknown interface \"v0x\"; did you mean \"v0\""), "{said}");
}
