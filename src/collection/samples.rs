//! Samples of connections, each kept until the next collection that shows the connection.

use std::time::Instant;

use hashbrown::HashMap;

use crate::bottleneck::{Bottleneck, ConnectionSample, MEMORY, MIN_INTERVAL};
use sockdiag::{Class, Extensions, Socket};

/// A share of all samples up to which those that no walk needs any more stay.
const SHARE: usize = 16;
/// How many of them stay in any case.
const FEW: usize = 64;
/// Walks for which the kernel is asked for memory after the last one in which an answer depended on it: more than the listings
/// of two filters that alternate, and than a sender that works now and then needs.
const ASKED: u32 = 10;

/// Samples, in the order in which dumps first showed their connections.
#[derive(Debug)]
pub(super) struct Samples {
    known: Vec<Known>,
    /// Where the sample of an identity is.
    places: HashMap<u64, usize>,
    /// Where the next one is expected: a dump mostly has the order of the one before.
    next: usize,
    /// The number of the walk.
    walk: u32,
    /// How many connections it has shown.
    shown: usize,
    /// After how many walks that do not show its connection a sample is forgotten.
    kept: u32,
    /// For how many more walks dumps show the memory of sockets.
    asked: u32,
    /// Whether this walk has compared a connection with its sample.
    compared: bool,
    /// Whether any answer of this walk depends on memory.
    depends: bool,
}

impl Default for Samples {
    fn default() -> Self {
        let (known, places) = (Vec::new(), HashMap::new());
        Self {
            known,
            places,
            next: 0,
            walk: 0,
            shown: 0,
            kept: 0,
            asked: ASKED,
            compared: false,
            depends: false,
        }
    }
}

