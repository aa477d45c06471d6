//! Close events of several protocols.

use std::net::{Ipv4Addr, UdpSocket};

use sockdiag::{CloseEvents, Events, Extensions, Protocol, TCP};

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
