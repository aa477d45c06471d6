//! Every ending of a dump, against a kernel that replies as it is told.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;

use zerocopy::IntoBytes as _;

use super::super::attribute::Extensions;
use super::super::frame::{MessageHeader, aligned};
use super::super::protocol::inet::TCPDIAG_GETSOCK;
use super::super::protocol::{TCP, UDP};
use super::super::replies::Replies;
use super::super::state::{State, StateSet};
use super::*;

/// A kernel with a list of replies.
struct Script(VecDeque<io::Result<(Vec<u8>, u32)>>);

impl Transport for Script {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], _: Instant) -> io::Result<Datagram> {
        let (bytes, sender) = self.0.pop_front().unwrap_or_else(|| Err(io::ErrorKind::TimedOut.into()))?;
        let copied = bytes.len().min(buffer.len());
        buffer[..copied].copy_from_slice(&bytes[..copied]);
        Ok(Datagram { length: bytes.len(), sender })
    }
}

fn message(kind: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let header = MessageHeader {
        length: u32::try_from(16 + payload.len()).expect("short").into(),
        kind: kind.into(),
        flags: 2.into(),
        sequence: sequence.into(),
        port: 0.into(),
    };
    let mut bytes = [header.as_bytes(), payload].concat();
    bytes.resize(aligned(bytes.len()), 0);
    bytes
}

/// An established IPv4 socket with the cookie.
fn socket(cookie: u8) -> Vec<u8> {
    let mut payload = vec![0; 72];
    payload[0] = 2;
    payload[1] = 1;
    payload[44] = cookie;
    message(TCPDIAG_GETSOCK, SEQUENCE, &payload)
}

fn done(code: i32) -> Vec<u8> {
    message(DONE, SEQUENCE, &code.to_ne_bytes())
}

fn run(
    replies: impl IntoIterator<Item = io::Result<(Vec<u8>, u32)>>,
) -> (Result<DumpStats, DumpError>, Vec<u64>) {
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let script = Script(replies.into_iter().collect());
    let (cookies, result) = dump(script, &request, Instant::now() + GENEROUS, Vec::new(), note);
    (result, cookies)
}

