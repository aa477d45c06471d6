//! A link between two network namespaces with a delay, a rate, a queue and loss: `link.py`.
//!
//! It is Python because safe Rust cannot attach to a TUN interface. A kernel's netem would do the same; few have it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::inner::Inner;

/// The address of the near end.
pub const NEAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// The address of the far end.
pub const FAR: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// What a link does to packets. All but the delay concerns those from the near end to the far one.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    /// The round-trip time when nothing waits.
    pub round_trip: Duration,
    /// Bits per second.
    pub rate: f64,
    /// Bytes that wait at most; what comes then is lost.
    pub queue: u32,
    /// The share of packets that are lost, 0 to 1.
    pub loss: f64,
}

/// A link that carries packets until its guard ends.
pub struct RunningLink {
    child: Child,
    orders: ChildStdin,
}

impl Link {
    /// Connects two namespaces, each with an interface `link` of its own.
    pub fn connect(&self, near: &Inner, far: &Inner) -> RunningLink {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/link.py");
        let numbers =
            [self.round_trip.as_secs_f64() / 2.0, self.rate / 8.0, f64::from(self.queue), self.loss];
        let mut command = Command::new("python3");
        command.args(["-I", script, &near.0, &far.0]).args(numbers.map(|number| number.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
        let orders = child.stdin.take().expect("a pipe");
        let mut answer = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut answer).expect("text");
        assert_eq!(answer, "ready\n", "the link failed");
        RunningLink { child, orders }
    }
}

impl RunningLink {
    /// Loses every packet from now on.
    pub fn cut(&mut self) {
        writeln!(self.orders, "cut").expect("it runs");
    }
}

impl Drop for RunningLink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
