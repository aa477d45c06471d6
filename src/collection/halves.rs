//! Dumps in two halves at once: when they are worth it, and where to halve the next one.
//!
//! A dump of a protocol's sockets shows where their halves meet. The next one in that network namespace uses it.

use std::time::Instant;

use hashbrown::HashMap;

use sockdiag::{DumpError, DumpStats, Ports, Request, Socket, Transport, dump, dump_in_halves};

/// Sockets of a dump from which on it is halved. The kernel walks its table and checks each socket twice then, which takes 8 to
/// 15 % more CPU time. 10,000 sockets take 10 ms, and 6 in halves; with fewer, the time to save is short (docs/dev/cost.md).
pub(super) const WORTH_HALVING: u64 = 10_000;
/// One in this many sockets is in the sample: of a dump that is halved, more than 150. The halves then differ by a tenth.
const SAMPLED: u64 = 64;

/// Where the halves of the last complete dumps met, of those that are worth halving. By the number of the namespace and the
/// name of the protocol.
pub(super) type Halves = HashMap<(u32, &'static str), Ports>;

/// Dumps through the first transport, and has `each` read all sockets `into` something.
///
/// If there is a transport for a half, the halves met `at` these ports and the host makes two `dumps_at_once`, each of the
/// transports has a half. Afterwards `at` is where the halves meet now, if they are worth it.
pub(super) fn dump_halved<T: Transport, S: Send + 'static>(
    (transport, for_half): (T, Option<T>),
    request: &Request,
    at: &mut Option<Ports>,
    dumps_at_once: impl FnOnce() -> bool,
    until: Instant,
    into: S,
    mut each: impl FnMut(&mut S, &[Socket<'_>]) + Send + 'static,
) -> (S, Result<DumpStats, DumpError>) {
    let last = at.take();
    let Some(for_half) = for_half else { return dump(transport, request, until, into, each) };
    let into = (into, Sample::default());
    let each = move |(into, sample): &mut (S, Sample), sockets: &[Socket<'_>]| {
        for socket in sockets {
            sample.add(socket);
        }
        each(into, sockets);
    };
    let ((into, sample), dumped) = match last.filter(|_| dumps_at_once()) {
        Some(last) => dump_in_halves([transport, for_half], request, last, until, into, each),
        None => dump(transport, request, until, into, each),
    };
    *at = sample.middle().filter(|_| dumped.is_ok());
    (into, dumped)
}

/// The ports of some of the sockets of a dump.
#[derive(Debug, Default)]
struct Sample {
    sockets: u64,
    ports: Vec<Ports>,
}

impl Sample {
    #[inline]
    fn add(&mut self, socket: &Socket<'_>) {
        if self.sockets.is_multiple_of(SAMPLED) {
            self.ports.push((socket.local().port(), socket.remote().port()));
        }
        self.sockets += 1;
    }

    /// Where the halves of the sockets meet; `None` if there are too few, or if too many have the same ports.
    fn middle(mut self) -> Option<Ports> {
        let middle = self.ports.len() / 2;
        if self.sockets < WORTH_HALVING {
            return None;
        }
        let (before, at, _) = self.ports.select_nth_unstable(middle);
        let lower = before.iter().filter(|ports| *ports < at).count();
        (lower >= middle / 2).then_some(*at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(sockets: u64, ports: impl IntoIterator<Item = Ports>) -> Sample {
        Sample { sockets, ports: ports.into_iter().collect() }
    }

    #[test]
    fn the_halves_of_connections_to_one_port_meet_among_the_ports_of_the_clients() {
        let shuffled = (0..1000_u16).map(|number| (443, 32_768 + number * 7 % 1000));
        assert_eq!(sample(WORTH_HALVING, shuffled.clone()).middle(), Some((443, 33_268)));
        let both_ends = shuffled.flat_map(|(server, client)| [(server, client), (client, server)]);
        assert_eq!(sample(WORTH_HALVING, both_ends).middle(), Some((32_768, 443)));
    }

    #[test]
    fn a_dump_of_few_sockets_or_of_one_pair_of_ports_is_not_halved() {
        let ports = (0..1000_u16).map(|number| (443, number));
        assert_eq!(sample(WORTH_HALVING - 1, ports).middle(), None);
        let same = std::iter::repeat_n((7000, 9000), 900);
        assert_eq!(sample(WORTH_HALVING, same.chain((0..100).map(|number| (443, number)))).middle(), None);
    }
}
