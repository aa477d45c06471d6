//! The page as text: nothing in it acts, and what is missing is named.

use std::time::{Duration, SystemTime};

use super::flows::tests::listing as listing_of;
use super::*;
use crate::listing::{Rate, SocketList};
use crate::properties::Property;
use crate::self_metrics::{OwnerReport, OwnerShortage, Stage};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'";

fn listing(sockets: SocketList) -> Listing {
    Listing { rates: vec![None; sockets.len()], sockets, at: SystemTime::now() }
}

fn exporter(report: Option<SelfReport>) -> Exporter {
    Exporter { telemetry_path: "/m".into(), host: "shop-1".into(), host_rates: None, report }
}

fn request(query: &str) -> PageRequest {
    PageRequest::read(query).expect("a valid query")
}

#[test]
fn a_hostile_name_or_filter_is_text_wherever_it_stands() {
    let labels = [
        (Property::State, "established"),
        (Property::Process, HOSTILE),
        (Property::Pid, "1"),
        (Property::Unit, HOSTILE),
        (Property::ContainerId, HOSTILE),
        (Property::RemoteNetwork, HOSTILE),
        (Property::Direction, "outbound"),
    ];
    let listener = [(Property::State, "listen"), (Property::Process, HOSTILE), (Property::Unit, HOSTILE)];
    let values = [("sent_bytes_total", 1), ("rtt_seconds", 2_000)];
    let listing = listing(SocketList::made(&[(&labels, &values), (&listener, &[])]));
    let exporter = Exporter { host: HOSTILE.into(), ..exporter(Some(SelfReport::default())) };
    let refusal = Refusal(HOSTILE.to_owned());
    let groups = GROUPINGS.map(|(_, _, group)| PageRequest::default().grouped(group));
    let details = PageRequest::default().detailed(String::new());
    for request in groups.into_iter().chain([details]) {
        let request = PageRequest { filter: HOSTILE.into(), ..request };
        for page in [page(&request, Ok(&listing), &exporter), page(&request, Err(&refusal), &exporter)] {
            assert!(!page.contains("<img") && page.matches("</script>").count() == 1, "{page}");
            assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
        }
    }
}

#[test]
fn missing_owners_are_not_said_to_be_missing_sockets_and_a_missing_dump_is() {
    let page_of = |name: &'static str, owners| {
        let mut report = SelfReport {
            owners: OwnerReport { shortage: owners, ..OwnerReport::default() },
            ..SelfReport::default()
        };
        report.stages = vec![Stage { name: name.into(), duration: Duration::ZERO, success: false }];
        page(&request(""), Ok(&listing(SocketList::made(&[]).with(report))), &exporter(None))
    };
    for (stage, owners, said) in [
        ("processes", Some(OwnerShortage::Time), "reached its time limit, collect.owners."),
        ("processes", Some(OwnerShortage::Hidden), "hidden from the exporter."),
        ("processes", None, "not all processes could be inspected."),
    ] {
        let page = page_of(stage, owners);
        assert!(page.contains("All sockets are shown. Some owners are missing"), "{page}");
        assert!(page.contains(said) && !page.contains("sockets are missing"), "{page}");
    }
    for stage in ["dump", "namespaces"] {
        let page = page_of(stage, None);
        assert!(page.contains("Some sockets are missing: ") && !page.contains("owners"), "{page}");
    }
}

#[test]
fn the_fill_of_a_queue_is_a_number_beside_a_bar_that_turns_red() {
    let texts = [(Property::State, "listen")];
    let queue = |waiting, most| [("accept_queue_connections", waiting), ("accept_queue_limit", most)];
    let (nine, full) = ([&queue(9, 10)[..], &[("refused_handshakes_total", 36)]].concat(), queue(1, 0));
    let listing =
        listing(SocketList::made(&[(&texts, &nine), (&[texts[0], (Property::Process, "x")], &full)]));
    let page = page(&request(""), Ok(&listing), &exporter(None));
    // A bar is red above `high` only if `optimum` lies below `low` (HTML Living Standard, 4.10.14).
    let bar = "optimum=\"0\" low=\"0.5\" high=\"0.8\" value=\"0.900\"";
    assert!(
        page.contains(&format!(">90 % <meter min=\"0\" max=\"1\" {bar} aria-label=\"Fill\"></meter>")),
        "{page}"
    );
    assert!(page.contains(">100 % <meter"), "a queue without a place is full with one: {page}");
    assert!(page.contains("<td class=\"number refused\">36</td>"), "{page}");
    assert!(page.contains("<td class=\"number refused\">-</td>"), "the kernel may not tell: {page}");
}

