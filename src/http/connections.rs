//! The open connections, and which of them ends when there is no room for another one.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::activity::Activity;

/// A client with more than this part of all connections gives one up before others do.
const SHARE: usize = 4;
/// Connections from this host, and of clients with a right password, that no other connection ends: as many as this
/// part of all, if there are no more of them.
const RESERVE: usize = 8;
/// Bits of an IPv6 address by which a client is known: one network is one client's.
const CLIENT_BITS: u32 = 64;

/// The open connections.
pub(super) struct Connections {
    members: Vec<OpenConnection>,
    most: usize,
}

struct OpenConnection {
    client: IpAddr,
    activity: Arc<Activity>,
    task: JoinHandle<()>,
}

/// The order in which connections are ended; the greatest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Use {
    /// It is being answered, for so long.
    Answered(Duration),
    /// It takes nothing of its answer, and is so far behind.
    Stalled(Duration),
    /// It has asked for nothing, for so long.
    Waiting(Duration),
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self { members: Vec::new(), most }
    }

    /// Makes room for one more connection of a client by ending the one that is needed least.
    ///
    /// A client with more than its share gives one up first, and ends none of others. Then the connection that has
    /// asked for nothing for longest, then the one furthest behind in taking its answer. An answer that is taken as
    /// fast as it is made is ended only for another client. False if there is no such connection.
    pub(super) fn makes_room(&mut self, client: IpAddr) -> bool {
        self.members.retain(|member| !member.task.is_finished());
        if self.members.len() < self.most {
            return true;
        }
        let client = network(client);
        let mut shares = HashMap::new();
        for member in &self.members {
            *shares.entry(member.client).or_insert(0_usize) += 1;
        }
        let reserved = self.members.iter().filter(|member| member.is_reserved()).count();
        let now = Instant::now();
        let keeps_reserve = reserved <= self.most / RESERVE;
        let is_greedy =
            |client: &IpAddr| shares.get(client).is_some_and(|share| *share > (self.most / SHARE).max(1));
        let comes_greedy = is_greedy(&client);
        let rank = |member: &OpenConnection| {
            let (own, greedy) = (member.client == client, is_greedy(&member.client));
            let usage = member.usage(now);
            let takes = matches!(usage, Use::Answered(_));
            let stays = (keeps_reserve && member.is_reserved())
                || (comes_greedy && !own)
                || (takes && (own || !greedy));
            (!stays).then_some((greedy, usage))
        };
        let ranks = self.members.iter().map(rank).enumerate();
        let ranks = ranks.filter_map(|(index, rank)| Some((rank?, index)));
        let Some((_, index)) = ranks.max() else { return false };
        self.members.swap_remove(index).task.abort();
        true
    }

    pub(super) fn admit(&mut self, client: IpAddr, activity: Arc<Activity>, task: JoinHandle<()>) {
        self.members.push(OpenConnection { client: network(client), activity, task });
    }

    /// Waits for all connections to end, at most for `grace`, then ends the rest.
    pub(super) async fn leave(mut self, grace: Duration) {
        let all_gone = async {
            for member in &mut self.members {
                // Each connection logs its own error.
                let _ = (&mut member.task).await;
            }
        };
        if tokio::time::timeout(grace, all_gone).await.is_err() {
            tracing::debug!("answers were cut off: they took longer than {grace:?} after the order to stop");
        }
        for member in &self.members {
            member.task.abort();
        }
    }
}

impl OpenConnection {
    fn usage(&self, now: Instant) -> Use {
        if let Some(since) = self.activity.waiting_since() {
            Use::Waiting(now.saturating_duration_since(since))
        } else if let Some(behind) = self.activity.behind(now) {
            Use::Stalled(behind)
        } else {
            Use::Answered(now.saturating_duration_since(self.activity.since()))
        }
    }

    fn is_reserved(&self) -> bool {
        self.activity.is_trusted() || self.client.is_loopback()
    }
}

/// What a client is known by.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> CLIENT_BITS << CLIENT_BITS))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// More time than any test takes.
    const LONG: Duration = Duration::from_hours(1);
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\n\r\n";

    /// What a connection does, and what keeps it doing that.
    #[derive(Clone, Copy)]
    enum Does {
        Nothing,
        TakesNothing,
        Takes,
    }

    struct Hall {
        connections: Connections,
        answers: Vec<super::super::activity::Answering>,
    }

    impl Hall {
        fn of(most: usize) -> Self {
            Self { connections: Connections::new(most), answers: Vec::new() }
        }

        /// One more connection.
        fn comes(&mut self, client: &str, does: Does) -> Arc<Activity> {
            let activity = Arc::new(Activity::new());
            if !matches!(does, Does::Nothing) {
                activity.read(REQUEST);
                self.answers.push(activity.answering());
            }
            if matches!(does, Does::TakesNothing) {
                activity.stalled();
            }
            let task = tokio::spawn(tokio::time::sleep(LONG));
            self.connections.admit(client.parse().expect("an address"), Arc::clone(&activity), task);
            activity
        }

        fn has_room_for(&mut self, client: &str) -> bool {
            self.connections.makes_room(client.parse().expect("an address"))
        }

        fn has(&self, activity: &Arc<Activity>) -> bool {
            self.connections.members.iter().any(|member| Arc::ptr_eq(&member.activity, activity))
        }
    }

    #[tokio::test]
    async fn the_client_that_reads_nothing_for_longest_makes_room_and_one_that_reads_stays() {
        let mut hall = Hall::of(8);
        let takes = hall.comes("192.0.2.1", Does::Takes);
        let oldest = hall.comes("192.0.2.1", Does::TakesNothing);
        for _ in 0..6 {
            hall.comes("192.0.2.1", Does::TakesNothing);
        }
        assert!(hall.has_room_for("192.0.2.1"));
        assert!(hall.has(&takes) && !hall.has(&oldest));
        let asks_nothing = hall.comes("192.0.2.1", Does::Nothing);
        assert!(hall.has_room_for("192.0.2.1"));
        assert!(!hall.has(&asks_nothing));
    }

    #[tokio::test]
    async fn a_client_with_more_than_its_share_makes_room_for_others() {
        let mut hall = Hall::of(8);
        let idle = hall.comes("2001:db8:1::1", Does::Nothing);
        for number in 0..7 {
            hall.comes(&format!("2001:db8:2::{number}"), Does::Takes);
        }
        assert!(hall.has_room_for("2001:db8:3::1"));
        assert!(hall.has(&idle));
        hall.comes("2001:db8:3::1", Does::Takes);
        assert!(!hall.has_room_for("2001:db8:2::9"));
        assert!(hall.has(&idle));
    }

    #[tokio::test]
    async fn this_host_and_clients_with_a_password_have_a_reserve() {
        for (client, trusted) in [("127.0.0.1", false), ("192.0.2.9", true)] {
            let mut hall = Hall::of(8);
            let first = hall.comes(client, Does::TakesNothing);
            if trusted {
                first.answering().trust();
                first.stalled();
            }
            for number in 0..7 {
                hall.comes(&format!("192.0.2.{number}"), Does::TakesNothing);
            }
            assert!(hall.has_room_for("192.0.2.100"));
            assert!(hall.has(&first), "{client}");
        }
    }

    #[tokio::test]
    async fn where_all_take_their_answers_there_is_no_room() {
        let mut hall = Hall::of(2);
        hall.comes("192.0.2.1", Does::Takes);
        hall.comes("192.0.2.2", Does::Takes);
        assert!(!hall.has_room_for("192.0.2.3"));
    }
}