fn note(cookies: &mut Vec<u64>, sockets: &[Socket<'_>]) {
    cookies.extend(sockets.iter().map(Socket::cookie));
}

/// More time than any test takes.
const GENEROUS: Duration = Duration::from_mins(1);

fn from_kernel<const N: usize>(datagrams: [Vec<u8>; N]) -> [io::Result<(Vec<u8>, u32)>; N] {
    datagrams.map(|bytes| Ok((bytes, 0)))
}

#[test]
fn a_dump_that_reaches_done_is_complete() {
    let (result, cookies) =
        run(from_kernel([[socket(1), socket(2)].concat(), [socket(3), done(0)].concat()]));
    assert_eq!(result.expect("complete").sockets, 3);
    assert_eq!(cookies, [1, 2, 3]);
}

#[test]
fn an_empty_dump_is_complete() {
    let (result, cookies) = run(from_kernel([done(0)]));
    assert_eq!(result.expect("complete").sockets, 0);
    assert_eq!(cookies, [0; 0]);
}

#[test]
fn a_dump_without_done_is_an_error() {
    let (result, cookies) = run(from_kernel([[socket(1), socket(2)].concat()]));
    assert!(matches!(result, Err(DumpError::Deadline(_))), "{result:?}");
    assert_eq!(cookies, [1, 2]);
}

#[test]
fn replies_of_a_dump_that_fails_are_a_part_with_their_states() {
    let script = Script(from_kernel([[socket(1), socket(2)].concat(), done(-1)]).into());
    let request = Request::new(&TCP, StateSet::of(&[State::BoundInactive]), Extensions::NONE);
    let (replies, dumped) = Replies::dump(script, &request, Instant::now() + GENEROUS);
    assert!(matches!(dumped, Err(DumpError::Refused(Errno::PERM, _))), "{dumped:?}");
    let sockets: Vec<_> = replies.sockets().map(|socket| (socket.cookie(), socket.state())).collect();
    assert_eq!(sockets, [(1, State::BoundInactive), (2, State::BoundInactive)]);
}

#[test]
fn an_error_number_inside_done_is_an_error() {
    let (result, _) = run(from_kernel([[socket(1), done(-2)].concat()]));
    assert!(matches!(result, Err(DumpError::Refused(Errno::NOENT, _))), "{result:?}");
    assert!(result.expect_err("refused").to_string().contains("tcp_diag"));
}

#[test]
fn an_error_message_is_an_error() {
    for (code, errno) in [(-1, Errno::PERM), (-22, Errno::INVAL), (-16, Errno::BUSY)] {
        let (result, _) = run(from_kernel([message(ERROR, SEQUENCE, &i32::to_ne_bytes(code))]));
        assert!(matches!(result, Err(DumpError::Refused(error, _)) if error == errno), "{result:?}");
    }
}

#[test]
fn a_code_that_is_no_error_number_ends_the_dump_as_an_error() {
    for unknown in [i32::MIN, -1_000_000, -65_535, -4096, 1, 22, 4096, i32::MAX] {
        for kind in [DONE, ERROR] {
            let reply = message(kind, SEQUENCE, &unknown.to_ne_bytes());
            let (result, _) = run(from_kernel([[socket(1), reply].concat()]));
            assert!(matches!(result, Err(DumpError::UnknownCode(code)) if code == unknown), "{result:?}");
        }
    }
    let (result, _) = run(from_kernel([done(-4095)]));
    assert!(
        matches!(result, Err(DumpError::Refused(error, _)) if error.raw_os_error() == 4095),
        "{result:?}"
    );
}

#[test]
fn a_truncated_datagram_is_an_error() {
    let (result, _) = run(from_kernel([vec![0; BUFFER + 1]]));
    assert!(matches!(result, Err(DumpError::Truncated(length)) if length == BUFFER + 1), "{result:?}");
}

#[test]
fn an_overrun_is_an_error() {
    let (result, _) = run([Err(Errno::NOBUFS.into())]);
    assert!(matches!(result, Err(DumpError::Overrun)), "{result:?}");
    let (result, _) = run(from_kernel([message(OVERRUN, SEQUENCE, &[])]));
    assert!(matches!(result, Err(DumpError::Overrun)), "{result:?}");
}

#[test]
fn a_receive_error_is_an_error() {
    for errno in [Errno::NOMEM, Errno::IO] {
        let (result, _) = run([Ok((socket(1), 0)), Err(errno.into())]);
        assert!(matches!(result, Err(DumpError::Receive(_))), "{result:?}");
    }
}

#[test]
fn a_deadline_is_an_error() {
    let (result, _) = run([Err(io::ErrorKind::TimedOut.into())]);
    assert!(matches!(result, Err(DumpError::Deadline(_))), "{result:?}");
}

#[test]
fn an_empty_or_cut_datagram_is_an_error() {
    let (result, _) = run(from_kernel([Vec::new()]));
    assert!(matches!(result, Err(DumpError::Malformed)), "{result:?}");
    let whole = socket(1);
    for end in [1, 15, 17, whole.len() - 1] {
        let (result, _) = run(from_kernel([whole[..end].to_vec(), done(0)]));
        assert!(matches!(result, Err(DumpError::Malformed)), "{end}: {result:?}");
    }
}

#[test]
fn datagrams_of_other_senders_are_ignored_and_counted() {
    let (result, cookies) =
        run([Ok((done(0), 4711)), Ok((socket(9), 4711)), Ok((socket(1), 0)), Ok((done(0), 0))]);
    assert_eq!(result.expect("complete").foreign, 2);
    assert_eq!(cookies, [1]);
}

#[test]
fn messages_of_other_requests_are_ignored_and_counted() {
    let old = message(DONE, SEQUENCE + 1, &0_i32.to_ne_bytes());
    let (result, cookies) = run(from_kernel([[old, socket(1), done(0)].concat()]));
    assert_eq!(result.expect("complete").foreign, 1);
    assert_eq!(cookies, [1]);
}

#[test]
fn an_interrupted_dump_says_so() {
    let mut interrupted = socket(1);
    interrupted[6] |= 0x10;
    let (result, _) = run(from_kernel([[interrupted, done(0)].concat()]));
    assert!(result.expect("complete").interrupted);
}

#[test]
fn a_socket_that_cannot_be_read_is_counted_and_skipped() {
    let short = message(TCPDIAG_GETSOCK, SEQUENCE, &[2; 71]);
    let mut odd = socket(5);
    odd[17] = 99;
    let (result, cookies) = run(from_kernel([[short, odd, socket(1), done(0)].concat()]));
    assert_eq!(result.expect("complete").malformed, 2);
    assert_eq!(cookies, [1]);
}

/// A kernel that lets nobody out until it is told.
struct Holding(Receiver<()>);

impl Transport for Holding {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, _: &mut [u8], _: Instant) -> io::Result<Datagram> {
        let _ = self.0.recv();
        Err(io::ErrorKind::TimedOut.into())
    }
}

