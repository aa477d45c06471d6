//! A running exporter, and a plain HTTP client.

use std::ffi::OsString;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::netns;

/// The path of the program under test, which cargo builds before it runs a test or benchmark.
pub fn path() -> OsString {
    std::env::var_os("CARGO_BIN_EXE_prometheus_ss_exporter").expect("run by cargo 1.94 or newer")
}

/// The program under test, without settings from the environment.
pub fn program() -> Command {
    let mut command = if netns::is_in_turn() {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--"]).arg(path());
        command
    } else {
        Command::new(path())
    };
    without_environment(&mut command);
    command
}

/// Removes the exporter's settings from a command's environment.
pub fn without_environment(command: &mut Command) {
    for variable in ["PORT", "CONFIG_FILE", "LOG_LEVEL"] {
        command.env_remove(variable);
    }
}

/// A running exporter. It ends with its guard.
pub struct Exporter {
    /// Its process.
    pub child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

/// An HTTP response.
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The status line and the headers.
    pub head: String,
    /// The body, without chunk headers.
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

    /// Starts an exporter at 127.0.0.1 with a configuration file that may change.
    pub fn reading(config: &Path, arguments: &[&str]) -> Self {
        let listen = "--web.listen-address=127.0.0.1:8020";
        Self::listening(8020, program().arg(listen).arg("--config").arg(config).args(arguments))
    }

    /// Kills it and returns what it logged.
    pub fn log(mut self) -> String {
        let _ = self.child.kill();
        let mut log = String::new();
        self.child.stderr.take().expect("a pipe").read_to_string(&mut log).expect("text");
        log
    }

    /// Starts an exporter by a command of the caller's, and waits until it listens on port 8020.
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

    /// Sends a GET request.
    pub fn get(&self, path: &str) -> Answer {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"))
    }

    /// Scrapes it.
    pub fn metrics(&self) -> String {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.head);
        String::from_utf8(answer.body).expect("UTF-8")
    }

    /// Sends a request and reads the whole response.
    pub fn ask(&self, request: &str) -> Answer {
        self.try_ask(request).expect("the whole answer")
    }

    /// The same, where the exporter may end the connection.
    ///
    /// # Errors
    /// If it does so before the end of an answer's head, or what the connection says.
    pub fn try_ask(&self, request: &str) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(request.as_bytes())?;
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes)?;
        let end = bytes.windows(4).position(|window| window == b"\r\n\r\n");
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let head = String::from_utf8(bytes[..end].to_vec()).expect("text");
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        let body = bytes[end + 4..].to_vec();
        let chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
        Ok(Answer { status, body: if chunked { joined(&body) } else { body }, head })
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it runs");
    }

    /// Waits for its end. Returns its exit code and how long it took.
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

/// The body of a chunked response. Panics if its end is missing.
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