#[test]
fn the_page_asks_for_nothing_from_anywhere_else_and_allows_its_own_script_alone() {
    let stage = Stage { name: "dump".into(), duration: Duration::ZERO, success: false };
    let report = Some(SelfReport { stages: vec![stage], ..SelfReport::default() });
    let page = page(&request(""), Ok(&listing(SocketList::made(&[]))), &exporter(report));
    // The name of a namespace is no address that is asked for anything.
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for outside in ["http://", "https://", "src=", "@import", "url(", "style=\""] {
        assert!(!page.contains(outside), "{outside}");
    }
    let policy = policy();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(
        page.contains("href=\"/m\"")
            && page.contains("The stage dump of the exporter&#39;s collections is incomplete")
    );
}

#[test]
fn problems_come_first_each_with_a_link_to_its_sockets_and_nothing_wrong_is_one_line() {
    let texts = [
        (Property::State, "listen"),
        (Property::Process, "stuckd"),
        (Property::LocalAddress, "127.0.0.1"),
        (Property::LocalPort, "9004"),
    ];
    let full = [("accept_queue_connections", 4), ("accept_queue_limit", 3)];
    let listing_of_one = listing(SocketList::made(&[(&texts, &full)]));
    let stuck = page(&request("group=process"), Ok(&listing_of_one), &exporter(None));
    let said = "<li class=\"critical\"><a href=\"/?filter=state+listening+and+process+%3D+%22stuckd%22+and+src+127.0.0.1%3A9004\">The accept queue of 127.0.0.1:9004 is full</a>. <span>stuckd does not accept 4 waiting connections";
    assert!(stuck.contains(said), "{stuck}");
    assert!(stuck.find("The accept queue") < stuck.find("class=\"totals\""), "{stuck}");
    let quiet = page(&request(""), Ok(&three()), &exporter(None));
    assert!(quiet.contains("<p class=\"quiet\">No problem found in 3 sockets.</p>"), "{quiet}");
}

#[test]
fn more_problems_than_fit_are_one_click_away() {
    let port = ["1", "2", "3", "4", "5", "6", "7", "8"];
    let texts = port.map(|port| [(Property::State, "listen"), (Property::LocalPort, port)]);
    let full = [("accept_queue_connections", 4), ("accept_queue_limit", 3)];
    let made: Vec<_> = texts.iter().map(|texts| (&texts[..], &full[..])).collect();
    let page = page(&request(""), Ok(&listing(SocketList::made(&made))), &exporter(None));
    assert!(page.contains("<summary>2 more</summary>"), "{page}");
    assert_eq!(page.matches("is full</a>").count(), 8);
}

#[test]
fn a_protocol_is_chosen_in_the_form_and_its_sockets_are_a_table_of_texts() {
    let texts = [(Property::State, "close"), (Property::Process, HOSTILE), (Property::Pid, "7")];
    let values = [("receive_queue_bytes", 7)];
    let listing = listing(SocketList::made(&[(&texts, &values), (&texts, &values)]));
    let page = page(&request("protocol=udp&group=process"), Ok(&listing), &exporter(None));
    assert!(
        page.contains("<option selected>udp</option>") && page.contains("<option>tcp</option>"),
        "{page}"
    );
    let table = page.split("<pre>").nth(1).and_then(|rest| rest.split("</pre>").next()).expect("a table");
    assert!(table.starts_with("STATE") && table.contains("onerror=alert(1)&gt;"), "{table}");
    assert!(table.lines().count() == 3 && !table.contains(char::REPLACEMENT_CHARACTER), "{table}");
    assert!(page.contains(">All 2 sockets<"), "{page}");
    assert!(!page.contains("<img"), "{page}");
}

/// A client and a server on this host, and a client of a service elsewhere.
fn three() -> Listing {
    let rate = |sent, received| Rate { sent, received, retransmitted: sent / 9.0 };
    let values = [("sent_bytes_total", 1), ("rtt_seconds", 2_000), ("send_queue_bytes", 3_307_008)];
    listing_of(&[
        (("web", "inbound", "80", "4000"), &values, rate(0.0, 2048.0)),
        (("curl", "outbound", "4000", "80"), &values, rate(2048.0, 0.0)),
        (("job", "outbound", "4001", "443"), &values, rate(4096.0, 10.0)),
    ])
}

