//! Sockets without internet addresses: views of them against what `ss` shows.

use std::collections::BTreeMap;
use std::process::Command;

use socket2::{Domain, Protocol, Socket, Type};

use super::{enter, expose, samples};

/// `AF_NETLINK`
const NETLINK: i32 = 16;
/// Names of protocols that `ss` spells otherwise.
const WORDS: [(&str, &str); 5] = [
    ("rtnl", "route"),
    ("genl", "generic"),
    ("tcpdiag", "sock_diag"),
    ("nft", "netfilter"),
    ("fiblookup", "fib_lookup"),
];

/// How many sockets `ss` shows of each netlink protocol.
fn of_ss() -> BTreeMap<String, u32> {
    let output = Command::new("ss").args(["-f", "netlink", "-aH"]).output().expect("ss of iproute2");
    let text = String::from_utf8(output.stdout).expect("text");
    let mut counts = BTreeMap::new();
    for word in text.lines().filter_map(|line| line.split_whitespace().find(|word| word.contains(':'))) {
        let (protocol, _) = word.split_once(':').expect("a colon");
        let name = WORDS.iter().find(|(of_ss, _)| *of_ss == protocol).map_or(protocol, |(_, name)| name);
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

#[test]
fn a_view_of_netlink_counts_the_sockets_that_ss_shows() {
    if !enter() {
        return;
    }
    let open = |protocol| Socket::new(Domain::from(NETLINK), Type::RAW, Some(Protocol::from(protocol)));
    let _kept: Vec<_> = [0, 0, 16].into_iter().map(|protocol| open(protocol).expect("a socket")).collect();
    let text =
        expose("views: {n: {protocol: netlink, state: all, by: [netlink_protocol], metrics: [sockets]}}");
    let shown = samples(&text, "ss_n_sockets");
    let expected = of_ss();
    for name in ["route", "generic", "xfrm"] {
        let row = shown.iter().find(|(labels, _)| labels.contains(&format!("\"{name}\"")));
        let expected = f64::from(*expected.get(name).expect("a protocol of ss"));
        assert!(
            row.is_some_and(|(_, count)| (*count - expected).abs() < 0.5),
            "{name}: {expected}, {shown:?}"
        );
    }
}
