//! Short loopback connections of known sizes, ended in every way that TCP has, and the truth about them.
//!
//! Connection `i` sends `(i * 7919) % 20000 + 1` bytes up and `(i * 104729) % 30000 + 1` down. Both ends live in this
//! process, so that every byte is sent once and received once.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::ops::{AddAssign, Range};
use std::time::{Duration, Instant};

use rustix::net::{connect_unspec, sockopt};

/// The maximum of one write: it fits into the receiver's first window, so that no writer waits for a reader.
const MOST: usize = 30_000;
static PAYLOAD: [u8; MOST] = [7; MOST];

/// How a connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The client closes, then the server: the client's end becomes a `TIME_WAIT`.
    ClientFirst,
    /// The server closes, then the client: the client's port is free at once.
    ServerFirst,
    /// The server closes with a byte unread: a reset, and nothing is left on either side.
    Unread,
    /// The client closes with `SO_LINGER` 0: the kernel drops what this end counted.
    ClientAborts,
    /// The server closes with `SO_LINGER` 0.
    ServerAborts,
    /// The client connects to `AF_UNSPEC`, with the effect of `SO_LINGER` 0.
    ClientDisconnects,
}

impl End {
    /// Every end, the common ones more often.
    pub const ALL: [Self; 16] = {
        use End::{ClientAborts, ClientDisconnects, ClientFirst, ServerAborts, ServerFirst, Unread};
        [
            ClientFirst,
            ServerFirst,
            ClientFirst,
            ServerFirst,
            Unread,
            ServerFirst,
            ClientFirst,
            ServerFirst,
            ClientAborts,
            ServerFirst,
            ServerFirst,
            ServerAborts,
            Unread,
            ServerFirst,
            ClientDisconnects,
            ServerFirst,
        ]
    };

    /// Whether the kernel drops what the client's end and the server's end counted.
    const fn forgets(self) -> (bool, bool) {
        match self {
            Self::ClientAborts | Self::ClientDisconnects => (true, false),
            Self::ServerAborts => (false, true),
            Self::ClientFirst | Self::ServerFirst | Self::Unread => (false, false),
        }
    }
}

/// What happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Connections; each has two ends.
    pub connections: u64,
    /// Bytes that the ends sent.
    pub sent: u64,
    /// Bytes that the ends received, except those of [`Truth::forgotten`].
    pub received: u64,
    /// Bytes received by ends whose close carries no information: they count if a dump saw them before.
    pub forgotten: u64,
    /// Ends whose close carries no information. They have sent nothing.
    pub silent: u64,
}

impl AddAssign for Truth {
    fn add_assign(&mut self, more: Self) {
        self.connections += more.connections;
        self.sent += more.sent;
        self.received += more.received;
        self.forgotten += more.forgotten;
        self.silent += more.silent;
    }
}

/// An open connection.
pub struct Pair {
    client: TcpStream,
    server: TcpStream,
}

impl Pair {
    /// Connects to a listener from which no other thread accepts.
    ///
    /// # Errors
    /// If there is no port or no room for it.
    pub fn open(listener: &TcpListener) -> io::Result<Self> {
        let client = connect(listener.local_addr()?)?;
        Self::accept(listener, client)
    }

    /// Takes in the other end of a new connection.
    ///
    /// # Errors
    /// If there is no room for it.
    pub fn accept(listener: &TcpListener, client: TcpStream) -> io::Result<Self> {
        let (server, _) = listener.accept()?;
        Ok(Self { client, server })
    }

    /// Sends `up` bytes to the server and `down` to the client, and reads them all.
    ///
    /// # Errors
    /// If the connection has ended.
    pub fn exchange(&mut self, up: usize, down: usize) -> io::Result<()> {
        self.client.write_all(&PAYLOAD[..up])?;
        receive(&mut self.server, up)?;
        self.server.write_all(&PAYLOAD[..down])?;
        receive(&mut self.client, down)
    }

