//! The sockets themselves over HTTP: what is shown, to whom, and that asking costs what a scrape does.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::{enter, text};
use testkit::exporter::Exporter;

fn json(exporter: &Exporter, query: &str) -> serde_json::Value {
    let answer = exporter.get(&format!("/api/v1/sockets?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", text(&answer.body));
    assert!(answer.head.contains("content-type: application/json"), "{}", answer.head);
    serde_json::from_slice(&answer.body).expect("JSON")
}

#[test]
fn sockets_are_listed_by_filter_in_order_and_page_by_page_with_their_rates() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:7001").expect("a listener");
    let mut held: Vec<_> = (0..3)
        .map(|_| (TcpStream::connect("127.0.0.1:7001").expect("room"), listener.accept().expect("one")))
        .collect();
    let exporter = Exporter::start(&[]);
    let filter = "filter=dport+%3D+%3A7001&sort=-sent_bytes_total";
    let first = json(&exporter, filter);
    assert_eq!(
        (&first["total"], &first["complete"], &first["next_offset"]),
        (&3.into(), &true.into(), &().into())
    );
    std::thread::sleep(Duration::from_millis(1100));
    held[1].0.write_all(&[7; 5000]).expect("room");
    let second = json(&exporter, filter);
    let busiest = &second["sockets"][0];
    assert_eq!(busiest["local_port"], held[1].0.local_addr().expect("bound").port());
    assert_eq!(busiest["sent_bytes_total"], 5000);
    let rate = busiest["sent_bytes_per_second"].as_f64().expect("a rate");
    assert!((500.0..=5000.0).contains(&rate), "{rate}");
    assert_eq!(second["sockets"][1]["sent_bytes_per_second"], 0.0);
    let page = json(&exporter, &format!("{filter}&limit=2"));
    assert_eq!((page["sockets"].as_array().map(Vec::len), &page["next_offset"]), (Some(2), &2.into()));
    let rest = json(&exporter, &format!("{filter}&limit=2&offset=2"));
    assert_eq!((rest["sockets"].as_array().map(Vec::len), &rest["next_offset"]), (Some(1), &().into()));
    let listening = json(&exporter, "filter=state+listening+and+sport+%3D+%3A7001");
    assert_eq!((&listening["total"], &listening["sockets"][0]["state"]), (&1.into(), &"listen".into()));
}

