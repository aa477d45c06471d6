//! The ports that actors connect to, held by the test's own process.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

/// The first of them: none that the kernel gives to a client.
pub const FIRST: u16 = 20_000;

/// What selects the actors' ends of connections.
pub const CLIENTS: &str = "direction = outbound and dport >= 20000 and dport < 30000";

/// Listeners on `count` successive ports.
pub fn open(count: u16) -> Vec<TcpListener> {
    let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port");
    (FIRST..FIRST + count).map(bind).collect()
}

/// Accepts `count` connections.
pub fn accept(listener: &TcpListener, count: usize) -> Vec<TcpStream> {
    (0..count).map(|_| listener.accept().expect("a connection").0).collect()
}
