//! A network namespace with a name inside that of a test, and being in it.

use std::fs::File;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsFd as _;
use std::process::{Command, Stdio};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// Runs a command that has to succeed.
pub fn run(line: &str) {
    let mut words = line.split(' ');
    let status = Command::new(words.next().expect("a command")).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{line}");
}

/// Has `ip` run these commands, one a line.
pub fn ip(lines: &str) {
    let mut ip = Command::new("ip").args(["-batch", "-"]).stdin(Stdio::piped()).spawn().expect("iproute2");
    ip.stdin.take().expect("a pipe").write_all(lines.as_bytes()).expect("room");
    assert!(ip.wait().is_ok_and(|status| status.success()), "{lines}");
}

/// A network namespace of `ip netns`; deleted with its guard.
pub struct Inner(pub String);

impl Inner {
    /// Makes one without an nsid in ours: the kernel sends no close events of it.
    pub fn apart(name: &str) -> Self {
        run(&format!("ip netns add {name}"));
        run(&format!("ip -n {name} link set lo up"));
        Self(name.to_owned())
    }

    /// Makes one that a veth pair connects with ours, which gives it an nsid. Its end is called `there`.
    pub fn connected(name: &str) -> Self {
        let inner = Self::apart(name);
        inner.connect();
        inner
    }

    /// Connects it with ours.
    pub fn connect(&self) {
        let Self(name) = self;
        run(&format!("ip link add to-{name} type veth peer name there netns {name}"));
    }

    /// Runs `work` on a thread inside; what it opens or starts stays there.
    pub fn within<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let file = File::open(format!("/run/netns/{}", self.0)).expect("the namespace");
        std::thread::scope(|scope| {
            let inside = scope.spawn(move || {
                move_into_link_name_space(file.as_fd(), Some(LinkNameSpaceType::Network)).expect("root");
                drop(file);
                work()
            });
            inside.join().expect("no failure inside")
        })
    }

    /// A listener at a port of 127.0.0.1 inside.
    pub fn listen(&self, port: u16) -> TcpListener {
        self.within(|| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).expect("a free port"))
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        // A test that asks whether it is gone notices if this fails.
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}
