//! One dump: the messages of a request one after the other, each with all its replies up to `NLMSG_DONE`.
//!
//! The result cannot say "short but fine": whatever ends a dump other than `NLMSG_DONE` without an
//! error code is an error.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use zerocopy::FromBytes as _;

use super::frame::{Message, MessageHeader, Messages};
use super::halves::Ports;
use super::protocol::Socket;
use super::protocol::{Protocol, Request};
use super::receivers::{self, RECEIVERS, soon};
use super::unfinished::{DumpThread, UnfinishedDump};

/// Bytes offered per datagram. The kernel's largest reply is a little under 32 KiB, and only a reader who offers that much
/// gets it (`net/netlink/af_netlink.c: netlink_dump`).
const BUFFER: usize = 32 * 1024;
/// Bytes received from which on a thread waits for its turn to have them read.
const AHEAD: usize = 3 * BUFFER;
/// Bytes of a short reply about a connection.
const SHORT: usize = 256;
/// `NLMSG_ALIGNTO`
const ALIGNMENT: usize = 4;
/// Grace after the deadline for the receiving thread to report it. A thread that is stuck does not.
const GRACE: Duration = Duration::from_millis(20);
/// Sequence number of the first part of a request; each further one has the next. One dump per netlink socket, so that
/// any number will do.
const SEQUENCE: u32 = 1;

/// `NLMSG_ERROR`
const ERROR: u16 = 2;
/// `NLMSG_DONE`
const DONE: u16 = 3;
/// `NLMSG_OVERRUN`
const OVERRUN: u16 = 4;
/// `NLMSG_MIN_TYPE`: the types of answers begin here.
const FIRST_KIND: u16 = 0x10;
/// `NLM_F_DUMP_INTR`
const DUMP_INTR: u16 = 0x10;

/// What carries netlink messages to the kernel and back: a socket, or a test's recording.
///
/// A dump moves it to another thread.
pub trait Transport: Send + 'static {
    /// Sends one message.
    ///
    /// # Errors
    /// What `sendto(2)` says.
    fn send(&mut self, message: &[u8]) -> io::Result<()>;

    /// Receives one datagram into the buffer.
    ///
    /// # Errors
    /// `TimedOut` at the deadline, else what `recvfrom(2)` says; never `EINTR`.
    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram>;
}

/// A datagram that was received.
#[derive(Clone, Copy, Debug)]
pub struct Datagram {
    /// Its own length, which may exceed the buffer's.
    pub length: usize,
    /// The netlink port of its sender; the kernel's is 0.
    pub sender: u32,
}

/// What a complete dump was like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DumpStats {
    /// Sockets handed on.
    pub sockets: u64,
    /// Bytes received.
    pub bytes: u64,
    /// Messages and datagrams of other senders or other requests.
    pub foreign: u64,
    /// Replies that could not be read.
    pub malformed: u64,
    /// Whether the kernel said that its tables changed meanwhile (`NLM_F_DUMP_INTR`); sockets may
    /// be missing or come twice then. TCP dumps do both without saying so.
    pub interrupted: bool,
}

impl DumpStats {
    /// The numbers of two dumps together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            sockets: self.sockets + other.sockets,
            bytes: self.bytes + other.bytes,
            foreign: self.foreign + other.foreign,
            malformed: self.malformed + other.malformed,
            interrupted: self.interrupted || other.interrupted,
        }
    }
}

