//! The table's values of real sockets against what `ss` says of them.

use std::collections::HashMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Duration;

use sockdiag::{Extensions, Request, StateSet, TCP, sockopt};
use socket2::SockRef;
use ss_exporter::metrics::{METRICS, Metric, Quantity};

use super::{Pair, dump_now, enter, expose, samples};

/// The metrics of one socket that have a value, by name, in base units.
type Values = HashMap<&'static str, f64>;

/// The values of every socket of the namespace, by cookie.
fn values() -> HashMap<u64, Values> {
    let extensions = METRICS.iter().map(|metric| metric.source.extensions());
    let request = Request::new(&TCP, StateSet::ALL, extensions.fold(Extensions::NONE, Extensions::union));
    let mut all = HashMap::new();
    dump_now(&request, |socket| {
        #[expect(clippy::cast_precision_loss, reason = "as it is exposed")]
        let value = |source: ss_exporter::metrics::Source| {
            source.read(socket).map(|integer| integer as f64 / source.per_unit())
        };
        let values = METRICS.iter().filter_map(|metric| Some((metric.name, value(metric.source)?)));
        all.insert(socket.cookie(), values.collect());
    });
    all
}

/// What `ss` prints of one socket: the words in order, and the value of a word by its key.
struct Printed(Vec<String>);

impl Printed {
    /// The lines of `ss` with these options, by cookie.
    fn all(options: &[&str]) -> HashMap<u64, Self> {
        let output = Command::new("ss").args(options).output().expect("ss of iproute2");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).expect("text");
        let lines = text.lines().map(|line| Self(line.split_whitespace().map(str::to_owned).collect()));
        lines
            .map(|line| (u64::from_str_radix(line.word("sk:").expect("a cookie"), 16).expect("hex"), line))
            .collect()
    }

    /// What stands behind the prefix.
    fn word(&self, prefix: &str) -> Option<&str> {
        self.0.iter().find_map(|word| word.strip_prefix(prefix))
    }

    /// The number behind the key, 0 if there is none: what is zero, `ss` leaves out.
    fn number(&self, key: &str) -> f64 {
        self.word(&format!("{key}:")).map_or(0.0, |text| number(text.trim_end_matches("ms")))
    }

    /// The number behind the key inside `group:(…)`.
    fn inside(&self, group: &str, key: &str) -> Option<f64> {
        let list = self.word(&format!("{group}:("))?.strip_suffix(')').expect("one word");
        let found = list.split(',').find_map(|part| {
            part.strip_prefix(key).filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == ':'))
        })?;
        Some(number(found.trim_start_matches(':').trim_end_matches("bps")))
    }
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn assert_close(ours: Option<&f64>, theirs: f64, what: &str) {
    let ours = ours.unwrap_or_else(|| panic!("{what} is absent, ss has {theirs}"));
    // `ss` rounds what it prints.
    assert!((ours - theirs).abs() <= 1e-6 * theirs.abs().max(1e-6), "{what}: {ours}, ss has {theirs}");
}

/// Metrics that `ss` prints as they are, with its key.
const PLAIN: [(&str, &str); 21] = [
    ("congestion_window", "cwnd"),
    ("send_mss_bytes", "mss"),
    ("receive_mss_bytes", "rcvmss"),
    ("advertised_mss_bytes", "advmss"),
    ("path_mtu_bytes", "pmtu"),
    ("acked_bytes_total", "bytes_acked"),
    ("received_bytes_total", "bytes_received"),
    ("retransmitted_bytes_total", "bytes_retrans"),
    ("sent_segments_total", "segs_out"),
    ("received_segments_total", "segs_in"),
    ("sent_data_segments_total", "data_segs_out"),
    ("received_data_segments_total", "data_segs_in"),
    ("delivered_segments_total", "delivered"),
    ("receive_space_bytes", "rcv_space"),
    ("receive_window_clamp_bytes", "rcv_ssthresh"),
    ("send_window_bytes", "snd_wnd"),
    ("unacknowledged_segments", "unacked"),
    ("not_sent_bytes", "notsent"),
    ("lost_segments", "lost"),
    ("sacked_segments", "sacked"),
    ("out_of_order_segments_total", "rcv_ooopack"),
];

/// Times that `ss` prints in milliseconds, with its key.
const MILLISECONDS: [(&str, &str); 4] = [
    ("retransmission_timeout_seconds", "rto"),
    ("delayed_ack_timeout_seconds", "ato"),
    ("min_rtt_seconds", "minrtt"),
    ("busy_seconds_total", "busy"),
];