/// What samples say of a socket that a dump shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Sampled {
    /// What limits it.
    pub(super) bottleneck: Option<Bottleneck>,
    /// For how many microseconds, since the sample before.
    pub(super) microseconds: u64,
    /// Whether this walk has shown it before; `None` of a socket that is not sampled.
    pub(super) is_repeated: Option<bool>,
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
    /// What the next dump is to show beside what its request asks for.
    pub(super) const fn extensions(&self) -> Extensions {
        if self.asked > 0 { MEMORY } else { Extensions::NONE }
    }

    /// What is said of a socket that a dump shows.
    pub(super) fn look(&mut self, identity: u64, socket: &Socket<'_>, now: Instant) -> Sampled {
        let sampled = |bottleneck, is_repeated| Sampled { bottleneck, microseconds: 0, is_repeated };
        if socket.class() != Class::Connection {
            return sampled(Bottleneck::of(socket, None), None);
        }
        let Self { known, places, next, walk, shown, kept, asked, compared, depends } = self;
        let is_next = known.get(*next).is_some_and(|known| known.identity == identity);
        let place = if is_next { *next } else { places.get(&identity).copied().unwrap_or(known.len()) };
        *next = place + 1;
        let sample = || ConnectionSample::of(socket);
        let Some(before) = known.get_mut(place) else {
            let bottleneck = Bottleneck::of(socket, None);
            places.insert(identity, place);
            *shown += 1;
            known.push(Known { identity, sample: sample(), at: now, bottleneck, walk: *walk });
            return sampled(bottleneck, Some(false));
        };
        let walks = walk.wrapping_sub(std::mem::replace(&mut before.walk, *walk));
        let is_repeated = Some(walks == 0);
        *shown += usize::from(walks > 0);
        if walks > *kept {
            (before.sample, before.at, before.bottleneck) = (sample(), now, Bottleneck::of(socket, None));
            return sampled(before.bottleneck, is_repeated);
        }
        let time = now.duration_since(before.at);
        // A walk may show a socket a second time after seconds. The first time counted the time until then.
        if walks == 0 || time < MIN_INTERVAL {
            return sampled(before.bottleneck, is_repeated);
        }
        let (sample, since) = (sample(), (&before.sample, time));
        let bottleneck = Bottleneck::of(socket, Some(since));
        let of_memory = bottleneck.is_some_and(|bottleneck| bottleneck.depends_on_memory(socket, since));
        let is_known = *asked > 0 && (before.sample.has_memory() || !sample.has_memory());
        // No answer is better than one that may be wrong. The next walks ask for what is missing.
        before.bottleneck = bottleneck.filter(|_| is_known || !of_memory);
        (*compared, *depends) = (true, *depends || of_memory);
        (before.sample, before.at) = (sample, now);
        let microseconds = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Sampled { microseconds, ..sampled(before.bottleneck, is_repeated) }
    }

    /// Ends a walk: forgets connections that the last `walks` have not shown.
    pub(super) fn end_walk(&mut self, walks: u32) {
        let Self { known, places, next, walk, shown, kept, asked, compared, depends } = self;
        let passed = u32::from(std::mem::take(compared));
        *asked = if std::mem::take(depends) { ASKED } else { asked.saturating_sub(passed) };
        let before = known.len();
        // The memory of a few is not worth the time to move all others.
        if before - *shown > FEW + before / SHARE {
            known.retain(|known| walk.wrapping_sub(known.walk) < walks);
        }
        if known.len() < before {
            known.shrink_to(known.len() + known.len() / SHARE);
            *places = known.iter().zip(0..).map(|(known, place)| (known.identity, place)).collect();
        }
        (*next, *shown, *kept, *walk) = (0, 0, walks, walk.wrapping_add(1));
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use super::*;
    use crate::bottleneck::Bottleneck::{Application, Idle, Path};
    use sockdiag::{Field, State, TCP, tcp_info};
    use testkit::reply::Reply;

    /// What limits the connection with that identity and these fields.
    fn look_at(
        samples: &mut Samples,
        identity: u64,
        fields: &[(&Field, u64)],
        now: Instant,
    ) -> (Option<Bottleneck>, u64) {
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let reply = Reply::new(State::Established, end(1), end(2)).inode(7).info(fields);
        let Sampled { bottleneck, microseconds, .. } =
            samples.look(identity, &TCP.parse(reply.bytes()).expect("a socket"), now);
        (bottleneck, microseconds)
    }

    /// What limits a connection that was busy for so long and has sent that many segments.
    fn look(samples: &mut Samples, busy: u64, segments: u64, now: Instant) -> (Option<Bottleneck>, u64) {
        look_at(samples, 1, &[(&tcp_info::BUSY_TIME, busy), (&tcp_info::DATA_SEGS_OUT, segments)], now)
    }

    #[test]
    fn a_sample_is_compared_with_one_that_is_old_enough_and_until_then_the_answer_stays() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        let mut walk = |busy, segments, at| {
            let answer = look(&mut samples, busy, segments, at);
            samples.end_walk(1);
            answer
        };
        assert_eq!(walk(0, 0, start), (None, 0));
        assert_eq!(walk(0, 0, start + MIN_INTERVAL), (Some(Idle), 500_000));
        assert_eq!(walk(90_000, 5, start + MIN_INTERVAL * 3 / 2), (Some(Idle), 0), "counted once");
        assert_eq!(walk(90_000, 5, start + MIN_INTERVAL * 2), (Some(Application), 500_000));
    }

    #[test]
    fn a_connection_that_a_walk_shows_again_later_is_counted_from_the_first_time() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        let _ = look(&mut samples, 0, 0, start);
        samples.end_walk(1);
        assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL), (Some(Idle), 500_000));
        assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL * 2), (Some(Idle), 0));
        samples.end_walk(1);
        assert_eq!(look(&mut samples, 0, 0, start + MIN_INTERVAL * 3), (Some(Idle), 1_000_000));
    }

    #[test]
    fn a_connection_that_a_walk_shows_twice_is_repeated_and_a_listener_has_no_sample() {
        let (mut samples, now) = (Samples::default(), Instant::now());
        let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
        let mut is_repeated = |state| {
            let reply = Reply::new(state, end(1), end(2)).inode(7).info(&[]);
            samples.look(1, &TCP.parse(reply.bytes()).expect("a socket"), now).is_repeated
        };
        let answers = [State::Established, State::Established, State::Listen].map(&mut is_repeated);
        assert_eq!(answers, [Some(false), Some(true), None]);
        samples.end_walk(1);
        assert_eq!((look(&mut samples, 0, 0, now), samples.shown), ((None, 0), 1));
        assert_eq!((look(&mut samples, 0, 0, now), samples.shown), ((None, 0), 1));
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

    #[test]
    fn samples_of_many_connections_that_are_gone_are_given_back() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        (0..1_000).for_each(|identity| _ = look_at(&mut samples, identity, &[], start));
        for walk in 0..4 {
            let _ = look_at(&mut samples, 7, &[], start + MIN_INTERVAL * walk);
            samples.end_walk(2);
        }
        assert_eq!((samples.known.len(), samples.places.len()), (1, 1));
        assert!(samples.known.capacity() < 10);
        assert_eq!(look_at(&mut samples, 7, &[], start + MIN_INTERVAL * 9).0, Some(Idle));
        assert_eq!(look_at(&mut samples, 8, &[], start + MIN_INTERVAL * 9).0, None);
    }

    #[test]
    fn samples_of_many_connections_stay_for_as_many_walks_as_are_allowed() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        (0..1_000).for_each(|identity| _ = look_at(&mut samples, identity, &[], start));
        let left = [(); 4].map(|()| {
            samples.end_walk(3);
            let _ = look_at(&mut samples, 7, &[], start);
            samples.known.len()
        });
        assert_eq!(left, [1_000, 1_000, 1_000, 1]);
    }

    #[test]
    fn a_few_samples_that_no_walk_needs_any_more_stay_and_are_not_compared() {
        let (mut samples, start) = (Samples::default(), Instant::now());
        let mut walk = |identities: std::ops::Range<u64>, walk: u32| -> Vec<_> {
            let at = start + MIN_INTERVAL * walk;
            let seen = identities.map(|identity| look_at(&mut samples, identity, &[], at).0).collect();
            samples.end_walk(1);
            assert_eq!(samples.known.len(), 10);
            seen
        };
        assert_eq!(walk(0..10, 0), [None; 10]);
        assert_eq!(walk(0..9, 1), [Some(Idle); 9]);
        assert_eq!(walk(0..9, 2), [Some(Idle); 9]);
        let last = walk(0..10, 3);
        assert_eq!((&last[..9], last[9]), (&[Some(Idle); 9][..], None), "as if it were new");
        assert_eq!(walk(0..10, 4), [Some(Idle); 10]);
    }

    /// A connection of which a kernel shows the memory if it is asked to.
    struct Sender {
        samples: Samples,
        walks: u32,
        busy: u64,
        acked: u64,
    }

    impl Sender {
        fn new() -> Self {
            Self { samples: Samples::default(), walks: 0, busy: 0, acked: 0 }
        }

        /// Walks a second later, in which it has worked for so many microseconds and sent so many bytes: whether the walk asks for
        /// memory, and what limits the connection.
        fn walk(&mut self, busy: u64, acked: u64) -> (bool, Option<Bottleneck>) {
            (self.busy, self.acked) = (self.busy + busy, self.acked + acked);
            let asks = self.samples.extensions() == MEMORY;
            let end = |port| SocketAddr::from(([127, 0, 0, 1], port));
            let reply = Reply::new(State::Established, end(1), end(2)).inode(7).info(&[
                (&tcp_info::SND_CWND, 10),
                (&tcp_info::SND_MSS, 1_000),
                (&tcp_info::RTT, 10_000),
                (&tcp_info::MIN_RTT, 10_000),
                (&tcp_info::BUSY_TIME, self.busy),
                (&tcp_info::BYTES_ACKED, self.acked),
                (&tcp_info::DATA_SEGS_OUT, self.acked / 1_000),
                (&tcp_info::NOTSENT_BYTES, 1_000_000),
            ]);
            // A buffer of 16 MiB, and nothing in it.
            let memory: Vec<u8> =
                (0..9_u32).flat_map(|field| (u32::from(field == 3) << 24).to_ne_bytes()).collect();
            let reply = if asks { reply.attribute(7, &memory) } else { reply };
            let socket = TCP.parse(reply.bytes()).expect("a socket");
            let at = Instant::now() + Duration::from_secs(1) * self.walks;
            let bottleneck = self.samples.look(1, &socket, at).bottleneck;
            self.samples.end_walk(1);
            self.walks += 1;
            (asks, bottleneck)
        }
    }

    /// 500 of the 1,000 KB/s that the window allows.
    const LOT: (u64, u64) = (900_000, 500_000);

    #[test]
    fn memory_is_asked_for_as_long_as_an_answer_depended_on_it_a_few_walks_ago() {
        let mut sender = Sender::new();
        let idle = |sender: &mut Sender| sender.walk(0, 0);
        assert_eq!(idle(&mut sender), (true, None), "nothing is known yet");
        (0..ASKED).for_each(|_| assert_eq!(idle(&mut sender), (true, Some(Idle))));
        assert_eq!(idle(&mut sender), (false, Some(Idle)));
        assert_eq!(sender.walk(900_000, 10_000), (false, Some(Path)), "most of the window is not used");
        // The first two answers would be guesses.
        let answers = [0; 4].map(|_| sender.walk(LOT.0, LOT.1));
        assert_eq!(answers, [(false, None), (true, None), (true, Some(Path)), (true, Some(Path))]);
        // One that works now and then has an answer whenever it does.
        for _ in 0..ASKED {
            assert_eq!(idle(&mut sender), (true, Some(Idle)));
            assert_eq!(sender.walk(LOT.0, LOT.1), (true, Some(Path)));
        }
    }
}
