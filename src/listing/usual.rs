//! The columns that are shown unless others are chosen, and those that flags of `ss` add.

use super::ListingColumn;
use sockdiag::Protocol;

/// The columns of connections.
const OF_CONNECTIONS: [&str; 14] = [
    "state",
    "recv_q",
    "send_q",
    "local",
    "remote",
    "process",
    "peer_process",
    "rtt",
    "cwnd",
    "sent",
    "received",
    "retrans",
    "bottleneck",
    DROPS,
];
/// The columns of listeners and of what receives without a connection.
const OF_LISTENERS: [&str; 6] = ["state", "fill", "local", "process", "unit", DROPS];
/// What only sockets without connections and listeners have by default.
const DROPS: &str = "drops";

/// What `-e` adds.
pub const EXTENDED: &[&str] = &["user", "inode", "cookie", "cgroup"];
/// What `-m` adds.
pub const MEMORY: &[&str] =
    &["skmem_r", "skmem_rb", "skmem_t", "skmem_tb", "skmem_f", "skmem_w", "skmem_o", "skmem_bl", DROPS];
/// What `-o` adds.
pub const TIMER: &[&str] = &["timer", "timer_remaining_seconds", "timer_retries"];

/// The columns that fit sockets of these protocols, only listeners or not.
#[must_use]
pub fn usual(protocols: &[&Protocol], listening: bool) -> Vec<ListingColumn> {
    let names: &[&str] = if listening { &OF_LISTENERS } else { &OF_CONNECTIONS };
    let drops =
        protocols.iter().any(|protocol| protocol.reconnects() || listening && protocol.has_listeners());
    let names = names.iter().filter(|name| **name != DROPS || drops);
    let columns = names.filter_map(|name| ListingColumn::named(name).ok());
    let fits = |column: &ListingColumn| protocols.iter().any(|protocol| column.is_of(protocol));
    let netid = (protocols.len() > 1).then_some(ListingColumn::Netid);
    netid.into_iter().chain(columns.filter(fits)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::{TCP, UDP, UNIX};

    fn names(protocols: &[&Protocol], listening: bool) -> Vec<&'static str> {
        usual(protocols, listening).into_iter().map(ListingColumn::name).collect()
    }

    #[test]
    fn columns_fit_the_protocols_and_each_stands_once() {
        assert_eq!(
            names(&[&TCP], false)[..],
            OF_CONNECTIONS.map(|name| name)[..6]
                .iter()
                .chain(&OF_CONNECTIONS[7..13])
                .copied()
                .collect::<Vec<_>>()[..]
        );
        assert_eq!(
            names(&[&UDP], false),
            ["state", "recv_q", "send_q", "local", "remote", "process", "drops"]
        );
        assert_eq!(names(&[&TCP], true), OF_LISTENERS);
        assert!(!names(&[&UNIX], true).contains(&"drops"));
        assert!(names(&[&UNIX], false).contains(&"peer_process"));
        assert_eq!(
            names(&[&TCP, &UDP], true),
            ["netid", "state", "fill", "local", "process", "unit", "drops"]
        );
        for name in [&OF_CONNECTIONS[..], &OF_LISTENERS, EXTENDED, MEMORY, TIMER].concat() {
            assert!(ListingColumn::named(name).is_ok(), "{name}");
        }
    }
}
