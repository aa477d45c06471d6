//! Which end opened a connection, as the kernel's counters say it, in every state and at every end.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use sockdiag::{Events, Extensions, Request, Socket, StateSet, TCP};

use super::{dump_now, enter};

/// What the counters of an end say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    Connected,
    Accepted,
    Unknown,
    /// The kernel reports no counters.
    Silent,
}

impl Says {
    fn of(word: &str) -> Self {
        match word {
            "connected" => Self::Connected,
            "accepted" => Self::Accepted,
            "unknown" => Self::Unknown,
            "silent" => Self::Silent,
            other => panic!("found {other}; expected what an end says"),
        }
    }

    fn by(socket: &Socket<'_>) -> Self {
        match socket.initiated() {
            Some(true) => Self::Connected,
            Some(false) => Self::Accepted,
            None => Self::Unknown,
        }
    }
}

/// An end of a connection, and what its counters say while it is open and when it has closed.
struct Expected {
    local: u16,
    remote: u16,
    open: Says,
    closed: Says,
}

impl Expected {
    fn of(line: &str) -> Self {
        let words: Vec<_> = line.split_whitespace().collect();
        let port = |at: usize| words[at].parse().expect("a port");
        Self { local: port(0), remote: port(1), open: Says::of(words[2]), closed: Says::of(words[3]) }
    }

    /// Whether that is the end; the port 0 is any.
    fn is(&self, socket: &Socket<'_>) -> bool {
        let same = |expected, port| if expected == 0 { port != 0 } else { port == expected };
        same(self.local, socket.local().port()) && same(self.remote, socket.remote().port())
    }
}

/// The script that makes the ends.
struct Ends {
    script: Child,
    answers: BufReader<ChildStdout>,
    orders: ChildStdin,
}

impl Ends {
    fn of(case: &str) -> Self {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel/ends.py");
        let mut python = Command::new("python3");
        python.args(["-B", path, case]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut script = python.spawn().expect("python3");
        let answers = BufReader::new(script.stdout.take().expect("its output"));
        let orders = script.stdin.take().expect("its input");
        Self { script, answers, orders }
    }

    /// The lines up to an empty one, or to the end.
    fn lines(&mut self) -> Vec<Expected> {
        let lines = self.answers.by_ref().lines().map(|line| line.expect("text"));
        lines.take_while(|line| !line.is_empty()).map(|line| Expected::of(&line)).collect()
    }

    fn close(&mut self) -> Vec<Expected> {
        self.orders.write_all(b"\n").expect("an order");
        let more = self.lines();
        assert!(self.script.wait().expect("its end").success());
        more
    }
}

/// What the kernel says of the ends while they are open and when they have closed.
fn check(case: &str) {
    let mut events = Events::subscribe(&[&TCP], 1 << 20, false).expect("a subscription");
    let mut ends = Ends::of(case);
    let mut expected = ends.lines();
    let request = Request::new(&TCP, StateSet::ALL, Extensions::INFO);
    let mut seen = vec![0; expected.len()];
    dump_now(&request, |socket| {
        for (end, seen) in expected.iter().zip(&mut seen).filter(|(end, _)| end.is(socket)) {
            assert_eq!(Says::by(socket), end.open, "{case}: open, {}", socket.local());
            *seen += 1;
        }
    });
    assert!(!seen.contains(&0), "{case}: an end is not there");
    expected.extend(ends.close());
    let mut seen = vec![0; expected.len()];
    // MPTCP closes subflows some time after the connection.
    let most = |seen: &[u32]| {
        let missing = |(end, seen): (&Expected, &u32)| *seen == 0 && end.closed != Says::Silent;
        let any = expected.iter().zip(seen).any(missing);
        Duration::from_secs(if any { 10 } else { 0 })
    };
    while events.wait(Some(most(&seen))).expect("events") {
        assert!(!events.read().expect("events"), "{case}: events were dropped");
        for (_, socket) in events.sockets() {
            for (end, seen) in expected.iter().zip(&mut seen).filter(|(end, _)| end.is(&socket)) {
                assert_eq!(Says::by(&socket), end.closed, "{case}: closed, {}", socket.local());
                *seen += 1;
            }
        }
    }
    for (end, seen) in expected.iter().zip(seen) {
        assert_eq!(seen == 0, end.closed == Says::Silent, "{case}: {} to {}", end.local, end.remote);
    }
}

/// A test that runs cases of the script in a namespace of its own.
macro_rules! cases {
    ($($name:ident: $($case:ident)*;)*) => {
        $(
            #[test]
            fn $name() {
                if enter() {
                    return;
                }
                $(check(stringify!($case));)*
            }
        )*
    };
}

cases! {
    the_end_that_connected_is_known_without_its_listener: idle idle_v6 payload from_a_listening_port;
    payload_that_waits_or_is_sent_again_hides_no_initiator: full_queues retransmissions payload_that_is_lost;
    a_fin_in_any_state_hides_no_initiator: half_closed fin_behind_a_queue fin_on_its_way last_fin_on_its_way closing;
    before_the_handshake_has_ended_the_initiator_is_known: half_open refused fast_open_before_the_last_acknowledgement;
    fast_open_hides_no_initiator: fast_open;
    both_ends_of_a_simultaneous_open_connected: to_itself simultaneously;
    an_end_that_was_reset_names_the_initiator_or_nothing: reset fin_with_the_last_payload;
    a_socket_that_connects_again_begins_again: connected_again;
    the_subflows_of_mptcp_have_an_initiator: multipath;
    a_restored_connection_has_none: restored_and_used restored;
}
