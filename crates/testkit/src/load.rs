//! Many loopback connections, half of them IPv6, held by child processes of the running program.
//!
//! Each child needs two file descriptors per connection, so a big load takes several. One in a hundred connections is to
//! [`RARE_PORT`] in [`RARE_NETWORK`], for selections. If [`is_child`] says so, the program's `main` calls [`hold`] and
//! ends.

use std::collections::VecDeque;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Tells a child how many connections to hold, and of which family.
const CHILD: &str = "SS_EXPORTER_HOLD";
/// The local port of the listeners for one in a hundred connections.
pub const RARE_PORT: u16 = 7411;
/// The network of their local addresses.
pub const RARE_NETWORK: &str = "127.1.0.0/16";
/// One in this many IPv4 connections is to that port. IPv4 has half of all.
const RARE: usize = 50;
/// The maximum of connections per child.
const MOST: usize = 8_000;
/// The line of a child that has done its work.
const READY: &str = "ready";

/// The children that hold the connections; dropping it lets go of them.
pub struct Load(Vec<Holder>);

struct Holder {
    child: Child,
    out: BufReader<ChildStdout>,
    connections: usize,
}

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
            let mut child = Command::new(std::env::current_exe()?)
                .env(CHILD, format!("{share} {family}"))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            let out = child.stdout.take().ok_or_else(|| io::Error::other("a child has no output"))?;
            load.0.push(Holder { child, out: BufReader::new(out), connections: share });
            left -= share;
        }
        load.wait()?;
        Ok(load)
    }

    /// Replaces one in `one_of` connections, the oldest ones, by new ones.
    ///
    /// # Errors
    /// If a child cannot open its share.
    pub fn replace(&mut self, one_of: usize) -> io::Result<()> {
        for Holder { child, connections, .. } in &mut self.0 {
            let input = child.stdin.as_mut().ok_or_else(|| io::Error::other("a child has no input"))?;
            writeln!(input, "{}", connections.div_ceil(one_of))?;
        }
        self.wait()
    }

    /// Waits until all children have done their work.
    fn wait(&mut self) -> io::Result<()> {
        for holder in &mut self.0 {
            let mut line = String::new();
            holder.out.read_line(&mut line)?;
            if line.trim() != READY {
                return Err(io::Error::other("a child could not open its connections"));
            }
        }
        Ok(())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for Holder { child, .. } in &mut self.0 {
            drop(child.stdin.take());
            let _ = child.wait();
        }
    }
}

/// Whether this process is one of the children.
pub fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Lets this process open as many files as it may. A shell starts with a limit of 1,024.
pub fn open_many_files() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).expect("the hard limit");
    let maximum = limit.maximum.unwrap_or(u64::MAX);
    assert!(maximum >= 12_000, "needs 12,000 file descriptors, may have {maximum}");
}

/// Holds a child's share of the connections until its standard input ends; each line of it is a number of
/// connections to replace.
///
/// # Errors
/// If a connection cannot be opened, or if a line is no number.
pub fn hold() -> io::Result<()> {
    let (count, family) = share().ok_or_else(|| io::Error::other("the share is no number and family"))?;
    open_many_files();
    let (usual, rare): (SocketAddr, Option<SocketAddr>) = match family.as_str() {
        "6" => ((Ipv6Addr::LOCALHOST, 0).into(), None),
        _ => ((Ipv4Addr::LOCALHOST, 0).into(), Some((rare_address(), RARE_PORT).into())),
    };
    let usual = TcpListener::bind(usual)?;
    let rare = rare.map(TcpListener::bind).transpose()?;
    let mut listeners = (0..).map(|number: usize| {
        let rare = rare.as_ref().filter(|_| number.is_multiple_of(RARE));
        rare.unwrap_or(&usual)
    });
    let mut fill = |held: &mut VecDeque<_>| -> io::Result<()> {
        let missing = count - held.len();
        listeners.by_ref().take(missing).try_for_each(|listener| {
            held.push_back(connect(listener)?);
            Ok(())
        })
    };
    let mut held = VecDeque::with_capacity(count);
    fill(&mut held)?;
    let mut out = io::stdout();
    writeln!(out, "{READY}")?;
    for line in io::stdin().lines() {
        let replaced = line?.parse().map_err(io::Error::other)?;
        held.drain(..usize::min(replaced, count));
        fill(&mut held)?;
        writeln!(out, "{READY}")?;
    }
    Ok(())
}

/// An address of [`RARE_NETWORK`] that no other child has: its last half is that of the process's id.
fn rare_address() -> Ipv4Addr {
    let [.., high, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 1, high, low)
}

/// Opens a connection; both ends of it.
fn connect(listener: &TcpListener) -> io::Result<(TcpStream, TcpStream)> {
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    // Something to acknowledge, for a round-trip time on both sides.
    client.write_all(b"ping")?;
    server.read_exact(&mut [0; 4])?;
    server.write_all(b"pong")?;
    client.read_exact(&mut [0; 4])?;
    Ok((client, server))
}

fn share() -> Option<(usize, String)> {
    let share = std::env::var(CHILD).ok()?;
    let (count, family) = share.split_once(' ')?;
    Some((count.parse().ok()?, family.to_owned()))
}
