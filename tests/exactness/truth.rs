//! The generated traffic against the kernel's own counters of opened connections.

use super::enter;
use testkit::traffic::{End, Lanes, sizes};

#[test]
fn the_generator_counts_what_it_sends() {
    if enter() {
        return;
    }
    let before = opens();
    let lanes = Lanes::open(3).expect("listeners");
    let truth = lanes.run(0..3_000, f64::INFINITY, &[End::ServerFirst, End::Unread]).expect("connections");
    let bytes = |number| -> u64 {
        let (up, down) = sizes(number);
        up as u64 + down as u64
    };
    let sent = (0..3_000).map(bytes).sum();
    assert_eq!((truth.connections, truth.sent, truth.received), (3_000, sent, sent));
    assert_eq!((truth.silent, truth.forgotten), (0, 0));
    let mixed = lanes.run(0..9_600, 20_000.0, &End::ALL).expect("connections");
    assert_eq!(mixed.sent, mixed.received + mixed.forgotten);
    // With three of the sixteen ends, the kernel drops what an end counted.
    assert_eq!(mixed.silent, 9_600 * 3 / 16, "{mixed:?}");
    assert_eq!(opens(), before.map(|count| count + 12_600));
}

/// How many connections this namespace has asked for and has accepted.
fn opens() -> [u64; 2] {
    let table = std::fs::read_to_string("/proc/net/snmp").expect("the counters of TCP");
    let mut rows = table.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, values) = (rows.next().expect("names"), rows.next().expect("values"));
    let value = |wanted| {
        let mut pairs = names.split(' ').zip(values.split(' '));
        let (_, value) = pairs.find(|(name, _)| *name == wanted).expect("the counter");
        value.parse().expect("a number")
    };
    ["ActiveOpens", "PassiveOpens"].map(value)
}
