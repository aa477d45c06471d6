//! A process that has the kernel hold dumps.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

/// A process that sits in a page fault inside `recv(2)`; it ends with its guard.
pub struct Holder(Child);

impl Holder {
    /// Starts one in the network namespace of this thread, with a connection of its own.
    ///
    /// # Panics
    /// If it does not hold.
    pub fn start() -> Self {
        let program = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/held.py");
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
