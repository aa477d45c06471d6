//! The screen of the documentation: docs/reference/top.md.

use std::time::{Duration, UNIX_EPOCH};

use super::Fixture;
use crate::listing::{Listing, Rate, SocketList};
use crate::problems::{Evidence, problems};
use crate::properties::Property;

/// A web server with a slow client, a stalled backup and a full listener.
fn shop() -> Listing {
    let ends = |state, [local, local_port, remote, remote_port]: [&'static str; 4], process, bottleneck| {
        [
            (Property::State, state),
            (Property::LocalAddress, local),
            (Property::LocalPort, local_port),
            (Property::RemoteAddress, remote),
            (Property::RemotePort, remote_port),
            (Property::Process, process),
            (Property::Pid, "712"),
            (Property::Bottleneck, bottleneck),
        ]
    };
    let web = |remote, port, bottleneck| {
        ends("established", ["10.20.0.5", "443", remote, port], "nginx", bottleneck)
    };
    let sockets = [
        (web("203.0.113.9", "51234", "path"), 1_048_576, 61_000, Some((1_250_000.0, 900.0, 0.0))),
        (web("198.51.100.23", "40112", "loss"), 90_112, 43_000, Some((310_000.0, 1_200.0, 9_000.0))),
        (web("203.0.113.77", "60100", "application"), 0, 12_400, Some((5_200.0, 700.0, 0.0))),
        (
            ends("established", ["10.20.0.5", "40000", "10.20.0.9", "5432"], "shop-api", "application"),
            0,
            410,
            Some((98_000.0, 870_000.0, 0.0)),
        ),
        (
            ends("established", ["10.20.0.5", "41822", "192.0.2.30", "873"], "rsync", "peer_not_reading"),
            3_307_008,
            28_000,
            Some((0.0, 0.0, 0.0)),
        ),
        (
            ends("close_wait", ["10.20.0.5", "8080", "10.20.0.7", "33412"], "shop-api", "idle"),
            0,
            350,
            Some((0.0, 0.0, 0.0)),
        ),
    ];
    let values: Vec<_> = sockets
        .iter()
        .map(|(_, queue, rtt, _)| {
            [("send_queue_bytes", *queue), ("receive_queue_bytes", 0), ("rtt_seconds", *rtt)]
        })
        .collect();
    let listener = ends("listen", ["0.0.0.0", "9004", "0.0.0.0", "0"], "stuckd", "");
    let filled = [("accept_queue_connections", 4), ("accept_queue_limit", 3)];
    let flows = sockets.iter().zip(&values).map(|((texts, ..), values)| (&texts[..], &values[..]));
    let made: Vec<_> = flows.chain([(&listener[..], &filled[..])]).collect();
    let rate = |(sent, received, retransmitted)| Rate { sent, received, retransmitted };
    let rates = sockets.iter().map(|(.., seconds)| seconds.map(rate)).chain([None]).collect();
    Listing { sockets: SocketList::made(&made), rates, at: UNIX_EPOCH + Duration::from_secs(50_723) }
}

#[test]
fn the_documentation_has_the_screen_of_the_program() {
    const PAGE: &str = "docs/reference/top.md";
    let mut screen = Fixture::new(100, 16);
    let listing = shop();
    let found = problems(&Evidence { listing: Some(&listing), host: None, report: None });
    screen.give_with(listing, found);
    let page = std::fs::read_to_string(PAGE).expect(PAGE);
    let (before, rest) = page.split_once("```text\n").expect("a screen");
    let (_, after) = rest.split_once("```\n").expect("the end of the screen");
    let expected = format!("{before}```text\n{}\n```\n{after}", screen.screen());
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(PAGE, expected).expect(PAGE);
    } else {
        assert!(page == expected, "{PAGE} is not current; run UPDATE=1 cargo test --lib top::\n{expected}");
    }
}
