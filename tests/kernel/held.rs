//! A dump that the kernel really holds.

use std::net::{Ipv4Addr, UdpSocket};
use std::time::{Duration, Instant};

use sockdiag::{DumpError, Extensions, Netlink, Replies, Request, StateSet, TCP};

use super::enter;
use ss_exporter::collection::{CollectorState, collect};
use ss_exporter::{config::Config, exposition::Format, plan::Plan, privileges::Privileges};
use testkit::host::{ThisNetns, exposition};
use testkit::stuck::StuckSocket;

#[test]
fn a_dump_that_a_process_in_a_page_fault_holds_is_left_behind_until_that_process_is_gone() {
    if enter() {
        return;
    }
    let holder = StuckSocket::start();
    let request = |extensions| Request::new(&TCP, StateSet::ALL, extensions);
    let ask = |extensions, time| {
        let kernel = Netlink::open().expect("sock_diag");
        Replies::dump(kernel, &request(extensions), Instant::now() + time).1
    };
    let result = ask(Extensions::INFO, Duration::from_millis(200));
    let Err(DumpError::Deadline(dump)) = result else { panic!("{result:?}") };
    // Its thread may not have come as far yet.
    while !dump.is_stuck() {
        std::thread::yield_now();
    }
    // The lock is taken for tcp_info alone.
    ask(Extensions::NONE, Duration::from_secs(10)).expect("a complete dump");
    assert!(dump.is_stuck());
    drop(holder);
    while dump.is_stuck() {
        std::thread::yield_now();
    }
    ask(Extensions::INFO, Duration::from_secs(10)).expect("a complete dump");
}

#[test]
fn a_dump_that_the_kernel_holds_holds_up_no_other_protocol() {
    if enter() {
        return;
    }
    let _udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let config = "collect: {deadline: 1s}
views: {t: {metrics: [sent_bytes_total]}, u: {protocol: udp, metrics: [sockets]}}";
    let plan = Plan::new(Config::parse("test.yml", config).expect("a valid configuration"));
    let mut state = CollectorState::new(&plan, Privileges::default());
    let holder = StuckSocket::start();
    // The first collection waits for the dump of TCP until its deadline, the next know that it is held.
    let _ = collect(&plan, &ThisNetns, &mut state);
    let snapshot = collect(&plan, &ThisNetns, &mut state);
    assert!(!snapshot.report.success(), "TCP is held: {:?}", snapshot.report);
    assert!(exposition(&snapshot, Format::Text).contains("\nss_u_sockets 1\n"));
    drop(holder);
}