#[test]
fn a_dump_that_does_not_end_is_left_behind_at_its_deadline() {
    let (release, holding) = sync_channel(0);
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let (kept, result) = dump(Holding(holding), &request, Instant::now(), vec![7], note);
    let Err(DumpError::Deadline(dump)) = result else { panic!("{result:?}") };
    assert_eq!(kept, [7]);
    assert!(dump.is_alive() && !dump.is_stuck(), "its thread waits, but not for the kernel");
    drop(release);
    while dump.is_alive() {
        std::thread::yield_now();
    }
}

#[test]
fn a_dump_that_ends_at_its_deadline_by_itself_is_not_left_behind() {
    let (result, _) = run([Err(io::ErrorKind::TimedOut.into())]);
    assert!(matches!(result, Err(DumpError::Deadline(dump)) if !dump.is_alive()));
}

#[test]
fn a_thread_that_is_left_behind_reads_nothing_more() {
    /// A kernel that answers when the test lets it, and says so.
    struct Late(Receiver<()>, SyncSender<()>, Script);

    impl Transport for Late {
        fn send(&mut self, _: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
            let _ = self.0.recv();
            let received = self.2.receive(buffer, deadline);
            let _ = self.1.send(());
            received
        }
    }

    let ((release, holding), (said, answered)) = (sync_channel(0), sync_channel(1));
    let script = Script(from_kernel([[socket(1), done(0)].concat()]).into());
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let count = Arc::new(Mutex::new(0));
    let each = |count: &mut Arc<Mutex<usize>>, sockets: &[Socket<'_>]| *lock(count) += sockets.len();
    let kernel = Late(holding, said, script);
    let (_, result) = dump(kernel, &request, Instant::now(), Arc::clone(&count), each);
    let Err(DumpError::Deadline(dump)) = result else { panic!("{result:?}") };
    drop(release);
    answered.recv().expect("the kernel has answered");
    while dump.is_alive() {
        std::thread::yield_now();
    }
    assert_eq!(*lock(&count), 0);
}

/// A kernel with these replies, which says when it was asked for each.
struct Watched(Script, SyncSender<usize>, usize);

impl Transport for Watched {
    fn send(&mut self, _: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        // Once the test has seen enough, it does not listen any more.
        let _ = self.1.send(self.2);
        self.2 += 1;
        self.0.receive(buffer, deadline)
    }
}

#[test]
fn while_one_half_is_read_the_other_receives_some_replies_ahead_and_none_is_missed() {
    let replies = |cookie: u8| [socket(cookie), socket(cookie), socket(cookie), socket(cookie), done(0)];
    let ((say_first, _first), (say_other, other)) = (sync_channel(9), sync_channel(9));
    let kernels = [(1, say_first), (2, say_other)]
        .map(|(cookie, say)| Watched(Script(from_kernel(replies(cookie)).into()), say, 0));
    let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    // The first socket of the first half is read until the other half has received three replies and wants the turn.
    let each = move |(cookies, other): &mut (Vec<u64>, Option<Receiver<usize>>), sockets: &[Socket<'_>]| {
        let is_first = sockets.first().is_some_and(|socket| socket.cookie() == 1);
        if let Some(other) = other.take_if(|_| is_first) {
            assert_eq!(other.iter().take_while(|asked| *asked < 2).count(), 2);
        }
        cookies.extend(sockets.iter().map(Socket::cookie));
    };
    let until = Instant::now() + GENEROUS;
    let into = (Vec::new(), Some(other));
    let ((mut cookies, _), result) = dump_in_halves(kernels, &request, (443, 0), until, into, each);
    cookies.sort_unstable();
    assert_eq!((result.expect("complete").sockets, cookies), (8, [[1; 4], [2; 4]].concat()));
}

/// The messages that a kernel was sent.
type Sent = Vec<Vec<u8>>;

/// A kernel that shows what it is asked.
struct Asked<T>(T, SyncSender<Vec<u8>>);

impl<T: Transport> Transport for Asked<T> {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.1.send(message.to_vec()).expect("room");
        self.0.send(message)
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        self.0.receive(buffer, deadline)
    }
}

