//! A dump that the kernel really holds.

use std::time::{Duration, Instant};

use sockdiag::{DumpError, Extensions, Netlink, Request, StateSet, TCP, dump};

use super::enter;
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
        dump(kernel, &request(extensions), Instant::now() + time, |_| {})
    };
    let result = ask(Extensions::INFO, Duration::from_millis(200));
    let Err(DumpError::Deadline(dump)) = result else { panic!("{result:?}") };
    assert!(dump.is_stuck());
    // The lock is taken for tcp_info alone.
    ask(Extensions::NONE, Duration::from_secs(10)).expect("a complete dump");
    assert!(dump.is_stuck());
    drop(holder);
    while dump.is_stuck() {
        std::thread::yield_now();
    }
    ask(Extensions::INFO, Duration::from_secs(10)).expect("a complete dump");
}
