//! A link between two network namespaces with a delay, a rate, a queue and loss: `link.py`, or the kernel's netem if the
//! variable `NETEM` is set.
//!
//! It is Python because safe Rust cannot attach to a TUN interface. Few kernels have netem, but it takes less time.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::Ipv4Addr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use crate::inner::{Inner, run};

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

/// A link that carries packets until its guard or its namespaces end.
pub struct RunningLink(Carrier);

/// What carries packets.
enum Carrier {
    Program { child: Child, orders: ChildStdin },
    Netem { ends: [String; 2] },
}

/// Bytes of a packet that is as long as the interface allows, with its Ethernet header.
const PACKET: f64 = 1514.0;

impl Link {
    /// Connects two namespaces, each with an interface `link` of its own.
    pub fn connect(&self, near: &Inner, far: &Inner) -> RunningLink {
        if std::env::var_os("NETEM").is_some() {
            self.by_netem(near, far)
        } else {
            self.by_program(near, far)
        }
    }

    fn by_netem(&self, Inner(near): &Inner, Inner(far): &Inner) -> RunningLink {
        let delay = self.round_trip.as_secs_f64() / 2.0;
        // What is on its way counts as waiting.
        let limit = ((f64::from(self.queue) + self.rate / 8.0 * delay) / PACKET).ceil();
        run(&format!("ip link add dev link netns {near} type veth peer name link netns {far}"));
        for (end, own, peer) in [(near, NEAR, FAR), (far, FAR, NEAR)] {
            // A packet of many segments would be lost, or wait, as one. A cut link resolves no address: without ARP, the
            // other end has the address of this one.
            run(&format!("ip -n {end} link set dev link address 02:00:00:00:00:01 arp off gso_max_segs 1"));
            run(&format!("ip -n {end} address add {own} peer {peer} dev link"));
            run(&format!("ip -n {end} link set dev link up"));
        }
        let (delay, rate, loss) = (delay * 1e6, self.rate, self.loss * 100.0);
        let add = "qdisc add dev link root netem delay";
        run(&format!("tc -n {near} {add} {delay}us rate {rate}bit limit {limit} loss {loss}%"));
        run(&format!("tc -n {far} {add} {delay}us limit 100000"));
        RunningLink(Carrier::Netem { ends: [near.clone(), far.clone()] })
    }

    fn by_program(&self, near: &Inner, far: &Inner) -> RunningLink {
        let numbers =
            [self.round_trip.as_secs_f64() / 2.0, self.rate / 8.0, f64::from(self.queue), self.loss];
        let mut command = Command::new("python3");
        command
            .args(["-I", "-c", include_str!("link.py"), &near.0, &far.0])
            .args(numbers.map(|number| number.to_string()));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("python3");
        let orders = child.stdin.take().expect("a pipe");
        let mut answer = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut answer).expect("text");
        assert_eq!(answer, "ready\n", "the link failed");
        RunningLink(Carrier::Program { child, orders })
    }
}

impl RunningLink {
    /// Loses every packet from now on.
    pub fn cut(&mut self) {
        match &mut self.0 {
            Carrier::Program { orders, .. } => writeln!(orders, "cut").expect("it runs"),
            Carrier::Netem { ends } => {
                for end in ends {
                    run(&format!("tc -n {end} qdisc change dev link root netem loss 100%"));
                }
            }
        }
    }
}

impl Drop for RunningLink {
    fn drop(&mut self) {
        // Netem ends with the namespaces.
        if let Carrier::Program { child, .. } = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