/// Dumps in two halves from kernels with these replies; what each was asked.
fn run_halves<const N: usize>(
    protocol: &'static Protocol,
    replies: [[Vec<u8>; N]; 2],
) -> (Result<DumpStats, DumpError>, Vec<u64>, [Sent; 2]) {
    let request = Request::new(protocol, StateSet::ALL, Extensions::NONE);
    let ((one, of_one), (other, of_other)) = (sync_channel(9), sync_channel(9));
    let [first, second] = replies.map(|replies| Script(from_kernel(replies).into()));
    let transports = [Asked(first, one), Asked(second, other)];
    let until = Instant::now() + GENEROUS;
    let (mut cookies, result) = dump_in_halves(transports, &request, (443, 40_000), until, Vec::new(), note);
    cookies.sort_unstable();
    (result, cookies, [of_one, of_other].map(|asked| asked.try_iter().collect()))
}

#[test]
fn a_dump_in_halves_is_that_of_two_requests_whose_sockets_and_numbers_are_added() {
    let replies = [[socket(1), [socket(3), done(0)].concat()], [socket(2), done(0)]];
    let bytes = replies.as_flattened().iter().map(|reply| reply.len() as u64).sum();
    let (result, cookies, asked) = run_halves(&TCP, replies);
    assert_eq!(result.expect("complete"), DumpStats { sockets: 3, bytes, ..DumpStats::default() });
    assert_eq!(cookies, [1, 2, 3]);
    let whole = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
    let halves = whole.halves((443, 40_000)).expect("halves");
    assert_eq!(asked, halves.map(|half| vec![half.message(SEQUENCE)]));
}

#[test]
fn a_dump_in_halves_of_which_one_fails_is_an_error() {
    for (failing, kept) in [(0, 2), (1, 1)] {
        let mut replies = [[socket(1), done(0)], [socket(2), done(0)]];
        replies[failing] = [message(ERROR, SEQUENCE, &(-1_i32).to_ne_bytes()), done(0)];
        let (result, cookies, _) = run_halves(&TCP, replies);
        assert!(matches!(result, Err(DumpError::Refused(Errno::PERM, _))), "{result:?}");
        assert_eq!(cookies, [kept]);
    }
}

