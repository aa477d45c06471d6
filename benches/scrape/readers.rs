//! Other readers of all sockets: the bare dump, an eBPF iterator, and `ss`.

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sockdiag::{Extensions, Netlink, Ports, Request, Socket, State, StateSet, TCP, Transport as _, dump};

use super::exporter::{Reading, cpu_of_children};
use super::programs::{self, SS};

/// One walk over both families, `tcp_info` only, 32 KiB reads, every byte discarded.
pub fn bare_dump() -> Reading {
    bare_walk(&bare_request())
}

/// The same in two walks at once, of halves that meet at these ports.
pub fn bare_dump_in_halves(at: Ports) -> Reading {
    let start = Instant::now();
    let halves = bare_request().halves(at).expect("halves");
    let readings = std::thread::scope(|scope| {
        let walks = halves.each_ref().map(|half| scope.spawn(|| bare_walk(half)));
        walks.map(|walk| walk.join().expect("a walk"))
    });
    let [one, other] = readings;
    Reading { wall: start.elapsed(), cpu: one.cpu + other.cpu, bytes: one.bytes + other.bytes }
}

/// Where the halves of the sockets meet.
pub fn middle() -> Ports {
    let (kernel, until) = (Netlink::open().expect("sock_diag"), Instant::now() + Duration::from_mins(1));
    let each = |ports: &mut Vec<Ports>, sockets: &[Socket<'_>]| {
        ports.extend(sockets.iter().map(|socket| (socket.local().port(), socket.remote().port())));
    };
    let (mut ports, dumped) = dump(kernel, &bare_request(), until, Vec::new(), each);
    dumped.expect("a dump");
    let middle = ports.len() / 2;
    *ports.select_nth_unstable(middle).1
}

fn bare_request() -> Request {
    let unwanted = [State::Listen, State::Close, State::TimeWait, State::SynRecv];
    let wanted = StateSet::ALL.without(StateSet::of(&unwanted));
    Request::new(&TCP, wanted, Extensions::INFO)
}

/// What the kernel answers to a request, in 32 KiB reads, every byte discarded. Each walk ends with a message of its own.
pub fn bare_walk(request: &Request) -> Reading {
    let (start, before) = (Instant::now(), cpu_of_thread());
    let mut kernel = Netlink::open().expect("sock_diag");
    kernel.send(&request.message(1)).expect("the request");
    let mut buffer = vec![0; 32 * 1024];
    let mut bytes = 0;
    loop {
        let length = kernel.receive(&mut buffer, start + Duration::from_mins(1)).expect("a reply").length;
        bytes += length;
        // NLMSG_DONE is the last message: a header of 16 bytes and an error number.
        if length >= 20 && buffer[length - 20..length - 14] == [20, 0, 0, 0, 3, 0] {
            return Reading { wall: start.elapsed(), cpu: cpu_of_thread().saturating_sub(before), bytes };
        }
    }
}

/// The CPU time that this thread has taken.
pub fn cpu_of_thread() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(time).expect("a time")
}

/// An eBPF iterator over the same sockets, every byte discarded; `None` if this machine runs none. Its start does not count.
pub fn iterator() -> Option<Reading> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scrape/iterator.py");
    let output = Command::new("python3").arg(script).stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let numbers: Vec<u64> = text.split_whitespace().map(str::parse).collect::<Result<_, _>>().ok()?;
    let [bytes, wall, cpu] = numbers[..] else { return None };
    let (wall, cpu) = (Duration::from_micros(wall), Duration::from_micros(cpu));
    Some(Reading { wall, cpu, bytes: usize::try_from(bytes).ok()? })
}

/// `ss` with these flags, every byte read and discarded.
pub fn ss(flags: &str) -> Reading {
    let (start, before) = (Instant::now(), cpu_of_children());
    let mut child =
        programs::command(SS).arg(flags).stdout(Stdio::piped()).spawn().expect("the package iproute2");
    let mut buffer = vec![0; 64 * 1024];
    let mut bytes = 0;
    let mut out = child.stdout.take().expect("a pipe");
    while let Ok(length @ 1..) = out.read(&mut buffer) {
        bytes += length;
    }
    child.wait().expect("ss");
    Reading { wall: start.elapsed(), cpu: cpu_of_children().saturating_sub(before), bytes }
}
