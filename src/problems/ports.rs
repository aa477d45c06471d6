//! Local ports in use towards each remote endpoint.

use hashbrown::HashMap;

use super::Problem;
use super::ends::{endpoint, is_within};
use super::rules::LOCAL_PORTS;
use crate::exposition::LabelValue;
use crate::listing::SocketList;
use crate::properties::Property;
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
    let mut used: HashMap<[&[u8]; 2], usize> = HashMap::new();
    for index in 0..sockets.len() {
        let label = |label| sockets.label(index, label);
        let listens =
            label(Property::State).is_some_and(|state| state.bytes == State::Listen.name().as_bytes());
        let port = label(Property::LocalPort).map(LabelValue::text).unwrap_or_default();
        let remote = label(Property::RemoteAddress).zip(label(Property::RemotePort));
        if let Some((address, port)) = remote.filter(|_| !listens && is_within(client_ports, &port)) {
            *used.entry([address.bytes, port.bytes]).or_default() += 1;
        }
    }
    let mut many: Vec<_> = used.into_iter().filter(|(_, used)| is_problem(*used)).collect();
    many.sort_by(|(end, one), (other_end, other)| other.cmp(one).then(end.cmp(other_end)));
    let problem = |(end, used): ([&[u8]; 2], usize)| {
        let [address, port] = end.map(String::from_utf8_lossy);
        let end = endpoint(&address, &port);
        Problem {
            rule: &LOCAL_PORTS,
            title: format!("Local ports run out towards {end}"),
            detail: format!(
                "{used} sockets use {:.0} % of the ports from {first} to {last}. At 100 %, connect fails.",
                share(used) * 100.0
            ),
            filter: Some((PROTOCOL.name, format!("dst {end}"))),
        }
    };
    many.into_iter().map(problem).collect()
}
