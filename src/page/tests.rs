//! The page as text: nothing in it acts, and what is missing is named.

use std::time::{Duration, SystemTime};

use super::*;
use crate::listing::SocketList;
use crate::self_metrics::{OwnerReport, Stage};

const HOSTILE: &str = "</script><img src=x onerror=alert(1)>\"'";

fn listing(sockets: SocketList) -> Listing {
    Listing { rates: vec![None; sockets.len()], sockets, at: SystemTime::now() }
}

#[test]
fn a_hostile_name_or_filter_is_text_wherever_it_stands() {
    let labels = [
        (Property::State, "established"),
        (Property::Process, HOSTILE),
        (Property::Pid, "1"),
        (Property::Unit, HOSTILE),
    ];
    let listener = [(Property::State, "listen"), (Property::Process, HOSTILE)];
    let values = [("sent_bytes_total", 1), ("rtt_seconds", 2_000)];
    let listing = listing(SocketList::made(&[(&labels, &values), (&listener, &[])]));
    let exporter = Exporter { telemetry_path: "/metrics".into(), report: Some(SelfReport::default()) };
    let refusal = Refusal(HOSTILE.to_owned());
    for page in [page(HOSTILE, Ok(&listing), &exporter), page(HOSTILE, Err(&refusal), &exporter)] {
        assert!(!page.contains("<img") && page.matches("</script>").count() == 1, "{page}");
        assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"));
    }
}

#[test]
fn missing_owners_are_not_said_to_be_missing_sockets_and_a_missing_dump_is() {
    let exporter = Exporter { telemetry_path: "/metrics".into(), report: None };
    let page_of = |name: &'static str, owners| {
        let mut report = SelfReport {
            owners: OwnerReport { shortage: owners, ..OwnerReport::default() },
            ..SelfReport::default()
        };
        report.stages = vec![Stage { name: name.into(), duration: Duration::ZERO, success: false }];
        page("", Ok(&listing(SocketList::made(&[]).with(report))), &exporter)
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
    let (nine, full) = (queue(9, 10), queue(1, 0));
    let listing =
        listing(SocketList::made(&[(&texts, &nine), (&[texts[0], (Property::Process, "x")], &full)]));
    let page = page("", Ok(&listing), &Exporter { telemetry_path: "/metrics".into(), report: None });
    // A bar is red above `high` only if `optimum` lies below `low` (HTML Living Standard, 4.10.14).
    let bar = "optimum=\"0\" low=\"0.5\" high=\"0.8\" value=\"0.900\"";
    assert!(
        page.contains(&format!(">90 % <meter min=\"0\" max=\"1\" {bar} aria-label=\"Fill\"></meter>")),
        "{page}"
    );
    assert!(page.contains(">100 % <meter"), "a queue without a place is full with one: {page}");
}

#[test]
fn the_page_asks_for_nothing_from_anywhere_else_and_allows_its_own_script_alone() {
    let stage = Stage { name: "dump".into(), duration: Duration::ZERO, success: false };
    let report = Some(SelfReport { stages: vec![stage], ..SelfReport::default() });
    let exporter = Exporter { telemetry_path: "/m".into(), report };
    let page = page("", Ok(&listing(SocketList::made(&[]))), &exporter);
    for outside in ["http://", "https://", "src=", "@import", "url(", "style=\""] {
        assert!(!page.contains(outside), "{outside}");
    }
    let policy = policy();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(page.contains("href=\"/m\"") && page.contains("The last collection was not complete: dump."));
}