/// The words of `skmem:(…)`, in the kernel's order.
const MEMORY: [(&str, &str); 9] = [
    ("receive_memory_bytes", "r"),
    ("receive_buffer_bytes", "rb"),
    ("send_memory_bytes", "t"),
    ("send_buffer_bytes", "tb"),
    ("forward_memory_bytes", "f"),
    ("queued_memory_bytes", "w"),
    ("option_memory_bytes", "o"),
    ("backlog_memory_bytes", "bl"),
    ("dropped_packets_total", "d"),
];

/// What `ss` prints of BBR, with how many of its units make one of ours.
const BBR: [(&str, &str, f64); 4] = [
    ("bbr_bandwidth_bytes_per_second", "bw", 8.0),
    ("bbr_min_rtt_seconds", "mrtt", 1e3),
    ("bbr_pacing_gain", "pacing_gain", 1.0),
    ("bbr_congestion_window_gain", "cwnd_gain", 1.0),
];

/// Options that `ss` prints as a word.
const OPTIONS: [(&str, &str); 3] =
    [("timestamps_sockets", "ts"), ("sack_sockets", "sack"), ("ecn_sockets", "ecn")];

#[test]
fn a_connections_values_are_those_that_ss_prints() {
    if enter() {
        return;
    }
    let mut pairs = [Pair::at(Ipv4Addr::LOCALHOST), Pair::at(Ipv6Addr::LOCALHOST)];
    pairs[0].send(300_000);
    pairs[1].send(1000);
    // Nobody reads these.
    pairs[1].client.write_all(&[7; 5000]).expect("room");
    // Let the last delayed acknowledgements pass.
    std::thread::sleep(Duration::from_millis(300));
    let all = values();
    let printed = Printed::all(&["-tinmeOH", "state", "established"]);
    assert_eq!((all.len(), printed.len()), (4, 4));
    let mut bbrs = 0;
    for (cookie, values) in &all {
        let ss = &printed[cookie];
        let what = |name: &str| format!("{name} of {:?}", ss.0);
        for (name, key) in PLAIN {
            assert_close(values.get(name), ss.number(key), &what(name));
        }
        let first_time = ss.number("bytes_sent") - ss.number("bytes_retrans");
        assert_close(values.get("sent_bytes_total"), first_time, &what("sent_bytes_total"));
        for (name, key) in MILLISECONDS {
            let ours =
                values.get(name).copied().or_else(|| ss.word(&format!("{key}:")).is_none().then_some(0.0));
            assert_close(ours.as_ref(), ss.number(key) / 1e3, &what(name));
        }
        let (rtt, variation) = ss.word("rtt:").expect("rtt").split_once('/').expect("rtt/variation");
        assert_close(values.get("rtt_seconds"), number(rtt) / 1e3, &what("rtt_seconds"));
        assert_close(
            values.get("rtt_variation_seconds"),
            number(variation) / 1e3,
            &what("rtt_variation_seconds"),
        );
        let (send, receive) = ss.word("wscale:").expect("scales").split_once(',').expect("two");
        assert_close(values.get("send_window_scale"), number(send), &what("send_window_scale"));
        assert_close(values.get("receive_window_scale"), number(receive), &what("receive_window_scale"));
        // The queues stand in front.
        assert_close(values.get("receive_queue_bytes"), number(&ss.0[0]), &what("receive_queue_bytes"));
        assert_close(values.get("send_queue_bytes"), number(&ss.0[1]), &what("send_queue_bytes"));
        for (name, key) in MEMORY {
            let theirs = ss.inside("skmem", key).unwrap_or_else(|| panic!("no {key} in {:?}", ss.0));
            assert_close(values.get(name), theirs, &what(name));
        }
        for (name, word) in OPTIONS {
            let theirs = ss.0.iter().any(|printed| printed == word);
            assert_close(values.get(name), f64::from(u8::from(theirs)), &what(name));
        }
        for (name, key, per_unit) in BBR {
            // What has no sample yet, `ss` prints as 0 or leaves out.
            let theirs = ss.inside("bbr", key).unwrap_or(0.0) / per_unit;
            let ours = values.get(name).copied().unwrap_or(0.0);
            // `ss` prints six digits of a gain.
            assert!((ours - theirs).abs() <= 1e-5 * ours, "{}: {ours}", what(name));
            bbrs += usize::from(ours > 0.0);
        }
        assert!(values.keys().all(|name| !name.starts_with("accept_queue_")), "{values:?}");
    }
    // A network namespace begins with the default of the host.
    let bbr = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_congestion_control").expect("a default");
    assert_eq!(bbrs > 0, bbr.trim() == "bbr", "values of BBR if and only if it is the default");
    let sum = |name| all.values().filter_map(|values| values.get(name)).sum::<f64>().to_string();
    assert_eq!(sum("sent_bytes_total"), "306000");
    assert_eq!(sum("received_bytes_total"), "306000");
    assert_eq!(sum("receive_queue_bytes"), "5000");
}

