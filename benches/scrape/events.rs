//! What the kernel's events of closing sockets cost: CPU time of the exporter for each, and of readers that discard them; and
//! how much slower it makes connections that nothing else holds back.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::sockopt::{set_socket_recv_buffer_size, set_socket_recv_buffer_size_force};
use rustix::net::{AddressFamily, RecvFlags, SocketFlags, SocketType, bind, recv, socket_with};

use super::compare::median;
use super::exporter::{Exporter, SERVICES};
use super::readers::cpu_of_thread;
use testkit::traffic::{End, Lanes};

const SECONDS: u32 = 5;
/// Two sockets close with each connection.
const CONNECTIONS_PER_SECOND: u32 = 2_500;
/// Until the last events have come.
const AFTER: Duration = Duration::from_millis(500);
/// Of the bare reader that waits.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections of one measurement of their speed.
const UNCAPPED: u32 = 6_000;
/// How often it is measured.
const TURNS: usize = 9;
/// The groups `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY` as a mask.
const TCP_DESTROY: u32 = 0b101;

/// What the closes of one load took a reader.
struct Taken {
    sockets: u32,
    cpu: Duration,
}

impl Taken {
    fn microseconds_each(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / f64::from(self.sockets)
    }
}

/// Prints a row for each reader, and then how fast connections are beside them.
pub fn run() {
    let lanes = Lanes::open(2).expect("listeners");
    let readers = [("bare reader, woken by each event", None), ("bare reader, every 10 ms", Some(PAUSE))];
    let readers = readers.map(|(name, pause)| {
        let (cpu, sockets) = beside_bare_reader(pause, || close(&lanes));
        (name, Taken { sockets, cpu })
    });
    let exporter = Exporter::configured(SERVICES);
    let taken = of_exporter(&lanes, &exporter);
    let bare = readers[0].1.microseconds_each();
    println!(
        "\n| {} sockets closed, {} per second | CPU (us) for each | x bare reader |",
        taken.sockets,
        2 * CONNECTIONS_PER_SECOND
    );
    println!("|---|---|---|");
    for (name, taken) in readers.iter().map(|(name, taken)| (*name, taken)).chain([("exporter", &taken)]) {
        println!("| {name} | {:.2} | {:.2} |", taken.microseconds_each(), taken.microseconds_each() / bare);
    }
    println!(
        "\nThe exporter missed {} events, and took {:.1} MiB of memory at most.",
        exporter.value::<u64>("ss_exporter_destroy_events_dropped_total"),
        exporter.peak_mib(),
    );
    // An exporter that runs would listen.
    drop(exporter);
    println!("\n| {UNCAPPED} connections without a pause | each (us) | x speed without a reader |");
    println!("|---|---|---|");
    for (name, number) in ["one thread", "two threads"].into_iter().zip(1..) {
        let times = uncapped(&Lanes::open(number).expect("listeners"));
        let alone = median(&times[0]).as_secs_f64();
        for (reader, times) in
            ["no reader", "the bare reader, every 10 ms", "the exporter"].iter().zip(&times)
        {
            let time = median(times).as_secs_f64();
            let each = time * 1e6 / f64::from(UNCAPPED);
            println!("| {name}, {reader} | {each:.1} | {:.2} |", alone / time);
        }
    }
}

/// How long connections took that nothing else holds back: without a reader, with the bare one, and with an exporter, in turn.
fn uncapped(lanes: &Lanes) -> [Vec<Duration>; 3] {
    let time = || {
        let start = Instant::now();
        lanes.run(0..UNCAPPED, f64::INFINITY, &End::ALL).expect("connections");
        let time = start.elapsed();
        std::thread::sleep(AFTER);
        time
    };
    let beside_exporter = || {
        let exporter = Exporter::configured(SERVICES);
        exporter.scrape("identity");
        time()
    };
    // The first one warms up.
    time();
    let mut times = [const { Vec::new() }; 3];
    for turn in 0..TURNS {
        // Each is the first, the second and the last equally often.
        for way in (0..3).map(|way| (way + turn) % 3) {
            times[way].push(match way {
                0 => time(),
                1 => beside_bare_reader(Some(PAUSE), time).1,
                _ => beside_exporter(),
            });
        }
    }
    times
}

/// Makes connections and closes them. How many sockets closed.
fn close(lanes: &Lanes) -> u32 {
    let connections = 0..CONNECTIONS_PER_SECOND * SECONDS;
    let truth = lanes.run(connections, CONNECTIONS_PER_SECOND.into(), &End::ALL).expect("connections");
    std::thread::sleep(AFTER);
    u32::try_from(2 * truth.connections).expect("few")
}

fn of_exporter(lanes: &Lanes, exporter: &Exporter) -> Taken {
    exporter.scrape("identity");
    let start = exporter.cpu();
    std::thread::sleep(Duration::from_secs(SECONDS.into()) + AFTER);
    let idle = exporter.cpu_since(start);
    let start = exporter.cpu();
    let sockets = close(lanes);
    Taken { sockets, cpu: exporter.cpu_since(start).saturating_sub(idle) }
}

/// What `act` says, beside a thread that receives each event into the same buffer, at once or after a pause; before it, the CPU
/// time of that thread.
fn beside_bare_reader<T>(pause: Option<Duration>, act: impl FnOnce() -> T) -> (Duration, T) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket =
        socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG)).expect("netlink");
    // As the exporter's by default.
    set_socket_recv_buffer_size_force(&socket, 4 << 20)
        .or_else(|_| set_socket_recv_buffer_size(&socket, 4 << 20))
        .expect("an option of every socket");
    bind(&socket, &SocketAddrNetlink::new(0, TCP_DESTROY)).expect("a group of the kernel");
    let ends = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| discard(&socket, pause, &ends));
        let said = act();
        ends.store(true, Ordering::Relaxed);
        (reader.join().expect("a reader"), said)
    })
}

/// Discards what comes until `ends` is set. The CPU time of this thread.
fn discard(socket: &OwnedFd, pause: Option<Duration>, ends: &AtomicBool) -> Duration {
    let (before, mut buffer) = (cpu_of_thread(), vec![0; 2048]);
    let tenth = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
    while !ends.load(Ordering::Relaxed) {
        poll(&mut [PollFd::new(socket, PollFlags::IN)], Some(&tenth)).expect("events");
        pause.into_iter().for_each(std::thread::sleep);
        while recv(socket, &mut *buffer, RecvFlags::empty()).is_ok() {}
    }
    cpu_of_thread().saturating_sub(before)
}
