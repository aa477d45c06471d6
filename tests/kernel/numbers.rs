//! The exposed numbers against what `ss` says and what the test did.

use std::collections::HashMap;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Command;

use super::{Pair, enter, expose, flow, one_of_each, samples};

const EVERYTHING: &str = "logic:\n";

/// Of each connection `ss` shows: the predecessor's label and the `key:value` words of its details.
fn ss() -> HashMap<String, HashMap<String, String>> {
    let output = Command::new("ss").args(["-tinOH", "state", "connected"]).output().expect("ss of iproute2");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let end = |text: &str| {
        let (address, port) = text.rsplit_once(':').expect("address:port");
        format!("{}|{port}", address.trim_matches(['[', ']']).trim_start_matches("::ffff:"))
    };
    let lines = String::from_utf8(output.stdout).expect("text");
    let rows = lines.lines().map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let label = format!("flow=\"(SRC#{})(DST#{})\"", end(words[3]), end(words[4]));
        let pairs = words.iter().filter_map(|word| word.split_once(':'));
        let mut details: HashMap<_, _> = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        // `delivery_rate 123bps` is the one that stands without a colon.
        let rate = words.iter().position(|word| *word == "delivery_rate").and_then(|at| words.get(at + 1));
        details.extend(rate.map(|rate| ("delivery_rate".to_owned(), (*rate).to_owned())));
        (label, details)
    });
    rows.collect()
}

#[test]
fn the_exposed_values_are_those_of_ss_at_that_moment() {
    if enter() {
        return;
    }
    let mut pairs = one_of_each();
    for (number, pair) in pairs.iter_mut().enumerate() {
        pair.send(100_000 * (number + 1));
    }
    // Let the last delayed acknowledgements pass.
    std::thread::sleep(std::time::Duration::from_millis(300));
    let text = expose(EVERYTHING);
    let ss = ss();
    let families =
        [("tcp_cwnd", "cwnd"), ("tcp_data_segs_in", "data_segs_in"), ("tcp_data_segs_out", "data_segs_out")];
    let number = |text: &str| text.parse::<f64>().expect("a number");
    for end in pairs.iter().flat_map(|pair| [&pair.client, &pair.server]) {
        let label = flow(end);
        let details = ss.get(&label).unwrap_or_else(|| panic!("ss does not show {label}: {ss:?}"));
        let shown = |name| samples(&text, name).into_iter().find(|(l, _)| *l == label).map(|(_, v)| v);
        let rtt = number(details["rtt"].split('/').next().expect("rtt/variance"));
        assert_eq!(shown("tcp_rtt"), Some(rtt), "{label}");
        for (name, key) in families {
            // What is zero, `ss` leaves out.
            let printed = details.get(key).map_or(0.0, |value| number(value));
            assert_eq!(shown(name), Some(printed), "{name} of {label}");
        }
        let rate = shown("tcp_delivery_rate_bytes").map(|rate| rate * 8.0);
        assert_eq!(
            rate,
            details.get("delivery_rate").map(|rate| number(rate.trim_end_matches("bps"))),
            "{label}"
        );
    }
    let flows = samples(&text, "tcp_rtt");
    assert_eq!(flows.len(), 2 * pairs.len(), "no flow twice, none missing, no listener: {flows:?}");
}

#[test]
fn the_distribution_counts_every_flow_once_and_adds_up() {
    if enter() {
        return;
    }
    let mut pairs = one_of_each();
    for pair in &mut pairs {
        pair.send(10_000);
    }
    let text = expose(EVERYTHING);
    let rtts: Vec<f64> = samples(&text, "tcp_rtt").into_iter().map(|(_, rtt)| rtt).collect();
    assert_eq!(rtts.len(), 6);
    let mut last = 0.0;
    for (label, count) in samples(&text, "tcp_rtt_hist_ms_bucket") {
        let bound = label.trim_start_matches("le=\"").trim_end_matches('"');
        assert!(
            bound.contains('.') || bound == "+Inf",
            "{bound} is not printed as the predecessor printed it"
        );
        let bound: f64 = bound.trim_start_matches('+').parse().expect("a bound");
        let within = rtts.iter().filter(|rtt| **rtt <= bound).count();
        assert_eq!(count.to_string(), within.to_string(), "{bound}");
        assert!(count >= last, "buckets are cumulative");
        last = count;
    }
    assert_eq!(samples(&text, "tcp_rtt_hist_ms_count"), [("", 6.0)]);
    let [(_, sum)] = samples(&text, "tcp_rtt_hist_ms_sum")[..] else { panic!("one sum") };
    assert!((sum - rtts.iter().sum::<f64>()).abs() < 1e-6, "{sum}");
}

