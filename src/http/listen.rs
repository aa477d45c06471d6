//! Listening sockets, and the advice when one cannot be made.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use tokio::net::TcpListener;

/// The accept queue's limit: connections that the kernel completes before they are accepted.
const BACKLOG: i32 = 1024;

/// Why nothing listens at an address.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {source}{}", advice(.address, .source))]
pub struct BindError {
    address: SocketAddr,
    source: io::Error,
}

fn advice(address: &SocketAddr, error: &io::Error) -> &'static str {
    match Errno::from_io_error(error).unwrap_or(Errno::IO) {
        Errno::ADDRINUSE => "; another program listens there: stop it or choose another port",
        Errno::ACCESS => {
            "; ports below 1024 need the capability CAP_NET_BIND_SERVICE: choose a higher port or grant it"
        }
        Errno::ADDRNOTAVAIL => "; this host has no such address: choose one that `ip address` shows",
        Errno::NODEV => "; this host has no such interface: choose one that `ip link` shows",
        Errno::AFNOSUPPORT => "; this host has IPv6 switched off: choose an IPv4 address, such as 0.0.0.0",
        Errno::INVAL if is_link_local(address) => {
            "; a link-local address needs its interface: write [ADDRESS%INTERFACE]:PORT"
        }
        _ => "",
    }
}

fn is_link_local(address: &SocketAddr) -> bool {
    matches!(address, SocketAddr::V6(address) if address.ip().is_unicast_link_local())
}

/// Binds to `address`; `[::]` accepts IPv4 as well, whatever the host's default. To be called inside the runtime.
///
/// # Errors
///
/// When the kernel refuses; the error names the address and what to do.
pub fn bind(address: SocketAddr) -> Result<TcpListener, BindError> {
    try_bind(address).map_err(|source| BindError { address, source })
}

/// Binds to every address of this host: `[::]`, or `0.0.0.0` where IPv6 is switched off. To be called inside the runtime.
///
/// # Errors
///
/// When the kernel refuses both; the error is about the one that was meant to work.
pub fn bind_default(port: u16) -> Result<TcpListener, BindError> {
    match bind(SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), port)) {
        Err(error) if lacks_ipv6(&error.source) => {
            bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), port))
        }
        other => other,
    }
}

fn lacks_ipv6(error: &io::Error) -> bool {
    matches!(Errno::from_io_error(error), Some(Errno::AFNOSUPPORT | Errno::ADDRNOTAVAIL))
}

fn try_bind(address: SocketAddr) -> io::Result<TcpListener> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    // A restart must not wait for the connections of the previous run to leave TIME_WAIT.
    sockopt::set_socket_reuseaddr(&socket, true)?;
    if address.is_ipv6() && address.ip().is_unspecified() {
        sockopt::set_ipv6_v6only(&socket, false)?;
    }
    rustix::net::bind(&socket, &address)?;
    TcpListener::from_std(socket.into())
}

/// Lets clients connect to what was bound.
///
/// # Errors
///
/// When the kernel refuses; the error names the address and what to do.
pub fn listen(listener: &TcpListener) -> Result<(), BindError> {
    let failed = |error: Errno| {
        let address = listener.local_addr().unwrap_or_else(|_| (Ipv4Addr::UNSPECIFIED, 0).into());
        BindError { address, source: error.into() }
    };
    rustix::net::listen(listener, BACKLOG).map_err(failed)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[tokio::test]
    async fn the_default_address_accepts_ipv4_and_ipv6() {
        let listener = bind_default(0).expect("a port");
        listen(&listener).expect("a listener");
        let port = listener.local_addr().expect("its address").port();
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a connection");
        if listener.local_addr().is_ok_and(|address| address.is_ipv6()) {
            TcpStream::connect((Ipv6Addr::LOCALHOST, port)).expect("a connection");
        }
    }

    #[tokio::test]
    async fn a_taken_port_is_named_with_what_to_do() {
        let first = bind(SocketAddr::from(([127, 0, 0, 1], 0))).expect("a port");
        listen(&first).expect("a listener");
        let address = first.local_addr().expect("its address");
        let said = bind(address).expect_err("taken").to_string();
        assert!(said.contains(&address.to_string()) && said.contains("choose another port"), "{said}");
    }

    #[tokio::test]
    async fn an_address_of_another_host_is_explained() {
        let said = bind(SocketAddr::from(([192, 0, 2, 1], 0))).expect_err("not ours").to_string();
        assert!(said.contains("192.0.2.1:0") && said.contains("no such address"), "{said}");
    }

    #[tokio::test]
    async fn a_link_local_address_without_its_interface_is_explained() {
        let said = bind("[fe80::5]:0".parse().expect("an address")).expect_err("which link?").to_string();
        assert!(said.contains("[fe80::5]:0") && said.contains("%INTERFACE"), "{said}");
        let said =
            bind("[fe80::5%4000000000]:0".parse().expect("an address")).expect_err("no link").to_string();
        assert!(said.contains("no such interface"), "{said}");
    }

    #[test]
    fn only_missing_ipv6_falls_back_to_ipv4() {
        assert!(lacks_ipv6(&Errno::AFNOSUPPORT.into()));
        assert!(!lacks_ipv6(&Errno::ADDRINUSE.into()) && !lacks_ipv6(&Errno::ACCESS.into()));
    }
}
