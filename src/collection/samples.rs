//! Samples of connections, each kept until the next collection that shows the connection.

use std::time::Instant;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use crate::bottleneck::{Bottleneck, ConnectionSample, MIN_INTERVAL};
use sockdiag::{Class, Socket};

/// Samples by identity.
#[derive(Debug, Default)]
pub(super) struct Samples {
    known: HashMap<u64, Known>,
    /// The number of the walk.
    walk: u32,
}

/// The last sample of a connection.
#[derive(Debug)]
struct Known {
    sample: ConnectionSample,
    at: Instant,
    /// What limited it then.
    bottleneck: Option<Bottleneck>,
    /// The last walk that showed it.
    walk: u32,
}

impl Samples {
    /// What limits a connection that a dump shows, and for how many microseconds since the sample before.
    pub(super) fn look(
        &mut self,
        identity: u64,
        socket: &Socket<'_>,
        now: Instant,
    ) -> (Option<Bottleneck>, u64) {
        if socket.class() != Class::Connection {
            return (Bottleneck::of(socket, None), 0);
        }
        let walk = self.walk;
        let next = |bottleneck| Known { sample: ConnectionSample::of(socket), at: now, bottleneck, walk };
        match self.known.entry(identity) {
            Entry::Vacant(place) => {
                let bottleneck = Bottleneck::of(socket, None);
                place.insert(next(bottleneck));
                (bottleneck, 0)
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                let time = now.duration_since(known.at);
                if time < MIN_INTERVAL {
                    known.walk = walk;
                    return (known.bottleneck, 0);
                }
                let bottleneck = Bottleneck::of(socket, Some((&known.sample, time)));
                *known = next(bottleneck);
                (bottleneck, u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
            }
        }
    }

    /// Ends a walk: forgets connections that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let walk = self.walk;
        self.known.retain(|_, known| walk.wrapping_sub(known.walk) < walks);
        self.walk = walk.wrapping_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::bottleneck::Bottleneck::{Application, Idle};
    use sockdiag::{State, TCP, tcp_info};
    use testkit::reply::Reply;

    /// What limits a connection that was busy for so long and has sent that many segments.
    fn look(samples: &mut Samples, busy: u64, segments: u64, now: Instant) -> (Option<Bottleneck>, u64) {
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let fields = [(&tcp_info::BUSY_TIME, busy), (&tcp_info::DATA_SEGS_OUT, segments)];
        let reply = Reply::new(State::Established, end(1), end(2)).inode(7).info(&fields);
        samples.look(1, &TCP.parse(reply.bytes()).expect("a socket"), now)
    }

    #[test]
    fn a_sample_is_compared_with_one_that_is_old_enough_and_until_then_the_answer_stays() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        assert_eq!(look(&mut samples, 0, 0, start), (None, 0));
        assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL), (Some(Idle), 500_000));
        assert_eq!(
            look(&mut samples, 90_000, 5, start + MIN_INTERVAL * 3 / 2),
            (Some(Idle), 0),
            "counted once"
        );
        assert_eq!(look(&mut samples, 90_000, 5, start + MIN_INTERVAL * 2), (Some(Application), 500_000));
    }

    #[test]
    fn a_sample_is_forgotten_after_as_many_walks_without_its_connection_as_are_allowed() {
        for walks in [1, 3] {
            let (mut samples, start) = (Samples::default(), Instant::now());
            let _ = look(&mut samples, 0, 0, start);
            (0..walks).for_each(|_| samples.end_walk(walks));
            assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL).0, Some(Idle), "{walks}");
            (0..=walks).for_each(|_| samples.end_walk(walks));
            assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL * 2), (None, 0), "{walks}");
        }
    }
}