#[test]
fn nothing_of_one_collection_is_left_in_the_next() {
    if enter() {
        return;
    }
    let pairs = one_of_each();
    assert_eq!(samples(&expose(EVERYTHING), "tcp_cwnd").len(), 6);
    drop(pairs);
    let text = expose(EVERYTHING);
    assert_eq!(samples(&text, "tcp_cwnd"), []);
    assert_eq!(samples(&text, "tcp_rtt_hist_ms_count"), [("", 0.0)]);
}

#[test]
fn a_limit_leaves_flows_out_and_counts_them_but_not_from_the_distribution() {
    if enter() {
        return;
    }
    let _pairs = one_of_each();
    let text = expose("logic: {compression: {max_flows: 4}}\n");
    assert_eq!(samples(&text, "tcp_cwnd").len(), 4);
    assert_eq!(samples(&text, "ss_exporter_rows_dropped")[0], ("view=\"legacy\"", 2.0));
    assert_eq!(samples(&text, "ss_exporter_rows_limit")[0], ("view=\"legacy\"", 4.0));
    let count = samples(&text, "tcp_rtt_hist_ms_count");
    assert_eq!(count, [("", 6.0)]);
}

#[test]
fn a_ranking_shows_the_connections_and_the_ports_with_the_greatest_values() {
    if enter() {
        return;
    }
    let mut pairs: Vec<_> = (0..5).map(|_| Pair::at(Ipv4Addr::LOCALHOST)).collect();
    for (number, pair) in pairs.iter_mut().enumerate() {
        // The third most, then the second, and so on.
        pair.send(1000 * [3, 2, 5, 1, 4][number]);
    }
    let busy = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a listener");
    let address = busy.local_addr().expect("bound");
    let _more: Vec<_> = (0..3).map(|_| Pair::through(&busy, address)).collect();
    let text = expose(
        "views:
  c: {by: [local_address, local_port, remote_address, remote_port], metrics: [sent_bytes_total], limit: {top: 2, by: sent_bytes_total}}
  p: {by: [service_port], metrics: [sockets], limit: {top: 1, by: sockets}}
",
    );
    let mut sent: Vec<_> = samples(&text, "ss_c_sent_bytes_total").iter().map(|(_, value)| *value).collect();
    sent.sort_by(f64::total_cmp);
    assert_eq!(sent, [4000.0, 5000.0], "{text}");
    let port = format!("service_port=\"{}\"", address.port());
    assert_eq!(samples(&text, "ss_p_sockets"), [(port.as_str(), 6.0)], "{text}");
    assert_eq!(samples(&text, "ss_exporter_rows_dropped"), [], "what is left out on purpose is no loss");
}

#[test]
fn a_host_of_the_selection_matches_the_addresses_it_has() {
    if enter() {
        return;
    }
    let _pairs = one_of_each();
    // The host of these tests resolves every name to ::1.
    let text = expose("logic: {selection: {peering: {hosts: [db.example.org]}}}\n");
    let flows = samples(&text, "tcp_cwnd");
    assert_eq!(flows.len(), 2);
    assert!(flows.iter().all(|(label, _)| label.contains("(DST#::1|")), "{flows:?}");
    assert_eq!(samples(&text, "ss_exporter_hosts_unresolved"), [("", 0.0)]);
}

#[test]
fn a_port_range_matches_either_end_and_a_network_the_remote_one() {
    if enter() {
        return;
    }
    let pairs = one_of_each();
    let port = pairs[0].server.local_addr().expect("bound").port();
    let text = expose(&format!("logic: {{selection: {{portranges: [{{lower: {port}, upper: {port}}}]}}}}\n"));
    assert_eq!(samples(&text, "tcp_cwnd").len(), 2, "the server's end and the client's");
    assert_eq!(samples(&text, "ss_exporter_sockets_seen"), [("", 2.0)], "the kernel left the others out");
    let text = expose("logic: {selection: {peering: {networks: {exclude: [127.0.0.0/8]}}}}\n");
    assert_eq!(samples(&text, "tcp_cwnd").len(), 2, "the two ends over IPv6");
}
