//! What `estimate` prints on a host whose sockets the test has made.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{enter, program, run, text};
use testkit::exporter::Exporter;

/// A connection that is open, and what it was accepted from.
struct Pair {
    client: TcpStream,
    _server: TcpStream,
}

fn connect(listener: &TcpListener) -> Pair {
    let client = TcpStream::connect(listener.local_addr().expect("bound")).expect("a connection");
    let (server, _) = listener.accept().expect("the other end");
    Pair { client, _server: server }
}

fn written(config: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
    file.write_all(config.as_bytes()).expect("room");
    file
}

/// An estimate that has begun to listen.
struct Listening(Child);

impl Listening {
    fn start(config: &str, seconds: u32) -> Self {
        let file = written(config);
        let child = program()
            .args(["estimate", "--json", "--seconds", &seconds.to_string(), "--config"])
            .arg(file.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program");
        let deadline = Instant::now() + Duration::from_secs(10);
        // Groups 1 and 3 of protocol 4 are the ends of sockets.
        let subscribed = || {
            let table = std::fs::read_to_string("/proc/thread-self/net/netlink").expect("the table");
            table.lines().any(|line| {
                let words: Vec<_> = line.split_whitespace().collect();
                words[1] == "4" && words[3] == "00000005"
            })
        };
        while !subscribed() {
            assert!(Instant::now() < deadline, "nobody listens");
            std::thread::sleep(Duration::from_millis(5));
        }
        // The first look takes a few milliseconds.
        std::thread::sleep(Duration::from_millis(400));
        Self(child)
    }

    fn end(self) -> Value {
        let output = self.0.wait_with_output().expect("its end");
        assert!(output.status.success(), "{}", text(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }
}

/// The figures of a view.
fn view<'a>(estimate: &'a Value, name: &str) -> &'a Value {
    let views = estimate["views"].as_array().expect("views");
    views.iter().find(|view| view["name"] == name).unwrap_or_else(|| panic!("{name} in {estimate}"))
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

const FOLDED_AND_FLOWS: &str = "
logic: {metrics: {gauges: {active: true}, histograms: {active: true, latency: {active: true, bucket_bounds: [1, 2]}}}}
views:
  ports:
    by: [remote_port]
    metrics: [sent_bytes_total, rtt_seconds]
    histograms: {rtt_seconds: [0.01, 0.1]}
  state: {by: [state], state: all, metrics: [sockets]}
  listeners: {by: [local_port], state: listen, metrics: [sockets]}
  few: {by: [remote_port], metrics: [sockets, opened_total], limit: 2}
  flow:
    by: [local_address, local_port, remote_address, remote_port]
    metrics: [sent_bytes_total, received_bytes_total]
    limit: 4
  elsewhere: {by: [remote_port], select: \"dst 192.0.2.0/24\", metrics: [sockets]}
";

#[test]
fn rows_series_and_what_comes_new_are_exact() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let open_connections: Vec<_> = (0..3).map(|_| connect(&listener)).collect();
    let listening = Listening::start(FOLDED_AND_FLOWS, 2);
    let mut ports: Vec<u16> = Vec::new();
    for _ in 0..20 {
        // The client closes first, and both ends are gone.
        let pair = connect(&listener);
        ports.push(pair.client.local_addr().expect("bound").port());
    }
    let stays: Vec<_> = (0..2).map(|_| connect(&listener)).collect();
    ports.extend(stays.iter().map(|pair| pair.client.local_addr().expect("bound").port()));
    ports.sort_unstable();
    ports.dedup();
    assert_eq!(ports.len(), 22, "a port was used again");
    let estimate = listening.end();

    assert_eq!(estimate["lower_bound"], false, "{estimate}");
    assert_eq!(estimate["complete"], true, "{estimate}");
    assert_eq!(estimate["events_dropped"], 0);
    let counts = ["connections", "opened", "closed", "closed_without_information"];
    assert_eq!(counts.map(|name| number(&estimate[name])), [6, 44, 40, 0], "{estimate}");

    // Rows without a limit, shown rows, series a row, series shown, new rows, those that a look met.
    let figures = |name| {
        let view = view(&estimate, name);
        let of = |key| number(&view[key]);
        let series = number(&view["scrape"]["series"]);
        [of("rows"), of("rows_shown"), of("series_per_row"), series, of("new_rows"), of("new_rows_met")]
    };
    // The listener's port and those of three clients.
    assert_eq!(figures("ports"), [4, 4, 7, 28, 22, 2]);
    assert_eq!(figures("state"), [11, 11, 1, 11, 0, 0]);
    assert_eq!(figures("listeners"), [1, 1, 1, 1, 0, 0]);
    assert_eq!(figures("few"), [4, 3, 2, 6, 22, 2]);
    assert_eq!(figures("flow"), [6, 4, 2, 8, 44, 4]);
    assert_eq!(figures("elsewhere"), [0, 0, 1, 0, 0, 0]);
    // Without payload there is no delivery rate.
    assert_eq!(figures("legacy"), [6, 6, 3, 12, 44, 4]);
    assert_eq!(figures("legacy_totals"), [1, 1, 5, 5, 0, 0]);

    let seconds = estimate["seconds"].as_f64().expect("a number");
    assert!((2.0..4.0).contains(&seconds), "{seconds}");
    let hourly = 22.0 * 3600.0 / seconds;
    let [rows, series] =
        ["new_rows_per_hour", "new_series_per_hour"].map(|key| &view(&estimate, "ports")[key]);
    assert!((rows.as_f64().expect("a number") - hourly).abs() <= 1.0, "{rows} is not {hourly}");
    assert_eq!(number(series), number(rows) * 7);
    drop((open_connections, stays));
}

#[test]
fn a_view_over_its_limit_says_so() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let _standing: Vec<_> = (0..3).map(|_| connect(&listener)).collect();
    let estimate = Listening::start(FOLDED_AND_FLOWS, 1).end();
    let advice: Vec<_> =
        estimate["advice"].as_array().expect("a list").iter().map(Value::to_string).collect();
    let [few, flow] = &advice[..] else { panic!("{advice:?}") };
    assert!(few.contains("few: 4 rows exceed the limit of 2, and 2 go to"), "{few}");
    assert!(flow.contains("flow: 6 rows exceed the limit of 4, and 2 are left out"), "{flow}");
    assert_eq!([number(&estimate["opened"]), number(&estimate["closed"])], [0, 0]);
}

#[test]
fn a_scrape_is_as_large_as_its_parts_and_as_what_is_served() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
    let _standing: Vec<_> = (0..3).map(|_| connect(&listener)).collect();
    let config =
        "views: {flow: {by: [local_address, local_port, remote_address, remote_port], metrics: [sockets]}}";
    let estimate = Listening::start(config, 1).end();
    let flow = &view(&estimate, "flow")["scrape"];
    for key in ["series", "bytes"] {
        assert_eq!(
            number(&flow[key]) + number(&estimate["own"][key]),
            number(&estimate["total"][key]),
            "{key}"
        );
    }
    assert!(number(&estimate["total"]["gzip_bytes"]) < number(&estimate["total"]["bytes"]));
    let once = run(&["--once", "--config", written(config).path().to_str().expect("a path")]);
    let of_view = |line: &&str| line.contains("ss_flow_sockets");
    let served: usize = text(&once.stdout).lines().filter(of_view).map(|line| line.len() + 1).sum();
    assert_eq!(number(&flow["bytes"]), served as u64);
}

