//! Lists for tests.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::{Detail, ListedSockets, SocketList, States};
use crate::attribute::{Cgroup, ConfiguredNames, Direction, Netns, Networks, Owner, Ownership, Process};
use crate::bottleneck::Bottleneck;
use crate::config::Collect;
use crate::facts::{Facts, Names};
use crate::metrics::{Quantity, named};
use crate::properties::Property;
use crate::select::Expression;
use crate::view::PROTOCOL;
use sockdiag::{Attribute, Field, State, queues};
use testkit::reply::Reply;

/// `INET_DIAG_SKMEMINFO`.
const MEMORY: u16 = 7;
/// `INET_DIAG_CGROUP_ID`.
const CGROUP: u16 = 21;

/// The texts and the values of a socket.
type Made<'a> = (&'a [(Property, &'a str)], &'a [(&'a str, u64)]);

impl SocketList {
    /// Connections of TCP with these texts and values in the kernel's units. What has no text is `established`, 0 or unknown.
    pub(crate) fn made(sockets: &[Made<'_>]) -> Self {
        let networks = sockets.iter().filter_map(|(texts, _)| {
            let network = text(texts, Property::RemoteNetwork);
            (!network.is_empty()).then(|| (ends(texts)[1].ip().into(), network.to_owned()))
        });
        let networks = Networks::new(networks.collect(), None, None);
        let names = Arc::new(ConfiguredNames { networks, ..ConfiguredNames::default() });
        let all = ListedSockets::of(&[PROTOCOL], States::All, Expression::Always);
        let plan = super::plan(all, &Detail::Glance, names, Collect::DEFAULT);
        Self::made_by(&plan, |add| {
            for ((texts, values), number) in sockets.iter().zip(1..) {
                put(texts, values, number, add);
            }
        })
    }
}

fn put(texts: &[(Property, &str)], values: &[(&str, u64)], number: u32, add: &mut dyn FnMut(&Facts<'_>)) {
    let text = |label| text(texts, label);
    let state = State::ALL.into_iter().find(|state| state.name() == text(Property::State));
    let [local, remote] = ends(texts);
    let cookie = u32::from_str_radix(text(Property::Cookie), 16).unwrap_or(number);
    let reply = Reply::new(state.unwrap_or(State::Established), local, remote).cookie(cookie).inode(number);
    let reply = reply.attribute(CGROUP, &u64::from(number).to_ne_bytes());
    let reply = with_values(reply, values).into_bytes();
    let socket = PROTOCOL.parse(&reply).expect("a socket");
    let (process, pid) = (text(Property::Process), text(Property::Pid).parse().unwrap_or_default());
    let owner = (!process.is_empty())
        .then(|| Arc::new(Owner::of(vec![Process::new(pid, process.to_owned(), String::new())])));
    let cgroup = Cgroup::named(text(Property::Unit), text(Property::ContainerId));
    let netns = Netns::default();
    let ownership = Ownership {
        owner: owner.as_ref(),
        cgroup: Some(&cgroup),
        netns: Some(&netns),
        ..Ownership::default()
    };
    let mut facts = Facts::of_dump(&socket, ownership, Names::NONE);
    facts.bottleneck = Bottleneck::named(text(Property::Bottleneck));
    let directions = [Direction::Inbound, Direction::Outbound];
    facts.direction = directions.into_iter().find(|one| one.name() == text(Property::Direction));
    add(&facts);
}

fn text<'a>(texts: &[(Property, &'a str)], label: Property) -> &'a str {
    texts.iter().find(|(one, _)| *one == label).map_or("", |(_, text)| *text)
}

/// The local and the remote end.
fn ends(texts: &[(Property, &str)]) -> [SocketAddr; 2] {
    let address = |label| text(texts, label).parse().unwrap_or(IpAddr::from([0, 0, 0, 0]));
    let addresses = [Property::LocalAddress, Property::RemoteAddress].map(address);
    let is_v6 = addresses.iter().any(IpAddr::is_ipv6);
    let addresses = addresses.map(|address| match address {
        IpAddr::V4(v4) if is_v6 => IpAddr::V6(v4.to_ipv6_mapped()),
        address => address,
    });
    let [local, remote] = [Property::LocalPort, Property::RemotePort]
        .map(|label| text(texts, label).parse().unwrap_or_default());
    [SocketAddr::new(addresses[0], local), SocketAddr::new(addresses[1], remote)]
}

/// A reply with the values of metrics.
fn with_values(reply: Reply, values: &[(&str, u64)]) -> Reply {
    let metrics = || values.iter().map(|(name, value)| (named(name), *value));
    let fields = metrics().filter_map(|(metric, value)| match metric.source.quantity {
        Quantity::Field(field) | Quantity::Refused(field) | Quantity::OrOneMore(field, _) => {
            Some((field, value))
        }
        _ => None,
    });
    let fields: Vec<_> = fields.collect();
    let known =
        |wanted: &Field| fields.iter().find(|(field, _)| *field == wanted).map_or(0, |(_, value)| *value);
    let differences = metrics().filter_map(|(metric, value)| match metric.source.quantity {
        Quantity::Difference(field, less) => Some((field, value + known(less))),
        _ => None,
    });
    let all: Vec<_> = fields.iter().copied().chain(differences).collect();
    let of = |wanted: &Field| all.iter().find(|(field, _)| *field == wanted).map_or(0, |(_, value)| *value);
    let [receive, send] =
        [&queues::RQUEUE, &queues::WQUEUE].map(|field| u32::try_from(of(field)).expect("32 bits"));
    let (info, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(field, _)| field.attribute == Attribute::Info);
    let reply = if info.is_empty() { reply } else { reply.info(&info) };
    let of_memory: Vec<_> =
        others.into_iter().filter(|(field, _)| field.attribute == Attribute::Memory).collect();
    let mut memory = [0; 36];
    for (field, value) in &of_memory {
        let value = u32::try_from(*value).expect("32 bits");
        memory[field.offset..field.end()].copy_from_slice(&value.to_ne_bytes());
    }
    let reply = if of_memory.is_empty() { reply } else { reply.attribute(MEMORY, &memory) };
    reply.queues(receive, send)
}
