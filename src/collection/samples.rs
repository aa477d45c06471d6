//! Samples of connections, each kept until the next collection that shows the connection.

use std::time::Instant;

use hashbrown::HashMap;

use crate::bottleneck::{Bottleneck, ConnectionSample, MIN_INTERVAL};
use sockdiag::{Class, Socket};

/// Samples, in the order in which dumps first showed their connections.
#[derive(Debug, Default)]
pub(super) struct Samples {
    known: Vec<Known>,
    /// Where the sample of an identity is.
    places: HashMap<u64, usize>,
    /// Where the next one is expected: a dump mostly has the order of the one before.
    next: usize,
    /// The number of the walk.
    walk: u32,
}

/// The last sample of a connection.
#[derive(Debug)]
struct Known {
    identity: u64,
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
        let Self { known, places, next, walk } = self;
        let is_next = known.get(*next).is_some_and(|known| known.identity == identity);
        let place = if is_next { *next } else { places.get(&identity).copied().unwrap_or(known.len()) };
        *next = place + 1;
        let sample = || ConnectionSample::of(socket);
        let Some(before) = known.get_mut(place) else {
            let bottleneck = Bottleneck::of(socket, None);
            places.insert(identity, place);
            known.push(Known { identity, sample: sample(), at: now, bottleneck, walk: *walk });
            return (bottleneck, 0);
        };
        before.walk = *walk;
        let time = now.duration_since(before.at);
        if time < MIN_INTERVAL {
            return (before.bottleneck, 0);
        }
        before.bottleneck = Bottleneck::of(socket, Some((&before.sample, time)));
        (before.sample, before.at) = (sample(), now);
        (before.bottleneck, u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }

    /// Ends a walk: forgets connections that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let Self { known, places, next, walk } = self;
        let before = known.len();
        known.retain(|known| walk.wrapping_sub(known.walk) < walks);
        if known.len() < before {
            *places = known.iter().zip(0..).map(|(known, place)| (known.identity, place)).collect();
        }
        (*next, *walk) = (0, walk.wrapping_add(1));
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