#[test]
fn the_exporters_own_series_are_as_many_as_a_scrape_has() {
    if enter() {
        return;
    }
    for config in ["views: {tcp: }", FOLDED_AND_FLOWS] {
        let estimate = Listening::start(config, 1).end();
        let metrics = Exporter::configured(config).metrics();
        let own = |line: &&str| line.starts_with("ss_exporter_") || line.starts_with("process_");
        let served = metrics.lines().filter(own).count();
        assert_eq!(number(&estimate["own"]["series"]), served as u64, "{metrics}");
    }
}

#[test]
fn people_get_a_table_with_the_views_of_the_built_in_default() {
    if enter() {
        return;
    }
    let output = run(&["estimate", "--seconds=1"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let table = text(&output.stdout);
    assert!(table.lines().next().is_some_and(|line| line.contains(" series in a scrape, ")), "{table}");
    let lines = table.lines().skip_while(|line| !line.starts_with("view "));
    let first: Vec<_> = lines.map(|line| line.split("  ").next().unwrap_or_default()).collect();
    let expected = [
        "view",
        "tcp",
        "tcp_listener",
        "tcp_state",
        "udp",
        "unix_listener",
        "legacy",
        "legacy_totals",
        "the exporter's own",
        "total",
        "",
    ];
    assert_eq!(first[..11], expected, "{table}");
    assert!(table.contains("Prometheus, scraping every 15 s:"), "{table}");
    assert!(!text(&output.stderr).contains("listening"), "standard error is no terminal here");
}

#[test]
fn more_series_than_allowed_are_an_exit_code_of_their_own() {
    if enter() {
        return;
    }
    let file = written(
        "views: {state: {by: [state], state: all, metrics: [sockets]}, u: {protocol: udp, by: [state], metrics: [sockets]}}\n",
    );
    let path = file.path().to_str().expect("a path");
    let estimate =
        |arguments: &[&str]| run(&[&["estimate", "--seconds=1", "--config", path], arguments].concat());
    assert_eq!(estimate(&["--max-series=10000"]).status.code(), Some(0));
    let over = estimate(&["--max-series=11"]);
    assert_eq!(over.status.code(), Some(3));
    assert!(text(&over.stdout).contains(" series in a scrape, "), "{}", text(&over.stdout));
    assert!(text(&over.stderr).contains("exceed --max-series 11"), "{}", text(&over.stderr));
    let names = |arguments: &[&str]| {
        let output = estimate(&[&["--json"], arguments].concat());
        let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let views = answer["views"].as_array().expect("views").iter();
        views.map(|view| view["name"].as_str().expect("a name").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((names(&[]).len(), names(&["--protocol=udp"])), (2, vec!["u".to_owned()]));
    let none = estimate(&["--protocol=unix"]);
    assert_eq!(none.status.code(), Some(2));
    assert!(text(&none.stderr).contains("no view shows sockets of unix"), "{}", text(&none.stderr));
}

#[test]
fn what_is_asked_wrongly_is_an_error_of_usage() {
    let file = written("views: {tcp: {by: [port]}}\n");
    let path = file.path().to_str().expect("a path");
    let output = run(&["estimate", "--config", path]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains(&format!("{path}:1:20")), "{}", text(&output.stderr));
    for arguments in [&["--seconds=0"][..], &["--seconds=3601"], &["--port=1"], &["--config=nowhere.yml"]] {
        let output = program().arg("estimate").args(arguments).output().expect("the program");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty() && !output.stderr.is_empty(), "{arguments:?}");
    }
}

#[test]
fn the_help_of_the_program_and_of_an_estimate_name_each_other_and_the_flags() {
    let help = text(&run(&["--help"]).stdout);
    assert!(help.contains("estimate  ") && help.contains("--web.listen-address"), "{help}");
    let help = text(&run(&["estimate", "--help"]).stdout);
    for flag in ["--config", "--seconds", "--json", "--log-level"] {
        assert!(help.contains(flag), "{flag} in {help}");
    }
    assert!(!help.contains("--port"), "{help}");
}

/// Two users of one name listen, each on a port, until standard input ends.
#[cfg(feature = "root-tests")]
const TWINS: &str = "
import os, socket, sys
held = []
for user in (61001, 61002):
    os.seteuid(user)
    held.append(socket.create_server(('127.0.0.1', 0)))
    os.seteuid(0)
print('listening', flush=True)
sys.stdin.read()
";

#[cfg(feature = "root-tests")]
#[test]
fn rows_by_user_are_counted_by_the_names_that_a_scrape_shows() {
    use std::io::BufRead as _;
    use std::process::Command;

    if enter() {
        return;
    }
    let mut twins = Command::new("python3")
        .args(["-c", TWINS])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 of the package python3");
    let mut said = String::new();
    let out = twins.stdout.as_mut().expect("a pipe");
    std::io::BufReader::new(out).read_line(&mut said).expect("text");
    let mut names = tempfile::NamedTempFile::new().expect("a file");
    names
        .write_all(b"root:x:0:0::/:/bin/sh\nweb:x:61001:0::/:/bin/sh\nweb:x:61002:0::/:/bin/sh\n")
        .expect("room");
    let file = written("views: {v: {by: [user], state: [listen]}}\n");
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/passwd && exec \"$@\""])
        .arg(names.path())
        .arg(env!("CARGO_BIN_EXE_prometheus_ss_exporter"))
        .args(["estimate", "--json", "--seconds", "1", "--config"])
        .arg(file.path())
        .output()
        .expect("unshare of the package util-linux");
    drop(twins.stdin.take());
    assert!(twins.wait().expect("its end").success());
    let estimate: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(number(&view(&estimate, "v")["rows"]), 1, "{estimate}");
}
