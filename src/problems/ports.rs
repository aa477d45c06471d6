//! Local ports in use towards each remote endpoint.

use std::net::SocketAddr;

use hashbrown::HashMap;

use super::Problem;
use super::rules::LOCAL_PORTS;
use crate::listing::SocketList;
use crate::view::PROTOCOL;
use sockdiag::State;

/// The endpoints towards which many of the ports for clients are in use, the ones with the most first.
pub(super) fn problems(sockets: &SocketList, client_ports: (u16, u16)) -> Vec<Problem> {
    let (first, last) = client_ports;
    let share = |used: usize| {
        let used = u32::try_from(used).map_or(f64::MAX, f64::from);
        used / (f64::from(last.saturating_sub(first)) + 1.0)
    };
    let is_problem = |used: usize| LOCAL_PORTS.is_met([share(used)]);
    if !is_problem(sockets.len()) {
        return Vec::new();
    }
    let mut used: HashMap<SocketAddr, usize> = HashMap::new();
    let with_ends = sockets.iter().filter(|socket| socket.protocol().header.internet);
    for socket in with_ends.filter(|socket| socket.state() != State::Listen) {
        let Some(socket) = socket.socket() else { continue };
        if (first..=last).contains(&socket.local().port()) {
            *used.entry(socket.remote()).or_default() += 1;
        }
    }
    let mut many: Vec<_> = used.into_iter().filter(|(_, used)| is_problem(*used)).collect();
    many.sort_by(|(end, one), (other_end, other)| other.cmp(one).then(end.cmp(other_end)));
    let problem = |(end, used): (SocketAddr, usize)| Problem {
        rule: &LOCAL_PORTS,
        title: format!("Local ports run out towards {end}"),
        detail: format!(
            "{used} sockets use {:.0} % of the ports from {first} to {last}. At 100 %, connect fails.",
            share(used) * 100.0
        ),
        filter: Some((PROTOCOL.name, format!("dst {end}"))),
    };
    many.into_iter().map(problem).collect()
}
