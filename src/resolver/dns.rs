//! Asks the DNS servers of `resolv.conf(5)` for the addresses of a name, as the C library does.
//!
//! A static program has no C library that could be asked: its name service loads shared objects at run time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use aws_lc_rs::rand;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::timeout;

use message::DnsReply;
pub(super) use message::Family;
pub(super) use servers::ResolvConf;

mod message;
mod servers;

/// The length of an answer over UDP (RFC 1035, section 4.2.1); a longer one is asked for over TCP.
const DATAGRAM: usize = 512;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum DnsError {
    #[error("{0} does not answer")]
    Silent(SocketAddr),
    #[error("{0} cannot be asked: {1}")]
    Unreachable(SocketAddr, io::Error),
    #[error("{0} answers with the error code {1} (RFC 1035, section 4.1.1)")]
    Refused(SocketAddr, u8),
    #[error("the name is too long for DNS")]
    TooLong,
}

/// The addresses of one family that the name has; empty if DNS knows none.
///
/// # Errors
/// If no server answers.
pub(super) async fn lookup(conf: &ResolvConf, name: &str, family: Family) -> Result<Vec<IpAddr>, DnsError> {
    let mut failure = None;
    for name in conf.candidates(name) {
        match ask_servers(conf, &name, family).await {
            Ok(addresses) if addresses.is_empty() => {}
            Ok(addresses) => return Ok(addresses),
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(Vec::new()), Err)
}

/// Asks one server after another until one answers.
async fn ask_servers(conf: &ResolvConf, name: &str, family: Family) -> Result<Vec<IpAddr>, DnsError> {
    let mut failure = DnsError::TooLong;
    for _ in 0..conf.attempts {
        for &server in &conf.servers {
            match timeout(conf.timeout, ask(server, name, family)).await {
                Ok(Ok(addresses)) => return Ok(addresses),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = DnsError::Silent(server),
            }
        }
    }
    Err(failure)
}

async fn ask(server: SocketAddr, name: &str, family: Family) -> Result<Vec<IpAddr>, DnsError> {
    let unreachable = |error| DnsError::Unreachable(server, error);
    let mut id = [0; 2];
    rand::fill(&mut id).map_err(|_| unreachable(io::Error::other("the kernel gives no random numbers")))?;
    let query = message::query(id, name, family).ok_or(DnsError::TooLong)?;
    let reply = match over_udp(server, &query, family).await.map_err(unreachable)? {
        DnsReply::Truncated => over_tcp(server, &query, family).await.map_err(unreachable)?,
        reply => reply,
    };
    match reply {
        DnsReply::Addresses(addresses) => Ok(addresses),
        DnsReply::Refused(code) => Err(DnsError::Refused(server, code)),
        // Over TCP nothing is.
        DnsReply::Truncated => Err(DnsError::Silent(server)),
    }
}

/// Waits for what answers the query, and ignores whatever else arrives.
async fn over_udp(server: SocketAddr, query: &[u8], family: Family) -> io::Result<DnsReply> {
    let any: IpAddr =
        if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0)).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = [0; DATAGRAM];
    loop {
        let length = socket.recv(&mut buffer).await?;
        if let Some(reply) = buffer.get(..length).and_then(|reply| message::read(reply, query, family)) {
            return Ok(reply);
        }
    }
}

async fn over_tcp(server: SocketAddr, query: &[u8], family: Family) -> io::Result<DnsReply> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).map_err(io::Error::other)?;
    stream.write_all(&[&length.to_be_bytes(), query].concat()).await?;
    let mut reply = vec![0; stream.read_u16().await?.into()];
    stream.read_exact(&mut reply).await?;
    message::read(&reply, query, family).ok_or_else(|| io::Error::other("its answer cannot be read"))
}
