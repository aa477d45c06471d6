//! The promise that no byte is lost, against connections of known sizes. Each test runs in its own network namespace,
//! one after the other.

mod batches;
mod bytes;
mod counted;
mod datagrams;
mod directions;
mod dumps;
mod flood;
mod halves;
mod held;
mod listeners;
mod lost;
mod mptcp;
mod older;
mod open_connections;
mod reloads;
mod reuse;
mod rows;
mod scrapers;
mod scrapes;
mod shared;
mod silent;
mod start;
mod starved;
mod truth;

use std::net::{SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, connect, socket_with};
use testkit::load::open_many_files;
use testkit::netns::{enter_in_turn as enter, test_name as name};

/// Sets a variable of the network namespace.
fn sysctl(name: &str, value: &str) {
    let path = format!("/proc/sys/net/ipv4/{name}");
    std::fs::write(&path, value).unwrap_or_else(|error| panic!("{path}: {error}"));
}

/// Connects from an IPv4 address and port.
fn connect_from(source: SocketAddr, to: SocketAddr) -> TcpStream {
    let client = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None);
    let client = client.expect("a socket");
    bind(&client, &source).unwrap_or_else(|error| panic!("{source}: {error}"));
    connect(&client, &to).unwrap_or_else(|error| panic!("{source} to {to}: {error}"));
    client.into()
}