/// Why there is no complete dump.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// There is no socket to ask through.
    #[error("cannot open a sock_diag socket: {0}{hint}", hint = opening_hint(.0))]
    Open(#[source] io::Error),
    /// The request could not be sent.
    #[error("cannot send a dump request to the kernel: {0}")]
    Send(#[source] io::Error),
    /// The host gives no thread to receive the replies on.
    #[error(
        "found no thread to receive the kernel's replies; expected one more (pids.max, TasksMax=, ulimit -u): {0}"
    )]
    Thread(#[source] io::Error),
    /// A reply could not be received.
    #[error("cannot receive the kernel's reply to a dump request: {0}")]
    Receive(#[source] io::Error),
    /// The kernel refused the request, at once or in its last message.
    #[error("the kernel refused to dump {protocol} sockets: {0}{hint}", protocol = .1.name, hint = hint(*.0, .1))]
    Refused(Errno, &'static Protocol),
    /// The kernel ended the dump with a number that is neither success nor a negated `errno(3)`.
    #[error("the kernel ended a dump with the code {0}; expected 0 or -4095 to -1")]
    UnknownCode(i32),
    /// A reply was longer than the buffer that it was received into.
    #[error("the kernel sent {0} bytes at once, more than the {BUFFER} offered")]
    Truncated(usize),
    /// The kernel dropped replies because the socket's buffer was full.
    #[error("the kernel dropped replies because the socket's buffer was full (ENOBUFS)")]
    Overrun,
    /// Bytes that are no netlink messages.
    #[error("the kernel's reply is no sequence of netlink messages")]
    Malformed,
    /// The end of the dump had not come.
    #[error("the dump was not complete at its deadline")]
    Deadline(UnfinishedDump),
}

impl DumpError {
    /// Whether the kernel has no answer about the protocol: it reports this by `ENOENT`, at once or in its last message.
    #[must_use]
    pub fn is_of_missing_protocol(&self) -> bool {
        matches!(self, Self::Refused(Errno::NOENT | Errno::OPNOTSUPP, _))
    }
}

fn opening_hint(error: &io::Error) -> &'static str {
    match Errno::from_io_error(error) {
        Some(Errno::PROTONOSUPPORT | Errno::AFNOSUPPORT) => "; the kernel needs CONFIG_INET_DIAG",
        Some(Errno::PERM | Errno::ACCESS) => "; a security module or seccomp profile forbids it",
        _ => "",
    }
}

fn hint(errno: Errno, protocol: &Protocol) -> String {
    match errno {
        Errno::NOENT | Errno::OPNOTSUPP => {
            let plural = if protocol.modules.contains(' ') { "s" } else { "" };
            format!("; load the module{plural} {}", protocol.modules)
        }
        Errno::PERM | Errno::ACCESS => "; a security module or seccomp profile forbids it".to_owned(),
        _ => String::new(),
    }
}

/// Sends a request and calls `each` with the sockets of each datagram, up to the kernel's last, and with `into`.
///
/// A thread of [`keep_receivers`](super::keep_receivers) receives the replies and calls `each`: what the kernel has just
/// written is in the cache of its processor. A thread that is stuck is left behind at the deadline and replaced; it calls
/// nothing more.
/// A socket may come twice and a live one may be missing: the kernel takes no snapshot.
///
/// # Errors
/// [`DumpError`] whenever the dump did not reach its end; sockets handed on until then are a part.
pub fn dump<S: Send + 'static>(
    transport: impl Transport,
    request: &Request,
    deadline: Instant,
    into: S,
    each: impl FnMut(&mut S, &[Socket<'_>]) + Send + 'static,
) -> (S, Result<DumpStats, DumpError>) {
    match RECEIVERS.take(deadline) {
        Ok(thread) => run([(thread, transport, request)], deadline, into, each),
        Err(error) => (into, Err(DumpError::Thread(error))),
    }
}

/// The same with two dumps at once, of the sockets whose ports come before these and of all others: see
/// [`Request::halves`]. One of them at a time calls `each`. Without a second thread or without halves, it is one dump
/// through the first transport.
///
/// # Errors
/// [`DumpError`] whenever one of the dumps did not reach its end.
pub fn dump_in_halves<T: Transport, S: Send + 'static>(
    [first, second]: [T; 2],
    request: &Request,
    at: Ports,
    deadline: Instant,
    into: S,
    each: impl FnMut(&mut S, &[Socket<'_>]) + Send + 'static,
) -> (S, Result<DumpStats, DumpError>) {
    let thread = match RECEIVERS.take(deadline) {
        Ok(thread) => thread,
        Err(error) => return (into, Err(DumpError::Thread(error))),
    };
    // One dump now is better than two when another thread is idle.
    match request.halves(at).and_then(|halves| Some((halves, RECEIVERS.take(Instant::now()).ok()?))) {
        Some(([lower, upper], other)) => {
            run([(thread, first, &lower), (other, second, &upper)], deadline, into, each)
        }
        None => run([(thread, first, request)], deadline, into, each),
    }
}

/// Runs dumps at once, each on its thread.
fn run<T: Transport, S: Send + 'static, const DUMPS: usize>(
    dumps: [(receivers::Receiver, T, &Request); DUMPS],
    deadline: Instant,
    into: S,
    each: impl FnMut(&mut S, &[Socket<'_>]) + Send + 'static,
) -> (S, Result<DumpStats, DumpError>) {
    let reader = Arc::new(Mutex::new(Some((into, each))));
    let dumps = dumps.map(|(thread, transport, request)| {
        Dump::begin(thread, transport, request, deadline, Arc::clone(&reader))
    });
    let ended: Option<Vec<_>> = dumps.each_ref().map(|dump| dump.end(deadline)).into_iter().collect();
    // From now on a thread that is left behind has no reader.
    let Some((into, _)) = lock(&reader).take() else { unreachable!("only this function takes it") };
    let Some(ended) = ended else {
        RECEIVERS.replace();
        let unfinished = dumps.iter().map(|dump| &dump.unfinished);
        return (into, Err(DumpError::Deadline(UnfinishedDump::together(unfinished))));
    };
    let add = |all: DumpStats, ended: Result<DumpStats, _>| ended.map(|stats| all.plus(stats));
    (into, ended.into_iter().try_fold(DumpStats::default(), add))
}

/// What reads sockets, and what it reads them into, until it is taken back.
type Reader<S, E> = Mutex<Option<(S, E)>>;

fn lock<T>(reader: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while a socket is read ends the program, or else the test.
    reader.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A dump under way on another thread.
struct Dump {
    ended: Receiver<Result<DumpStats, DumpError>>,
    unfinished: UnfinishedDump,
}

impl Dump {
    /// Begins a dump, whose sockets are read as long as the reader is there.
    fn begin<S: Send + 'static, E: FnMut(&mut S, &[Socket<'_>]) + Send + 'static>(
        thread: receivers::Receiver,
        transport: impl Transport,
        request: &Request,
        deadline: Instant,
        reader: Arc<Reader<S, E>>,
    ) -> Self {
        let (end, ended) = sync_channel(1);
        let request = request.clone();
        let (dump_thread, unfinished) = DumpThread::begin();
        thread.run(move || {
            dump_thread.set_current();
            let received = receive_all(transport, &request, deadline, &reader);
            // The kernel has answered, and the transport is closed.
            drop(dump_thread);
            // Past the deadline no thread waits for it.
            let _ = end.send(received);
        });
        Self { ended, unfinished }
    }

    /// What it was like; `None` if it has not ended in time.
    fn end(&self, deadline: Instant) -> Option<Result<DumpStats, DumpError>> {
        let left = || (deadline + GRACE).saturating_duration_since(Instant::now());
        match soon(&self.ended).or_else(|_| self.ended.recv_timeout(left())) {
            Ok(ended) => Some(ended),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => {
                Some(Err(DumpError::Thread(io::Error::other("the thread has ended"))))
            }
        }
    }
}

/// Sends the messages of a request one after another, receives datagrams up to the one that ends the last dump, and has the
/// sockets in the kernel's read.
fn receive_all<S, E: FnMut(&mut S, &[Socket<'_>])>(
    mut transport: impl Transport,
    request: &Request,
    deadline: Instant,
    reader: &Reader<S, E>,
) -> Result<DumpStats, DumpError> {
    let (protocol, parts) = (request.protocol, request.parts());
    let messages: Vec<u8> =
        (SEQUENCE..).zip(&parts).flat_map(|(number, part)| part.message(number)).collect();
    let (mut stats, mut buffer, mut length) = (DumpStats::default(), Vec::new(), 0);
    for (sequence, message) in requests(&messages) {
        transport.send(message).map_err(DumpError::Send)?;
        let expected = Expected { protocol, sequence, deadline };
        let mut ended = false;
        while !ended {
            buffer.resize(buffer.len().max(length + BUFFER), 0);
            let room = buffer.get_mut(length..length + BUFFER).unwrap_or_default();
            let end = receive_one(&mut transport, &expected, room, &mut length, &mut stats);
            // While the other half is read, the kernel makes more of this one.
            let may_go_on = matches!(end, Ok(false)) && length < AHEAD;
            let turn = if may_go_on { reader.try_lock().ok() } else { Some(lock(reader)) };
            if let Some(mut turn) = turn {
                // Without a reader, the deadline has passed.
                let late = || DumpError::Deadline(UnfinishedDump::default());
                let (into, each) = turn.as_mut().ok_or_else(late)?;
                let datagrams = buffer.get(..length).unwrap_or_default();
                each(into, &sockets(&parts, datagrams, &mut stats));
                length = 0;
            }
            ended = end?;
        }
    }
    Ok(stats)
}

/// The netlink messages that stand one behind the other, with their sequence numbers.
fn requests(messages: &[u8]) -> impl Iterator<Item = (u32, &[u8])> {
    let mut rest = messages;
    std::iter::from_fn(move || {
        let (header, _) = MessageHeader::ref_from_prefix(rest).ok()?;
        let length = usize::try_from(header.length.get()).ok()?;
        let (message, behind) = rest.split_at_checked(length).filter(|_| length > 0)?;
        rest = behind;
        Some((header.sequence.get(), message))
    })
}

/// The replies to one message.
struct Expected {
    protocol: &'static Protocol,
    sequence: u32,
    deadline: Instant,
}

/// Receives one datagram, by which `length` grows if it has replies of the kernel; whether it ends the dump.
fn receive_one(
    transport: &mut impl Transport,
    expected: &Expected,
    room: &mut [u8],
    length: &mut usize,
    stats: &mut DumpStats,
) -> Result<bool, DumpError> {
    let Expected { protocol, sequence, deadline } = *expected;
    let datagram = transport.receive(room, deadline).map_err(ending)?;
    if datagram.sender != 0 {
        stats.foreign += 1;
        return Ok(false);
    }
    let bytes = room.get(..datagram.length).ok_or(DumpError::Truncated(datagram.length))?;
    if bytes.is_empty() {
        return Err(DumpError::Malformed);
    }
    stats.bytes += bytes.len() as u64;
    let (mut end, mut replies) = (Ok(false), false);
    for message in Messages(bytes) {
        let Message { header, payload } = message.map_err(|_| DumpError::Malformed)?;
        let kind = header.kind.get();
        let known = kind >= FIRST_KIND || [ERROR, DONE, OVERRUN].contains(&kind);
        if header.sequence.get() != sequence || !known {
            stats.foreign += 1;
            continue;
        }
        stats.interrupted |= header.flags.get() & DUMP_INTR != 0;
        end = match kind {
            DONE => refusal(payload, protocol).map_or(Ok(true), Err),
            ERROR => Err(refusal(payload, protocol).unwrap_or(DumpError::Malformed)),
            OVERRUN => Err(DumpError::Overrun),
            _ => {
                replies = true;
                continue;
            }
        };
        break;
    }
    if replies {
        // As messages are, so that they stay one sequence.
        *length += datagram.length.next_multiple_of(ALIGNMENT);
    }
    end
}

/// The sockets of datagrams, those of each part in its state.
fn sockets<'a>(parts: &[Request], datagrams: &'a [u8], stats: &mut DumpStats) -> Vec<Socket<'a>> {
    let mut sockets = Vec::with_capacity(datagrams.len() / SHORT);
    for Message { header, payload } in Messages(datagrams).flatten() {
        let part = header.sequence.get().wrapping_sub(SEQUENCE) as usize;
        let Some(part) = parts.get(part).filter(|_| header.kind.get() >= FIRST_KIND) else { continue };
        match part.protocol.parse(payload) {
            Some(socket) => sockets.push(socket.in_state(part.state().unwrap_or(socket.state()))),
            None => stats.malformed += 1,
        }
    }
    stats.sockets += sockets.len() as u64;
    sockets
}

fn ending(error: io::Error) -> DumpError {
    match error.kind() {
        io::ErrorKind::TimedOut => DumpError::Deadline(UnfinishedDump::default()),
        _ if error.raw_os_error() == Some(Errno::NOBUFS.raw_os_error()) => DumpError::Overrun,
        _ => DumpError::Receive(error),
    }
}

/// Why the kernel refused, from the number that `NLMSG_DONE` and `NLMSG_ERROR` begin with; `None` for success.
fn refusal(payload: &[u8], protocol: &'static Protocol) -> Option<DumpError> {
    match i32::from_ne_bytes(*payload.first_chunk()?) {
        0 => None,
        code @ -4095..0 => Some(DumpError::Refused(Errno::from_raw_os_error(-code), protocol)),
        code => Some(DumpError::UnknownCode(code)),
    }
}

#[cfg(test)]
mod tests;
