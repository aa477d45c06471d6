//! Loopback connections for tests and measurements. Each subcommand prints `ready` when they are there, and ends by a
//! signal.
//!
//! `cargo run -p testkit --bin traffic -- hold 10000`

use std::ffi::CString;
use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use testkit::load::{self, Load};
use testkit::traffic::{End, Lanes};

/// A process name that is hard to write down: a quote, a line feed, and a byte that is not UTF-8.
const AWKWARD_NAME: &[u8] = b"a\"b\n\xff";
/// Threads of `churn`: two keep up with most rates.
const LANES: usize = 2;

#[derive(Parser)]
enum Traffic {
    /// Opens and closes connections at a rate, and prints what they did: a load with known totals.
    Churn {
        /// Connections per second.
        rate: u32,
        /// How long.
        seconds: u32,
    },
    /// Accepts connections to a port and reads all that comes.
    Drain {
        /// The port, on all addresses.
        port: u16,
    },
    /// Exchanges 10,000 bytes each way over three IPv4 and three IPv6 connections and keeps them, under a process name
    /// that is hard to write down.
    Exchange,
    /// Holds connections, spread over processes. Each line of input, a number N, replaces one in N of them.
    Hold {
        /// How many. Each is two sockets.
        connections: usize,
    },
    /// Sends to itself, some 2 MB per second.
    Send {
        /// The name of the process, of at most 15 bytes.
        name: String,
        /// The folder of a cgroup to move to.
        cgroup: Option<PathBuf>,
    },
}

fn main() -> io::Result<()> {
    if load::is_child() {
        return load::hold();
    }
    match Traffic::parse() {
        Traffic::Churn { rate, seconds } => churn(rate, seconds),
        Traffic::Drain { port } => drain(port),
        Traffic::Exchange => exchange(),
        Traffic::Hold { connections } => hold(connections),
        Traffic::Send { name, cgroup } => send(&name, cgroup),
    }
}

fn churn(rate: u32, seconds: u32) -> io::Result<()> {
    let lanes = Lanes::open(LANES)?;
    for listener in lanes.listeners() {
        say(&format!("listens on                 {}", listener.local_addr()?))?;
    }
    let truth = lanes.run(0..rate.saturating_mul(seconds), f64::from(rate), &End::ALL)?;
    say(&format!("connections                {}", truth.connections))?;
    say(&format!("bytes sent                 {}", truth.sent))?;
    say(&format!("bytes received             {}", truth.received))?;
    say(&format!("bytes received, forgotten  {}", truth.forgotten))?;
    say(&format!("closes without information {}", truth.silent))
}

fn drain(port: u16) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port))?;
    say("ready")?;
    loop {
        let (mut connection, _) = listener.accept()?;
        std::thread::spawn(move || io::copy(&mut connection, &mut io::sink()));
    }
}

fn exchange() -> io::Result<()> {
    rename(AWKWARD_NAME)?;
    let mut held = exchanged(Ipv4Addr::LOCALHOST.into())?;
    let mut families = "IPv4";
    match exchanged(Ipv6Addr::LOCALHOST.into()) {
        Ok(more) => {
            held.extend(more);
            families = "IPv4 and IPv6";
        }
        Err(error) => say(&format!("no IPv6 on this machine: {error}"))?,
    }
    say(&format!("ready: {} connections over {families}", held.len()))?;
    wait()
}

/// Both ends of three connections that have seen data in both directions.
fn exchanged(address: IpAddr) -> io::Result<Vec<(TcpStream, TcpStream)>> {
    let listener = TcpListener::bind((address, 0))?;
    (0..3)
        .map(|_| {
            let mut client = TcpStream::connect(listener.local_addr()?)?;
            let (mut server, _) = listener.accept()?;
            let mut room = [0; 1000];
            for _ in 0..10 {
                client.write_all(&[b'x'; 1000])?;
                server.read_exact(&mut room)?;
            }
            for _ in 0..10 {
                server.write_all(&[b'x'; 1000])?;
                client.read_exact(&mut room)?;
            }
            Ok((client, server))
        })
        .collect()
}

fn hold(connections: usize) -> io::Result<()> {
    let mut load = Load::start(connections)?;
    let (port, network) = (load::RARE_PORT, load::RARE_NETWORK);
    say(&format!("ready: {connections} connections, one in a hundred to port {port} in {network}"))?;
    for line in io::stdin().lines() {
        let one_of: NonZeroUsize = line?.trim().parse().map_err(io::Error::other)?;
        load.replace(one_of.get())?;
        say(&format!("replaced one in {one_of} connections"))?;
    }
    wait()
}

fn send(name: &str, cgroup: Option<PathBuf>) -> io::Result<()> {
    rename(name.as_bytes())?;
    if let Some(cgroup) = cgroup {
        std::fs::write(cgroup.join("cgroup.procs"), std::process::id().to_string())?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let mut client = TcpStream::connect(listener.local_addr()?)?;
    let (mut server, _) = listener.accept()?;
    std::thread::spawn(move || io::copy(&mut server, &mut io::sink()));
    say("ready")?;
    loop {
        client.write_all(&vec![0; 100_000])?;
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Names this process, whose main thread this is.
fn rename(name: &[u8]) -> io::Result<()> {
    if name.len() > 15 {
        return Err(io::Error::other("the kernel keeps only 15 bytes of a process name"));
    }
    rustix::thread::set_name(&CString::new(name)?)?;
    Ok(())
}

fn say(line: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// Waits for a signal.
fn wait() -> ! {
    loop {
        std::thread::park();
    }
}