#[test]
fn a_connection_within_this_host_is_one_row_of_links_to_filters_and_details() {
    let page = page(&request(""), Ok(&three()), &exporter(None));
    assert_eq!(page.matches("<td class=\"process\">").count(), 2, "{page}");
    for cell in [
        "<a href=\"/?filter=process+%3D+%22curl%22\">curl(0)</a> \u{2192} <a href=\"/?filter=process+%3D+%22web%22\">web(0)</a>",
        "<a href=\"/?filter=direction+%3D+outbound+and+dport+%3D+443\">out https 443</a>",
        ">local http 80</a>",
        "<a href=\"/?filter=dst+10.0.0.1\">10.0.0.1:443</a>",
        "<td class=\"number sent_bytes_per_second\">4.0 KiB/s</td>",
        "<td class=\"number rtt_seconds\">2.00 ms</td>",
        "<td class=\"number retransmission_ratio\">10 %</td>",
        "<td class=\"number send_queue_bytes\">3.2 MiB</td>",
        "details=1\" title=\"All fields of this connection\">details</a>",
    ] {
        assert!(page.contains(cell), "no {cell} in {page}");
    }
    // No socket has a unit.
    assert!(!page.contains("id=\"flows-unit\"") && page.contains("id=\"flows-state\""));
}

#[test]
fn a_head_leads_to_the_lines_sorted_by_it_and_then_the_other_way_round() {
    let head = |query: &str| {
        let page = page(&request(query), Ok(&three()), &exporter(None));
        let start = page.find("<a id=\"flows-rtt_seconds\"").expect("a head");
        page[page[..start].rfind("<th").expect("a head")..].split("</th>").next().unwrap_or("").to_owned()
    };
    let (usual, falling) = (head(""), head("sort=-rtt_seconds"));
    assert!(usual.contains("href=\"/?sort=-rtt_seconds\"") && !usual.contains("aria-sort"), "{usual}");
    assert!(usual.contains("title=\"Smoothed round-trip time.\""), "{usual}");
    assert!(
        falling.contains("href=\"/?sort=rtt_seconds\"") && falling.contains("aria-sort=\"descending\""),
        "{falling}"
    );
    assert!(head("sort=rtt_seconds").contains("aria-sort=\"ascending\""));
}

#[test]
fn an_empty_table_says_what_shows_sockets() {
    let mut report = SelfReport::default();
    report.dump.sockets = 84;
    let exporter = exporter(Some(report));
    let empty = listing(SocketList::made(&[]));
    let filtered = page(&request("filter=dport+%3D+1&group=process"), Ok(&empty), &exporter);
    let said = "No connection matches the filter. The last scrape saw 84 sockets without the filter. <a href=\"/?group=process\">Show all connections</a>";
    assert!(filtered.contains(said), "{filtered}");
    assert!(page(&request(""), Ok(&empty), &exporter).contains("This host has no connection."));
}

#[test]
fn details_have_every_field_and_explain_the_bottleneck() {
    let labels =
        [(Property::State, "established"), (Property::Bottleneck, "peer_window"), (Property::Process, "web")];
    let values = [("sent_bytes_total", 2048), ("rtt_seconds", 2_000), ("send_queue_bytes", 7)];
    let listing = listing(SocketList::made(&[(&labels, &values)]));
    let page = page(&request("details=1"), Ok(&listing), &exporter(None));
    for part in [
        "<strong>peer_window</strong>: The peer&#39;s receive window limits the sender."
            .replace("&#39;", "'"),
        "<th scope=\"row\">process</th><td>web</td>".to_owned(),
        "<th scope=\"row\">sent_bytes_total</th><td>2.0 KiB</td>".to_owned(),
        "<th scope=\"row\">rtt_seconds</th><td>2.00 ms</td>".to_owned(),
        "title=\"Payload bytes sent, retransmissions excluded (tcpi_bytes_sent, tcpi_bytes_retrans).\""
            .to_owned(),
    ] {
        assert!(page.contains(&part), "no {part} in {page}");
    }
    let gone = super::page(&request("details=1"), Ok(&self::listing(SocketList::made(&[]))), &exporter(None));
    assert!(gone.contains("the connection has closed"), "{gone}");
}

#[test]
fn drops_of_udp_stand_in_the_strip_with_a_link_to_its_sockets() {
    let host_rates = Some(HostRates {
        active_opens: 0.0,
        attempt_fails: 0.0,
        listen_overflows: 0.0,
        udp_buffer_errors: 4.0,
        client_ports: (32_768, 60_999),
    });
    let exporter = Exporter { host_rates, ..exporter(None) };
    let page = page(&request(""), Ok(&listing(SocketList::made(&[]))), &exporter);
    let line =
        page.lines().find(|line| line.contains("UDP drops 4 packets per second")).expect("the problem");
    assert!(line.contains("<li class=\"warning\"><a href=\"") && line.contains("protocol=udp"), "{line}");
}