    /// The server resets it, and the client does not let go of its end.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn reset(self) -> io::Result<TcpStream> {
        let Self { mut client, server } = self;
        sockopt::set_socket_linger(&server, Some(Duration::ZERO))?;
        drop(server);
        match client.read(&mut [0]) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(client),
            other => other.and(Err(io::Error::other("no reset"))),
        }
    }

    /// Ends it; [`End::Unread`] sends one more byte up.
    ///
    /// # Errors
    /// If it has ended already.
    pub fn end(self, end: End) -> io::Result<()> {
        let Self { mut client, mut server } = self;
        match end {
            End::ClientFirst => {
                drop(client);
                server.read_exact(&mut [0]).or_else(ended)?;
            }
            End::ServerFirst => {
                drop(server);
                client.read_exact(&mut [0]).or_else(ended)?;
            }
            End::Unread => {
                client.write_all(&PAYLOAD[..1])?;
                server.peek(&mut [0])?;
                drop(server);
            }
            End::ClientAborts => sockopt::set_socket_linger(&client, Some(Duration::ZERO))?,
            End::ServerAborts => sockopt::set_socket_linger(&server, Some(Duration::ZERO))?,
            End::ClientDisconnects => connect_unspec(&client)?,
        }
        Ok(())
    }
}

/// Reads `bytes` bytes.
fn receive(from: &mut TcpStream, mut bytes: usize) -> io::Result<()> {
    let mut room = [0; 8 * 1024];
    while bytes > 0 {
        let most = bytes.min(room.len());
        from.read_exact(&mut room[..most])?;
        bytes -= most;
    }
    Ok(())
}

/// The end that was waited for.
fn ended(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::UnexpectedEof { Ok(()) } else { Err(error) }
}

/// Connects; waits for a port if all are in use at the moment.
fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        match TcpStream::connect(address) {
            Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable && Instant::now() < deadline => {
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}

/// One thread's listeners: IPv4 and IPv6.
struct Lane([TcpListener; 2]);

/// Threads that open and end connections beside each other.
pub struct Lanes(Vec<Lane>);

impl Lanes {
    /// Binds the listeners of `count` threads.
    ///
    /// # Errors
    /// If there is no port for one.
    pub fn open(count: usize) -> io::Result<Self> {
        let lane = |_| {
            let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            Ok(Lane([v4, TcpListener::bind((Ipv6Addr::LOCALHOST, 0))?]))
        };
        (0..count).map(lane).collect::<io::Result<_>>().map(Self)
    }

    /// Every listener.
    pub fn listeners(&self) -> impl Iterator<Item = &TcpListener> {
        self.0.iter().flat_map(|lane| &lane.0)
    }

    /// Makes the connections of these numbers at a rate, which may be infinite, and ends them in these ways, one after
    /// the other.
    ///
    /// # Errors
    /// If one cannot be opened, or does not carry its bytes.
    pub fn run(&self, numbers: Range<u32>, per_second: f64, ends: &[End]) -> io::Result<Truth> {
        let start = Instant::now();
        let (first, lanes) = (numbers.start, self.0.len());
        std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .0
                .iter()
                .enumerate()
                .map(|(at, lane)| {
                    let numbers = numbers.clone().skip(at).step_by(lanes);
                    scope.spawn(move || {
                        let mut truth = Truth::default();
                        for (turn, number) in numbers.enumerate() {
                            let due = start + Duration::from_secs_f64(f64::from(number - first) / per_second);
                            std::thread::sleep(due.saturating_duration_since(Instant::now()));
                            truth += short(&lane.0[turn % 2], number, ends[turn / 2 % ends.len()])?;
                        }
                        io::Result::Ok(truth)
                    })
                })
                .collect();
            let mut truth = Truth::default();
            for thread in threads {
                truth += thread.join().map_err(|_| io::Error::other("a lane panicked"))??;
            }
            Ok(truth)
        })
    }
}

/// How many bytes connection `number` sends up and down.
pub fn sizes(number: u32) -> (usize, usize) {
    let number = u64::from(number);
    let size = |factor: u64, most: u64| usize::try_from(number * factor % most + 1).unwrap_or(MOST);
    (size(7919, 20_000), size(104_729, 30_000))
}

/// A connection from its beginning to its end.
fn short(listener: &TcpListener, number: u32, end: End) -> io::Result<Truth> {
    let (client_forgets, server_forgets) = end.forgets();
    let (up, down) = sizes(number);
    // What an end sent would be lost if the kernel drops its count.
    let (up, down) = (if client_forgets { 0 } else { up }, if server_forgets { 0 } else { down });
    let mut pair = Pair::open(listener)?;
    // The last byte is the one that is left unread.
    pair.exchange(if end == End::Unread { up - 1 } else { up }, down)?;
    pair.end(end)?;
    let (sent, silent) = (up as u64 + down as u64, u64::from(client_forgets || server_forgets));
    let forgotten = if silent > 0 { sent } else { 0 };
    Ok(Truth { connections: 1, sent, received: sent - forgotten, forgotten, silent })
}
