//! A process whose executable has a name of its own, and whose one socket somebody else made.

use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};

/// A copy of sleep(1) under a name of its own whose standard input is a connection that this process made.
pub struct Sleeper {
    child: Child,
    _folder: tempfile::TempDir,
}

impl Sleeper {
    pub fn new(name: &str, connection: TcpStream) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let program = folder.path().join(name);
        std::fs::copy("/bin/sleep", &program).expect("a copy of sleep");
        let stdin = Stdio::from(OwnedFd::from(connection));
        let child = Command::new(program).arg("60").stdin(stdin).spawn().expect("a copy that runs");
        Self { child, _folder: folder }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