#[test]
fn a_selection_that_matches_nothing_at_the_start_is_said_once() {
    if enter() {
        return;
    }
    let exporter = Exporter::configured(
        "views:
  none: {by: [local_port], metrics: [sockets], select: \"dport = 1\"}
  own: {by: [local_port], metrics: [sockets], state: listen, select: \"sport = 8020\"}
  all: {by: [local_port], metrics: [sockets]}
",
    );
    (0..3).for_each(|_| drop(exporter.metrics()));
    let log = exporter.log();
    let said: Vec<_> = log.lines().filter(|line| line.contains("no socket passes the selection")).collect();
    let [line] = said[..] else { panic!("{log}") };
    assert!(line.contains("view=none") && line.contains("dport = 1"), "{line}");
}

#[test]
fn a_wrong_question_is_named_with_what_is_allowed() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    for (query, said) in [
        ("filter=dport", "The filter is not valid: at its end"),
        ("filter=dst+a.example", "The filter names the host \"a.example\"; expected an address or a network"),
        ("protocol=unx", "protocol: there is no protocol \"unx\", did you mean unix?"),
        ("protocol=unix&filter=dport+%3D+80", "found dport, which unix sockets do not have"),
        ("limit=0", "limit: found \"0\"; expected: a number from 1 to 10000"),
        ("sort=rtt_second", "sort: found \"rtt_second\"; expected the name of a metric or rate"),
        ("sort=rtt_second", "; did you mean \"rtt_seconds\"?"),
        ("sort=-sent_byte_per_second", "; did you mean \"sent_bytes_per_second\"?"),
        (
            "sort=nonsense_per_second",
            "sort: found \"nonsense_per_second\"; expected the name of a metric or rate",
        ),
        ("sort=", "sort: found \"\"; expected"),
        ("size=3", "found \"size\"; expected: protocol, filter, offset, limit, sort"),
    ] {
        let answer = exporter.get(&format!("/api/v1/sockets?{query}"));
        let body = text(&answer.body);
        assert!(answer.status == 400 && body.contains(said), "{query}: {} {body}", answer.status);
        if !query.starts_with("sort") {
            let page = text(&exporter.get(&format!("/?{query}")).body);
            assert!(page.contains("class=\"warnings\"") && page.contains("</html>"), "{query}");
        }
    }
}

#[test]
fn the_page_shows_flows_listeners_and_the_exporter_without_a_script() {
    if enter() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:7001").expect("a listener");
    let client = TcpStream::connect("127.0.0.1:7001").expect("room");
    let _server = listener.accept().expect("its other end");
    let exporter = Exporter::start(&[]);
    exporter.metrics();
    let answer = exporter.get("/");
    let page = text(&answer.body);
    assert!(answer.head.contains("default-src 'none'; style-src 'sha256-"), "{}", answer.head);
    let ends = format!(
        "<td class=\"local\">{}</td><td class=\"remote\"><a href=\"/?filter=dst+127.0.0.1\">127.0.0.1:7001</a></td>",
        client.local_addr().expect("bound")
    );
    for part in [
        ends.as_str(),
        "<td class=\"local\">127.0.0.1:7001</td>",
        "Last scrape: ",
        "Connections by round-trip time: p50",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
}

#[test]
fn the_protocols_are_those_that_the_query_names() {
    if enter() {
        return;
    }
    let udp = UdpSocket::bind("127.0.0.1:7053").expect("a free port");
    let (_one, _other) = UnixStream::pair().expect("a pair");
    let exporter = Exporter::start(&[]);
    let only = json(&exporter, "protocol=udp");
    let [socket] = &only["sockets"].as_array().expect("a list")[..] else { panic!("{only}") };
    assert_eq!((&socket["protocol"], &socket["local_port"]), (&"udp".into(), &7053.into()), "{socket}");
    let both = json(&exporter, "protocol=unix,udp");
    let protocols: BTreeSet<_> =
        both["sockets"].as_array().expect("a list").iter().map(|one| one["protocol"].to_string()).collect();
    assert_eq!(protocols.into_iter().collect::<Vec<_>>(), ["\"udp\"", "\"unix\""]);
    drop(udp);
}

#[cfg(feature = "root-tests")]
#[test]
fn others_than_this_host_see_the_sockets_only_where_that_is_allowed() {
    use std::process::Command;

    use testkit::exporter::Answer;

    if enter() {
        return;
    }
    let add = ["address", "add", "192.0.2.1/32", "dev", "lo"];
    assert!(Command::new("ip").args(add).status().is_ok_and(|status| status.success()));
    let ask = |exporter: &mut Exporter, path: &str| -> Answer {
        exporter.address = "192.0.2.1:8020".parse().expect("an address");
        exporter.get(path)
    };
    let mut exporter = Exporter::start(&[]);
    assert_eq!(ask(&mut exporter, "/api/v1/sockets").status, 403);
    let page = text(&ask(&mut exporter, "/").body);
    assert!(page.contains("href=\"/metrics\"") && !page.contains("Round-trip times"), "{page}");
    drop(exporter);
    let mut exporter = Exporter::start(&["--web.enable-sockets-api"]);
    assert_eq!(ask(&mut exporter, "/api/v1/sockets").status, 200);
    assert!(text(&ask(&mut exporter, "/").body).contains("Round-trip times"));
}

#[test]
fn clients_that_ask_at_once_share_a_listing_or_are_asked_to_try_again() {
    if enter() {
        return;
    }
    let exporter = Exporter::start(&[]);
    let answers = std::thread::scope(|scope| {
        let asking: Vec<_> =
            (0..24).map(|_| scope.spawn(|| exporter.get("/api/v1/sockets").status)).collect();
        asking.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<_>>()
    });
    assert!(answers.iter().all(|status| matches!(status, 200 | 503)), "{answers:?}");
    assert!(answers.iter().filter(|status| **status == 200).count() >= 8, "{answers:?}");
    // Scrapes go on meanwhile and after.
    assert_eq!(exporter.get("/metrics").status, 200);
}
