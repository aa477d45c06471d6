//! A dump that the kernel really holds.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use ss_exporter::sockdiag::{DumpError, Extensions, Netlink, Request, StateSet, dump};

use super::enter;

/// A process that sits in a page fault inside `recv(2)`; it ends with its guard.
struct Holder(Child);

impl Holder {
    fn start() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernel/held.py");
        let mut child = Command::new("python3").arg(program).stdout(Stdio::piped()).spawn().expect("python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("a line");
        let holder = Self(child);
        assert_eq!(line, "held\n", "userfaultfd(2) needs root");
        holder
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_dump_that_a_process_in_a_page_fault_holds_is_left_behind_until_that_process_is_gone() {
    if enter() {
        return;
    }
    let holder = Holder::start();
    let request = |extensions| Request { states: StateSet::ALL, extensions, filter: None };
    let ask = |extensions, time| {
        let kernel = Netlink::open().expect("sock_diag");
        dump(kernel, &request(extensions), Instant::now() + time, |_| {})
    };
    let result = ask(Extensions::INFO, Duration::from_millis(200));
    let Err(DumpError::Deadline(held)) = result else { panic!("{result:?}") };
    assert!(held.is_held());
    // The lock is taken for tcp_info alone.
    ask(Extensions::NONE, Duration::from_secs(10)).expect("a complete dump");
    assert!(held.is_held());
    drop(holder);
    while held.is_held() {
        std::thread::yield_now();
    }
    ask(Extensions::INFO, Duration::from_secs(10)).expect("a complete dump");
}
