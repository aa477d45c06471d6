//! The scenarios: each makes one thing the limit of a connection, far from the thresholds of the rules.

use std::time::Duration;

use ss_exporter::bottleneck::Bottleneck::{
    self, AcceptQueue, Application, Connecting, Idle, Loss, NotReading, Path, PeerNotReading, PeerWindow,
    Queueing, Receiving, SendBuffer, Stalled,
};
use testkit::link::Link;

use super::ends::{Reader, Reads, Sender, Sends};

/// The end whose side of the connection is sampled.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    Near,
    Far,
}

/// One connection, and what limits it.
pub struct Scenario {
    pub name: &'static str,
    pub link: Link,
    pub sender: Sender,
    pub reader: Reader,
    /// Whether the link loses everything once the connection has been made, or before that.
    pub cut: Cut,
    pub seen: Seen,
    /// Bytes per second that an interval of this scenario carries at least.
    pub carries: u32,
    pub expected: Bottleneck,
}

/// When a link begins to lose everything.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    Never,
    /// While data flows.
    Later,
    Before,
}

/// A process sends all it can over 20 Mb/s and 40 ms, the peer reads all, and nothing is lost by chance.
const BULK: Scenario = Scenario {
    name: "",
    link: Link { round_trip: ms(40), rate: 20e6, queue: 64_000, loss: 0.0 },
    sender: Sender { sends: Sends::Everything, congestion_control: "cubic", buffer: None },
    reader: Reader { reads: Reads::Everything, buffer: None },
    cut: Cut::Never,
    seen: Seen::Near,
    carries: 50_000,
    expected: Path,
};
/// A process that waits longer than it sends, 20 ms away.
const CHATTY: Scenario = Scenario {
    link: Link { round_trip: ms(20), ..BULK.link },
    carries: 10_000,
    expected: Application,
    ..BULK
};
const BBR: Sender = Sender { congestion_control: "bbr", ..BULK.sender };

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

const fn sends(sends: Sends) -> Sender {
    Sender { sends, ..BULK.sender }
}

const fn reads(reads: Reads) -> Reader {
    Reader { reads, ..BULK.reader }
}

pub const SCENARIOS: [Scenario; 20] = [
    Scenario {
        name: "no answer to the SYN",
        sender: sends(Sends::Nothing),
        cut: Cut::Before,
        carries: 0,
        expected: Connecting,
        ..BULK
    },
    Scenario {
        name: "never accepted, at the server",
        sender: sends(Sends::Once(1000)),
        reader: reads(Reads::NoConnection),
        seen: Seen::Far,
        carries: 0,
        expected: AcceptQueue,
        ..BULK
    },
    Scenario { name: "link cut during a transfer", cut: Cut::Later, carries: 0, expected: Stalled, ..BULK },
    Scenario {
        name: "reader stopped, at the sender",
        reader: reads(Reads::Nothing),
        carries: 0,
        expected: PeerNotReading,
        ..BULK
    },
    Scenario {
        name: "reader stopped, at the reader",
        reader: reads(Reads::Nothing),
        seen: Seen::Far,
        carries: 0,
        expected: NotReading,
        ..BULK
    },
    Scenario { name: "nothing sent", sender: sends(Sends::Nothing), carries: 0, expected: Idle, ..BULK },
    Scenario {
        name: "receive buffer of 16 KiB, cubic",
        link: Link { round_trip: ms(50), ..BULK.link },
        reader: Reader { buffer: Some(16 << 10), ..BULK.reader },
        expected: PeerWindow,
        ..BULK
    },
    Scenario {
        name: "receive buffer of 16 KiB, bbr",
        link: Link { round_trip: ms(50), ..BULK.link },
        sender: BBR,
        reader: Reader { buffer: Some(16 << 10), ..BULK.reader },
        expected: PeerWindow,
        ..BULK
    },
    Scenario {
        name: "reader takes 64 KB every 200 ms",
        reader: reads(Reads::Every(ms(200), 64_000)),
        expected: PeerWindow,
        ..BULK
    },
    Scenario {
        name: "send buffer of 16 KiB, cubic",
        link: Link { round_trip: ms(50), ..BULK.link },
        sender: Sender { buffer: Some(16 << 10), ..BULK.sender },
        expected: SendBuffer,
        ..BULK
    },
    Scenario {
        name: "send buffer of 16 KiB, bbr",
        link: Link { round_trip: ms(50), ..BULK.link },
        sender: Sender { buffer: Some(16 << 10), ..BBR },
        expected: SendBuffer,
        ..BULK
    },
    Scenario { name: "download, at the receiver", seen: Seen::Far, expected: Receiving, ..BULK },
    Scenario { name: "4 KB every 200 ms", sender: sends(Sends::Every(ms(200), 4_000)), ..CHATTY },
    Scenario {
        name: "4 KB every 20 ms: always in flight",
        sender: sends(Sends::Every(ms(20), 4_000)),
        ..CHATTY
    },
    Scenario {
        name: "40 KB every 50 ms: bursts at a third of the rate",
        sender: sends(Sends::Every(ms(50), 40_000)),
        ..CHATTY
    },
    Scenario {
        name: "3 % loss, cubic",
        link: Link { round_trip: ms(20), loss: 0.03, ..BULK.link },
        expected: Loss,
        ..BULK
    },
    Scenario {
        name: "2 % loss, bbr",
        link: Link { rate: 8e6, loss: 0.02, ..BULK.link },
        sender: BBR,
        expected: Loss,
        ..BULK
    },
    Scenario {
        name: "queue of 3 MB before 8 Mb/s",
        link: Link { round_trip: ms(25), rate: 8e6, queue: 3_000_000, loss: 0.0 },
        expected: Queueing,
        ..BULK
    },
    Scenario {
        name: "queue of 40 KB before 10 Mb/s",
        link: Link { round_trip: ms(60), rate: 10e6, queue: 40_000, loss: 0.0 },
        ..BULK
    },
    Scenario { name: "20 Mb/s, bbr", sender: BBR, ..BULK },
];
