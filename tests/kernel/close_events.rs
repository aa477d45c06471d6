//! Close events of several protocols.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, UdpSocket};
use std::time::Duration;

use sockdiag::{CloseEvents, Events, Extensions, Protocol, TCP, UDP};

use super::{Pair, enter};

/// `SKNLGRP_INET_UDP_DESTROY` (2) and `SKNLGRP_INET6_UDP_DESTROY` (4) as a mask.
const DESTROY: u32 = 1 << 1 | 1 << 3;
const DATAGRAMS: Protocol = Protocol {
    name: "udp",
    close_events: Some(CloseEvents { groups: DESTROY, carry: Extensions::NONE }),
    ..TCP
};

#[test]
fn a_close_event_is_of_the_protocol_to_whose_group_the_kernel_sends_it() {
    if enter() {
        return;
    }
    for protocols in [[&DATAGRAMS, &TCP], [&TCP, &DATAGRAMS]] {
        let mut events = Events::subscribe(&protocols, 1 << 20, false).expect("a subscription");
        let (first, second) = (UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)), Pair::at(Ipv4Addr::LOCALHOST));
        let datagrams = first.expect("a socket");
        let ports = [&second.client.local_addr(), &datagrams.local_addr()]
            .map(|address| address.as_ref().expect("bound").port());
        datagrams.connect((Ipv4Addr::LOCALHOST, 9)).expect("a peer");
        drop((datagrams, second));
        let mut names = [None, None];
        while names.contains(&None) {
            events.wait(None).expect("events");
            assert!(!events.read().expect("events"), "room");
            for (_, socket) in events.sockets() {
                if let Some(place) = ports.iter().position(|port| *port == socket.local().port()) {
                    names[place] = Some(socket.protocol().name);
                }
            }
        }
        assert_eq!(names, [Some("tcp"), Some("udp")]);
    }
}

/// The protocols of the events about a connection and a datagram socket that close now, while these protocols are followed.
fn closed(events: &mut Events, followed: &[&'static Protocol]) -> BTreeSet<&'static str> {
    events.queue().follow(followed).expect("a subscription");
    let pair = Pair::at(Ipv4Addr::LOCALHOST);
    let datagrams = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a socket");
    let ports =
        [pair.client.local_addr(), datagrams.local_addr()].map(|address| address.expect("bound").port());
    drop((pair, datagrams));
    let mut names = BTreeSet::new();
    // Without a protocol to wait for, as long as an event may take.
    while names.len() < followed.len() || followed.is_empty() {
        let patience = followed.is_empty().then_some(Duration::from_millis(300));
        if !events.wait(patience).expect("events") {
            break;
        }
        assert!(!events.read().expect("events"), "room");
        let of_these = events.sockets().filter(|(_, socket)| ports.contains(&socket.local().port()));
        names.extend(of_these.map(|(_, socket)| socket.protocol().name));
    }
    names
}

#[test]
fn a_queue_has_the_events_of_the_protocols_that_it_follows_now_and_of_no_others() {
    if enter() {
        return;
    }
    let mut events = Events::subscribe(&[&TCP], 1 << 20, false).expect("a subscription");
    for followed in [&[&TCP][..], &[&UDP], &[&TCP, &UDP], &[], &[&UDP]] {
        let expected: BTreeSet<_> = followed.iter().map(|protocol| protocol.name).collect();
        assert_eq!(closed(&mut events, followed), expected);
    }
}
