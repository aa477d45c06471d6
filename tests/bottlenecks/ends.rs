//! Both ends of a connection over a link, each on a thread in its network namespace.

use std::convert::Infallible;
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};
use testkit::inner::Inner;
use testkit::link::FAR;

const PORT: u16 = 5000;
/// One write of a process that sends all it can.
const CHUNK: usize = 16 << 10;

/// What the process at the near end writes.
#[derive(Clone, Copy)]
pub enum Sends {
    Nothing,
    /// This number of bytes, once.
    Once(usize),
    /// This number of bytes at this interval.
    Every(Duration, usize),
    /// As much as there is room for.
    Everything,
}

/// What the process at the far end reads.
#[derive(Clone, Copy)]
pub enum Reads {
    /// As soon as there is something.
    Everything,
    /// This number of bytes at this interval.
    Every(Duration, usize),
    Nothing,
    /// It does not even accept the connection.
    NoConnection,
}

/// The process at the near end.
#[derive(Clone, Copy)]
pub struct Sender {
    pub sends: Sends,
    pub congestion_control: &'static str,
    /// `SO_SNDBUF`, which the kernel doubles.
    pub buffer: Option<usize>,
}

/// The process at the far end.
#[derive(Clone, Copy)]
pub struct Reader {
    pub reads: Reads,
    /// `SO_RCVBUF`, which the kernel doubles.
    pub buffer: Option<usize>,
}

/// Listens at the far end and connects from the near end. Both go on until this process ends.
pub fn connect(sender: Sender, near: &Inner, reader: Reader, far: &Inner) {
    let listener = far.within(|| listen(reader.buffer).expect("a listener"));
    std::thread::spawn(move || read(&listener, reader.reads));
    let client = near.within(|| Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket"));
    client.set_tcp_congestion(sender.congestion_control.as_bytes()).expect("an algorithm of this kernel");
    if let Some(bytes) = sender.buffer {
        client.set_send_buffer_size(bytes).expect("an option of every socket");
    }
    std::thread::spawn(move || {
        client.connect(&SocketAddr::from((FAR, PORT)).into())?;
        write(client.into(), sender.sends)
    });
}

fn listen(buffer: Option<usize>) -> io::Result<TcpListener> {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    if let Some(bytes) = buffer {
        listener.set_recv_buffer_size(bytes)?;
    }
    listener.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, PORT)).into())?;
    listener.listen(8)?;
    Ok(listener.into())
}

fn write(mut stream: TcpStream, sends: Sends) -> io::Result<Infallible> {
    match sends {
        Sends::Nothing => {}
        Sends::Once(bytes) => stream.write_all(&vec![7; bytes])?,
        Sends::Every(interval, bytes) => at_intervals(interval, || stream.write_all(&vec![7; bytes]))?,
        Sends::Everything => at_intervals(Duration::ZERO, || stream.write_all(&[7; CHUNK]))?,
    }
    hold();
}

fn read(listener: &TcpListener, reads: Reads) -> io::Result<Infallible> {
    if matches!(reads, Reads::NoConnection) {
        hold();
    }
    let (mut stream, _) = listener.accept()?;
    match reads {
        Reads::Everything => drop(io::copy(&mut stream, &mut io::sink())?),
        Reads::Every(interval, bytes) => at_intervals(interval, || stream.read_exact(&mut vec![0; bytes]))?,
        Reads::Nothing | Reads::NoConnection => {}
    }
    hold();
}

fn at_intervals(interval: Duration, mut act: impl FnMut() -> io::Result<()>) -> io::Result<()> {
    let mut due = Instant::now();
    loop {
        act()?;
        due += interval;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

/// Keeps what the thread holds open until the process ends.
fn hold() -> ! {
    loop {
        std::thread::park();
    }
}