#[test]
fn a_listener_shows_its_queue_and_its_limit_and_nothing_of_a_connection() {
    if enter() {
        return;
    }
    let listener = listener(16);
    let address = listener.local_addr().expect("its address");
    let _waiting: Vec<_> = (0..3).map(|_| TcpStream::connect(address).expect("room")).collect();
    let listeners = Printed::all(&["-tlneOH"]);
    assert_eq!(listeners.len(), 1, "the namespace is the test's own");
    let cookie = listeners.keys().next().expect("a listener");
    let all = values();
    let values = &all[cookie];
    assert_eq!(values.get("accept_queue_connections"), Some(&3.0));
    assert_eq!(values.get("accept_queue_limit"), Some(&16.0));
    assert_eq!(values.get("sockets"), Some(&1.0));
    assert_eq!(values.get("refused_handshakes_total"), Some(&0.0));
    let is_option = |metric: &Metric| matches!(metric.source.quantity, Quantity::Test(field, _) if sockopt::ALL.contains(&field));
    let options: Vec<_> =
        METRICS.iter().filter(|metric| is_option(metric)).map(|metric| metric.name).collect();
    assert!(!options.is_empty());
    let known = |name: &str| {
        let memory = name.ends_with("_memory_bytes") || name.ends_with("_buffer_bytes");
        memory
            || options.contains(&name)
            || name.starts_with("accept_queue_")
            || ["sockets", "dropped_packets_total", "refused_handshakes_total"].contains(&name)
    };
    let others: Vec<_> = values.keys().filter(|name| !known(name)).collect();
    assert!(others.is_empty(), "{others:?}");
    // Three connections at both ends have no accept queue, and nothing is in flight.
    let connections: Vec<_> =
        all.iter().filter(|(other, _)| *other != cookie).map(|(_, values)| values).collect();
    assert_eq!(connections.len(), 6);
    assert!(connections.iter().all(|values| !values.contains_key("accept_queue_connections")));
    assert!(connections.iter().all(|values| values["unacknowledged_segments"] < 1.0));
}

/// A listener with that backlog, which the standard library does not let one choose.
fn listener(backlog: i32) -> TcpListener {
    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).expect("a socket");
    bind(&socket, &std::net::SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    listen(&socket, backlog).expect("a listener");
    socket.into()
}

#[test]
fn the_type_of_service_and_the_traffic_class_are_a_label_and_a_predicate() {
    if enter() {
        return;
    }
    let (ipv4, ipv6) = (Pair::at(Ipv4Addr::LOCALHOST), Pair::at(Ipv6Addr::LOCALHOST));
    SockRef::from(&ipv4.client).set_tos_v4(0x10).expect("a type of service");
    SockRef::from(&ipv6.client).set_tclass_v6(0xb8).expect("a traffic class");
    let shown = |select: &str| {
        let text = expose(&format!("views: {{v: {{by: [tos], select: '{select}', metrics: [sockets]}}}}"));
        samples(&text, "ss_v_sockets").into_iter().map(|(tos, count)| format!("{tos} {count}")).collect()
    };
    let cases: [(&str, Vec<&str>); 5] = [
        ("state established", vec!["tos=\"0x0\" 2", "tos=\"0x10\" 1", "tos=\"0xb8\" 1"]),
        ("tos = 0x10", vec!["tos=\"0x10\" 1"]),
        ("tos 16", vec!["tos=\"0x10\" 1"]),
        ("tos = 0xb8/0xfc", vec!["tos=\"0xb8\" 1"]),
        ("tos != 0", vec!["tos=\"0x10\" 1", "tos=\"0xb8\" 1"]),
    ];
    for (select, expected) in cases {
        let mut shown: Vec<String> = shown(select);
        shown.sort();
        assert_eq!(shown, expected, "{select}");
    }
}
