//! A running exporter and a client that speaks HTTP as plainly as can be.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::program;

/// An exporter that is ended with the test.
pub struct Exporter {
    pub child: Child,
    pub address: SocketAddr,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Exporter {
    /// Starts an exporter with these arguments and waits until it listens on port 8020.
    pub fn start(arguments: &[&str]) -> Self {
        Self::spawn(program().args(arguments))
    }

    /// Starts an exporter with this configuration.
    pub fn configured(config: &str) -> Self {
        Self::configured_at(8020, config)
    }

    /// Starts an exporter with this configuration at a port of 127.0.0.1.
    pub fn configured_at(port: u16, config: &str) -> Self {
        let mut file = tempfile::NamedTempFile::with_suffix(".yml").expect("a file");
        file.write_all(config.as_bytes()).expect("room");
        let listen = format!("--web.listen-address=127.0.0.1:{port}");
        // It is read before anything listens.
        Self::listening(port, program().arg(listen).arg("--config").arg(file.path()))
    }

    /// Starts an exporter with the configuration that stands in a file, which may change, at 127.0.0.1.
    pub fn reading(config: &std::path::Path, arguments: &[&str]) -> Self {
        let listen = "--web.listen-address=127.0.0.1:8020";
        Self::listening(8020, program().arg(listen).arg("--config").arg(config).args(arguments))
    }

    /// Ends it at once and returns what it logged.
    pub fn log(mut self) -> String {
        let _ = self.child.kill();
        let mut log = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("text");
        log
    }

    pub fn spawn(command: &mut Command) -> Self {
        Self::listening(8020, command)
    }

    fn listening(port: u16, command: &mut Command) -> Self {
        let child = command.stderr(Stdio::piped()).spawn().expect("the program");
        let mut exporter = Self { child, address: ([127, 0, 0, 1], port).into() };
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(exporter.address).is_err() {
            if let Some(status) = exporter.child.try_wait().expect("its state") {
                let mut log = String::new();
                exporter.child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("text");
                panic!("the exporter ended with {status}: {log}");
            }
            assert!(Instant::now() < deadline, "the exporter does not listen");
            std::thread::sleep(Duration::from_millis(10));
        }
        exporter
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    pub fn metrics(&self) -> String {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.head);
        String::from_utf8(answer.body).expect("UTF-8")
    }

    pub fn ask(&self, request: &str) -> Answer {
        let mut stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a time limit");
        stream.write_all(request.as_bytes()).expect("room");
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).expect("the whole answer");
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = bytes[end + 4..].to_vec();
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        Answer { status, body: if chunked { joined(&body) } else { body }, head }
    }

    /// Asks it to stop, as a service manager does.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it runs");
    }

    /// Its exit code and how long it took to end.
    pub fn end(mut self) -> (Option<i32>, Duration) {
        let start = Instant::now();
        let status = self.child.wait().expect("its end");
        (status.code(), start.elapsed())
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a chunked answer; panics if its end is missing.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").expect("a chunk's length");
        let length = std::str::from_utf8(&rest[..end]).expect("a number");
        let length = usize::from_str_radix(length, 16).expect("a number");
        if length == 0 {
            return body;
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 2 + length + 2..];
    }
}
