//! Many loopback connections, half of them IPv6, held by child processes of the running program.
//!
//! Each child needs two file descriptors a connection, so that a big load takes several. The program
//! calls [`hold`] first thing when [`is_child`] says so.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Tells a child how many connections to hold, and of which family.
const CHILD: &str = "SS_EXPORTER_HOLD";
/// The most connections of one child.
const MOST: usize = 8_000;

/// The children that hold the connections; dropping it lets go of them.
pub struct Load(Vec<Child>);

impl Load {
    /// Opens that many connections and returns when all are established.
    ///
    /// # Errors
    /// If a child cannot be started or cannot open its share.
    pub fn start(connections: usize) -> io::Result<Self> {
        let mut load = Self(Vec::new());
        let mut left = connections;
        while left > 0 {
            let share = left.min(MOST.min(connections.div_ceil(2)));
            let family = if load.0.len().is_multiple_of(2) { "4" } else { "6" };
            let child = Command::new(std::env::current_exe()?)
                .env(CHILD, format!("{share} {family}"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            load.0.push(child);
            left -= share;
        }
        for child in &mut load.0 {
            let mut line = String::new();
            if let Some(out) = child.stdout.as_mut() {
                BufReader::new(out).read_line(&mut line)?;
            }
            if line.trim() != "ready" {
                return Err(io::Error::other("a child could not open its connections"));
            }
        }
        Ok(load)
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Whether this process is one of the children.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Holds a child's share of the connections until its standard input ends.
///
/// # Errors
/// If a connection cannot be opened.
pub fn hold() -> io::Result<()> {
    let (count, family) = share().ok_or_else(|| io::Error::other("the share is no number and family"))?;
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    let address: SocketAddr = match family.as_str() {
        "6" => (Ipv6Addr::LOCALHOST, 0).into(),
        _ => (Ipv4Addr::LOCALHOST, 0).into(),
    };
    let listener = TcpListener::bind(address)?;
    let address = listener.local_addr()?;
    let mut held = Vec::with_capacity(count);
    for _ in 0..count {
        let mut client = TcpStream::connect(address)?;
        let (mut server, _) = listener.accept()?;
        // Something to acknowledge, for a round-trip time on both sides.
        client.write_all(b"ping")?;
        server.read_exact(&mut [0; 4])?;
        server.write_all(b"pong")?;
        client.read_exact(&mut [0; 4])?;
        held.push((client, server));
    }
    let mut out = io::stdout();
    writeln!(out, "ready")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn share() -> Option<(usize, String)> {
    let share = std::env::var(CHILD).ok()?;
    let (count, family) = share.split_once(' ')?;
    Some((count.parse().ok()?, family.to_owned()))
}
