//! What is kept of a socket: the kernel's reply, and what the collection knew beside it.

use std::hash::BuildHasher as _;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashMap};

use crate::aggregate::Size;
use crate::attribute::{Cgroup, ConfiguredNames, Direction, Netns, Owner, OwnerId, Ownership, Users};
use crate::bottleneck::Bottleneck;
use crate::facts::{Facts, Names};
use crate::metrics::{Metric, Source, named};
use crate::properties::Property;
use crate::view::View;
use sockdiag::{Protocol, Socket, State};

/// A value that orders, totals and problems need of every socket: it is read once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum AtHand {
    SentBytes,
    ReceivedBytes,
    RetransmittedBytes,
    Rtt,
    MinRtt,
    ReceiveQueue,
    SendQueue,
}

/// The metrics of these values, in their order.
const AT_HAND: [&Metric; 7] = [
    named("sent_bytes_total"),
    named("received_bytes_total"),
    named("retransmitted_bytes_total"),
    named("rtt_seconds"),
    named("min_rtt_seconds"),
    named("receive_queue_bytes"),
    named("send_queue_bytes"),
];
/// What the kernel does not report.
const ABSENT: u64 = u64::MAX;

/// The values of a socket in the order of [`AT_HAND`]. With metrics that the compiler knows, little more than loads are left.
fn read(socket: &Socket<'_>) -> [u64; AT_HAND.len()] {
    macro_rules! values {
        ($($place:literal)*) => {
            [$({
                const SOURCE: Source = AT_HAND[$place].source;
                SOURCE.read(socket).unwrap_or(ABSENT)
            }),*]
        };
    }
    values!(0 1 2 3 4 5 6)
}

/// The sockets of a view.
#[derive(Debug)]
pub(super) struct KeptSockets {
    /// Which of [`AT_HAND`] sockets of the protocol have.
    has: [bool; AT_HAND.len()],
    hasher: DefaultHashBuilder,
    /// One behind the other.
    replies: Vec<u8>,
    sockets: Vec<Kept>,
    /// The bytes that are left for more.
    room: usize,
    /// How many had no room.
    pub(super) left_out: usize,
    /// How many are in each state, by its number, those without room included.
    in_state: Vec<u64>,
}

/// What is known of a socket beside its reply.
#[derive(Debug)]
pub(super) struct Kept {
    /// Where its reply ends.
    end: usize,
    pub(super) identity: u64,
    owner: Option<Arc<Owner>>,
    peer: Option<Arc<Owner>>,
    /// Its ends, of the internet.
    pub(super) ends: HashedEnds,
    /// The number of its network namespace.
    netns: u32,
    client_ports: Option<(u16, u16)>,
    /// As it was asked for, which the reply does not always say.
    state: State,
    pub(super) direction: Option<Direction>,
    pub(super) bottleneck: Option<Bottleneck>,
    /// Those of [`AT_HAND`], in the kernel's units.
    values: [u64; AT_HAND.len()],
}

/// The two ends of a socket of the internet as hashes: of another socket with the same two, each hash has the other place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HashedEnds {
    local: u32,
    remote: u32,
}

impl HashedEnds {
    fn of(facts: &Facts<'_>, hasher: &DefaultHashBuilder) -> Self {
        // In two namespaces the same addresses are those of others.
        let netns = facts.netns().map_or(0, |netns| netns.number);
        let hash = |end: SocketAddr| {
            let address = match end.ip() {
                IpAddr::V4(v4) => u128::from(v4.to_bits()),
                IpAddr::V6(v6) => v6.to_bits(),
            };
            let hash = hasher.hash_one((address, u64::from(netns) << 16 | u64::from(end.port())));
            // Half of it will do: a key has two.
            hash.to_ne_bytes().first_chunk().map_or(0, |half| u32::from_ne_bytes(*half))
        };
        Self { local: hash(facts.socket.local()), remote: hash(facts.socket.remote()) }
    }