#[test]
fn a_protocol_without_halves_is_dumped_as_a_whole() {
    let (result, cookies, [first, second]) = run_halves(&UDP, [[socket(1), done(0)], [socket(2), done(0)]]);
    assert_eq!(result.expect("complete").sockets, 1);
    assert_eq!((cookies, first.len(), second.len()), (vec![1], 1, 0));
}

#[test]
fn a_dump_in_halves_of_which_one_does_not_end_is_left_behind_at_its_deadline() {
    for held in [0, 1] {
        // Without its sender, the other one ends at once.
        let ((release, holding), (_, ended)) = (sync_channel(0), sync_channel(0));
        let mut kernels = [holding, ended].map(Holding);
        kernels.swap(0, held);
        let request = Request::new(&TCP, StateSet::ALL, Extensions::NONE);
        let result = dump_in_halves(kernels, &request, (443, 0), Instant::now(), Vec::new(), note).1;
        let Err(DumpError::Deadline(dump)) = result else { panic!("{result:?}") };
        assert!(dump.is_alive() && !dump.is_stuck(), "a thread waits, but not for the kernel");
        drop(release);
        while dump.is_alive() {
            std::thread::yield_now();
        }
    }
}

mod arbitrary {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_reply_makes_a_dump_panic(
            flips in prop::collection::vec((0_usize..400, any::<u8>()), 0..8), cut in 0_usize..400
        ) {
            let mut info = vec![0; 72];
            info[..2].copy_from_slice(&[10, 1]);
            info.extend([28, 1, 2, 0]);
            info.extend([7; 280]);
            let mut bytes = [message(TCPDIAG_GETSOCK, SEQUENCE, &info), done(0)].concat();
            for (at, value) in flips {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= value;
                }
            }
            bytes.truncate(bytes.len().saturating_sub(cut));
            let _ = run(from_kernel([bytes]));
        }
    }
}

/// A kernel with two scripts, of which it plays one for each message that it is sent.
struct Sequence(VecDeque<Script>, Option<Script>);

impl Transport for Sequence {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        assert_eq!(message[..4], u32::try_from(message.len()).expect("short").to_ne_bytes());
        self.1 = self.0.pop_front();
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], until: Instant) -> io::Result<Datagram> {
        self.1.as_mut().expect("a request").receive(buffer, until)
    }
}

#[test]
fn each_message_of_a_request_is_sent_when_the_one_before_is_answered() {
    const TWICE: Protocol = Protocol {
        encode: |request, sequence| {
            [(TCP.encode)(request, sequence), (TCP.encode)(request, sequence)].concat()
        },
        ..TCP
    };
    let request = Request::new(&TWICE, StateSet::ALL, Extensions::NONE);
    for (last, complete) in [(0, true), (-2, false)] {
        let script = |socket: Vec<u8>, code| Script([Ok(([socket, done(code)].concat(), 0))].into());
        let kernel = Sequence([script(socket(1), 0), script(socket(2), last)].into(), None);
        let until = Instant::now() + Duration::from_secs(5);
        let (cookies, dumped) = dump(kernel, &request, until, Vec::new(), note);
        assert_eq!(cookies, [1, 2]);
        match dumped {
            Ok(stats) => assert_eq!((stats.sockets, complete), (2, true)),
            Err(error) => assert!(!complete && error.is_of_missing_protocol(), "{error}"),
        }
    }
}

#[test]
fn the_kernel_reports_a_missing_protocol_in_either_of_two_messages() {
    for code in [done(-2), message(ERROR, SEQUENCE, &(-2_i32).to_ne_bytes())] {
        let (result, _) = run(from_kernel([code]));
        assert!(result.is_err_and(|error| error.is_of_missing_protocol()));
    }
    let (result, _) = run(from_kernel([done(-1)]));
    assert!(result.is_err_and(|error| !error.is_of_missing_protocol()));
}
