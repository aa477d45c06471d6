//! A process that does what a test orders: `actor.py`.
//!
//! It is Python because safe Rust can neither fork, nor end its main thread alone, nor hand out a page that is never
//! filled; and because an interpreter is an owner that tests need.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A process that takes orders. It ends with its guard.
pub struct Actor {
    child: Child,
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Actor {
    /// Starts one of that name, without TCP sockets.
    pub fn new(name: &str) -> Self {
        Self::start(name, &[])
    }

    /// Starts one that does everything in a thread other than its main one.
    pub fn in_a_thread(name: &str) -> Self {
        Self::start(name, &["thread"])
    }

    fn start(name: &str, arguments: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/actor.py");
        let mut command = Command::new("python3");
        command.args(["-I", script]).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("python3");
        let answers = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut actor = Self { orders: child.stdin.take(), child, answers };
        actor.does(&format!("name {name}"));
        actor
    }

    /// Starts one with `count` connections to a port. Returns its local ports, too.
    pub fn connected(name: &str, port: u16, count: usize) -> (Self, Vec<u16>) {
        let mut actor = Self::new(name);
        let ports = actor.connects(port, count);
        (actor, ports)
    }

    /// Its process id where it was started.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Orders something and waits for the answer.
    pub fn does(&mut self, order: &str) -> String {
        self.begins(order);
        self.has_done()
    }

    /// Orders something.
    pub fn begins(&mut self, order: &str) {
        let orders = self.orders.as_mut().expect("it takes orders");
        writeln!(orders, "{order}").unwrap_or_else(|error| panic!("{order}: {error}"));
    }

    /// Waits for the answer to the last order.
    pub fn has_done(&mut self) -> String {
        let mut answer = String::new();
        self.answers.read_line(&mut answer).expect("text");
        assert!(answer.ends_with('\n'), "the actor failed");
        answer.trim_end().to_owned()
    }

    /// Orders `count` connections to a port. Returns the local ports.
    pub fn connects(&mut self, port: u16, count: usize) -> Vec<u16> {
        let ports = self.does(&format!("connect {port} {count}"));
        ports.split(' ').map(|port| port.parse().expect("a port")).collect()
    }

    /// Kills it, and returns when it has ended.
    pub fn ends(self) {
        drop(self);
    }
}

impl Drop for Actor {
    fn drop(&mut self) {
        // The processes that share its sockets end with it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