    /// A hash of both. Many sockets have one of them in common, so that each half needs more than that.
    pub(crate) fn hash(self) -> u64 {
        u64::from(self.local) << u32::BITS | u64::from(self.local ^ self.remote)
    }

    /// Those that the socket of the other end has.
    pub(crate) const fn swapped(self) -> Self {
        Self { local: self.remote, remote: self.local }
    }
}

impl Kept {
    /// The state.
    pub(super) const fn state(&self) -> State {
        self.state
    }

    /// A value, in the kernel's unit.
    pub(super) fn count(&self, value: AtHand) -> Option<u64> {
        self.values.get(value as usize).copied().filter(|value| *value != ABSENT)
    }

    /// A value, in its metric's base unit.
    #[expect(clippy::cast_precision_loss, reason = "Prometheus stores floats")]
    pub(super) fn figure(&self, value: AtHand) -> Option<f64> {
        let per_unit = AT_HAND.get(value as usize)?.source.per_unit();
        self.count(value).map(|count| count as f64 / per_unit)
    }
}

impl KeptSockets {
    /// None yet, and room for some of a protocol.
    pub(super) fn within(room: usize, protocol: &Protocol) -> Self {
        let has = AT_HAND.map(|metric| metric.source.is_of(protocol));
        Self {
            has,
            hasher: DefaultHashBuilder::default(),
            replies: Vec::new(),
            sockets: Vec::new(),
            room,
            left_out: 0,
            in_state: Vec::new(),
        }
    }

    /// How many are kept.
    pub(super) const fn len(&self) -> usize {
        self.sockets.len()
    }

    /// How many are in a state, whether they are kept or not.
    pub(super) fn in_state(&self, state: State) -> u64 {
        self.in_state.get(state as usize).copied().unwrap_or_default()
    }

    /// How much is kept.
    pub(super) const fn size(&self) -> Size {
        Size { rows: self.sockets.len(), bytes: self.replies.len() }
    }

    /// Makes room at once for as much as was kept the last time, and some more.
    pub(super) fn expect(&mut self, before: Size) {
        let more = |number: usize| number + number / 16;
        let bytes = more(before.bytes).min(self.room);
        self.replies.reserve(bytes);
        self.sockets.reserve(more(before.rows).min(self.room / size_of::<Kept>()));
    }

    /// Keeps a socket, if there is room.
    pub(super) fn put(&mut self, facts: &Facts<'_>) {
        let (reply, state) = (facts.socket.reply(), facts.state as usize);
        if self.in_state.len() <= state {
            self.in_state.resize(state + 1, 0);
        }
        self.in_state.get_mut(state).into_iter().for_each(|count| *count += 1);
        let bytes = reply.len() + size_of::<Kept>();
        // A short one is not kept after a long one was left out.
        if self.left_out > 0 || bytes > self.room {
            self.left_out += 1;
            return;
        }
        self.room -= bytes;
        let mut values = read(facts.socket);
        for (value, has) in values.iter_mut().zip(self.has) {
            *value = if has { *value } else { ABSENT };
        }
        self.replies.extend_from_slice(reply);
        self.sockets.push(Kept {
            end: self.replies.len(),
            identity: facts.identity(),
            owner: facts.ownership.owner.cloned(),
            peer: facts.ownership.peer.cloned(),
            ends: HashedEnds::of(facts, &self.hasher),
            netns: facts.netns().map_or(0, |netns| netns.number),
            client_ports: facts.client_ports,
            state: facts.state,
            direction: facts.direction,
            bottleneck: facts.bottleneck,
            values,
        });
    }

    /// The reply about a socket, and what is known beside it.
    pub(super) fn get(&self, number: usize) -> Option<(&[u8], &Kept)> {
        let kept = self.sockets.get(number)?;
        let start = number.checked_sub(1).map_or(Some(0), |before| Some(self.sockets.get(before)?.end))?;
        Some((self.replies.get(start..kept.end)?, kept))
    }
}

