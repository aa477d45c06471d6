//! A process of a name of its own that does what it is told (`actor.py`).
//!
//! Refuses to know what is promised of it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that ends with the test.
pub struct Actor {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Actor {
    /// Starts one of that name, which holds no TCP socket yet.
    pub fn new(name: &str) -> Self {
        Self::start(name, &[])
    }

    /// One that does everything in a thread that is not its main one.
    pub fn in_a_thread(name: &str) -> Self {
        Self::start(name, &["thread"])
    }

    fn start(name: &str, arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/owners/actor.py");
        let mut command = Command::new("python3");
        command.args(["-I", script]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut actor = Self { orders: child.stdin.take(), child, answers };
        actor.does(&format!("name {name}"));
        actor
    }

    /// One that has so many connections to a port.
    pub fn connected(name: &str, port: u16, count: usize) -> (Self, Vec<u16>) {
        let mut actor = Self::new(name);
        let ports = actor.connects(port, count);
        (actor, ports)
    }

    /// Its id where it was started.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Has it do something and waits until it is done.
    pub fn does(&mut self, order: &str) -> String {
        self.begins(order);
        self.has_done()
    }

    /// Has it begin something.
    pub fn begins(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("it takes orders");
        writeln!(orders, "{order}").unwrap_or_else(|error| panic!("{order}: {error}"));
    }

    /// Waits until it has done what it has begun, and returns its answer.
    pub fn has_done(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("text");
        assert!(answer.ends_with('\n'), "the actor failed");
        answer.trim_end().to_owned()
    }

    /// Has it connect so often; returns the local ports.
    pub fn connects(&mut self, port: u16, count: usize) -> Vec<u16> {
        let ports = self.does(&format!("connect {port} {count}"));
        ports.split(' ').map(|port| port.parse().expect("a port")).collect()
    }

    /// Ends it, and returns when it has ended.
    pub fn ends(self) {
        drop(self);
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // Who shares its sockets ends with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