/// What names mean that are not in replies.
#[derive(Debug, Default)]
pub(super) struct ListedNames {
    configured: Arc<ConfiguredNames>,
    users: Option<Users>,
    netns: HashMap<u32, Netns>,
    cgroups: HashMap<u64, Cgroup>,
    /// By the number of the namespace and the index.
    interfaces: HashMap<(u32, u32), Option<String>>,
    /// The namespace and the cgroup of the last socket.
    last: Option<(u32, Option<u64>)>,
}

impl ListedNames {
    /// Those of a configuration.
    pub(super) fn of(configured: Arc<ConfiguredNames>) -> Self {
        Self { configured, ..Self::default() }
    }

    /// Notes the names of a socket that a view shows.
    pub(super) fn note(&mut self, facts: &Facts<'_>, view: &View) {
        let (number, cgroup) = (facts.netns().map_or(0, |netns| netns.number), facts.socket.cgroup());
        if self.last.replace((number, cgroup)) != Some((number, cgroup)) {
            self.users = self.users.take().or_else(|| facts.names.users.cloned());
            if let Some(netns) = facts.netns() {
                self.netns.entry(number).or_insert_with(|| netns.clone());
            }
            if let Some((id, cgroup)) = cgroup.zip(facts.ownership.cgroup) {
                self.cgroups.entry(id).or_insert_with(|| cgroup.clone());
            }
        }
        if let Some(index) = facts.socket.interface().filter(|_| view.by.contains(&Property::Interface)) {
            self.interfaces.entry((number, index)).or_insert_with(|| (facts.names.interface)(index));
        }
    }

    /// Reads the facts about a socket.
    pub(super) fn read<T>(&self, socket: &Socket<'_>, kept: &Kept, read: impl FnOnce(&Facts<'_>) -> T) -> T {
        let interface = |index| self.interfaces.get(&(kept.netns, index)).cloned().flatten();
        let names = Names { configured: &self.configured, interface: &interface, users: self.users.as_ref() };
        let ownership = Ownership {
            owner_id: OwnerId::NO_PROCESS,
            owner: kept.owner.as_ref(),
            peer: kept.peer.as_ref(),
            cgroup: socket.cgroup().and_then(|id| self.cgroups.get(&id)),
            netns: self.netns.get(&kept.netns),
        };
        let Kept { direction, client_ports, bottleneck, .. } = *kept;
        read(&Facts { direction, client_ports, bottleneck, ..Facts::of_dump(socket, ownership, names) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::TCP;
    use testkit::reply::Reply;

    #[test]
    fn a_room_in_bytes_holds_and_each_socket_is_kept_or_counted() {
        let end = |port| std::net::SocketAddr::from(([127, 0, 0, 1], port));
        for expected in [0, 100, 10_000] {
            let mut all = KeptSockets::within(100 << 10, &TCP);
            let memory = allocation_counter::measure(|| {
                all.expect(Size { rows: expected, bytes: 400 * expected });
                for cookie in 1..10_000 {
                    let reply = Reply::new(State::Established, end(1), end(2)).cookie(cookie).info(&[]);
                    let socket = TCP.parse(reply.bytes()).expect("a socket");
                    all.put(&Facts::of_dump(&socket, Ownership::default(), Names::NONE));
                }
            });
            assert_eq!((all.len() + all.left_out, all.in_state(State::Established)), (9_999, 9_999));
            assert!((200..300).contains(&all.len()), "{}", all.len());
            let (last, _) = all.get(all.len() - 1).expect("a socket");
            let last = TCP.parse(last).expect("a socket");
            assert_eq!((last.cookie(), last.remote()), (all.len() as u64, end(2)));
            // Vectors that grow take up to twice of what they hold, and thrice while they are moved.
            assert!(memory.bytes_max < 3 * (100 << 10), "{}", memory.bytes_max);
        }
    }
}
