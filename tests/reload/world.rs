//! A kernel and a process table of the tests' choice.
//!
//! Refuses to know what is shown of them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ss_exporter::attribute::{Listing, Namespace};
use ss_exporter::collect::{Entered, World};
use ss_exporter::select::Lookup;
use ss_exporter::sockdiag::{Datagram, Transport};

const ESTABLISHED: u8 = 1;
const LISTEN: u8 = 10;
/// `TCPDIAG_GETSOCK` and `NLMSG_DONE`.
const KINDS: (u16, u16) = (18, 3);

/// A socket as the kernel tells of it.
#[derive(Clone, Debug)]
pub struct Sock {
    pub cookie: u32,
    pub local: u16,
    pub inode: u32,
    pub state: u8,
    /// Bytes, sent as well as received.
    pub bytes: u64,
    pub segments: u32,
}

/// An established connection.
pub fn sock(cookie: u32, local: u16, bytes: u64) -> Sock {
    Sock { cookie, local, inode: 1000 + cookie, state: ESTABLISHED, bytes, segments: 10 }
}

/// A socket that listens.
pub fn listener(cookie: u32, local: u16) -> Sock {
    Sock { state: LISTEN, ..sock(cookie, local, 0) }
}

impl Sock {
    /// Its `inet_diag_msg` and the `tcp_info` behind it.
    pub fn payload(&self) -> Vec<u8> {
        let remote: u16 = if self.state == LISTEN { 0 } else { 5000 };
        let mut info = [0; 248];
        for counter in [120, 128, 200] {
            info[counter..counter + 8].copy_from_slice(&self.bytes.to_ne_bytes());
        }
        info[140..144].copy_from_slice(&self.segments.to_ne_bytes());
        let mut payload = vec![2, self.state, 0, 0];
        payload.extend(self.local.to_be_bytes());
        payload.extend(remote.to_be_bytes());
        for address in [[10, 0, 0, 1], [10, 0, 0, 2]] {
            payload.extend(address);
            payload.extend([0; 12]);
        }
        // The interface and the cookie; when its timer ends, both queues, the user.
        payload.extend([0; 4]);
        payload.extend(self.cookie.to_ne_bytes());
        payload.extend([0; 20]);
        payload.extend(self.inode.to_ne_bytes());
        // INET_DIAG_INFO.
        payload.extend(252_u16.to_ne_bytes());
        payload.extend(2_u16.to_ne_bytes());
        payload.extend(info);
        payload
    }
}

#[derive(Default)]
struct Now {
    sockets: HashMap<String, Vec<Sock>>,
    listeners: Vec<Sock>,
    closed: HashSet<String>,
    delay: Duration,
}

/// The world, in which the first namespace is the exporter's own.
pub struct Fake {
    now: Mutex<Now>,
    namespaces: Vec<String>,
    proc: tempfile::TempDir,
}

impl Fake {
    pub fn new(namespaces: &[&str]) -> Self {
        let namespaces = namespaces.iter().map(ToString::to_string).collect();
        Self { now: Mutex::default(), namespaces, proc: tempfile::tempdir().expect("a folder") }
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().expect("unbroken")
    }

    /// What connections a namespace has.
    pub fn set(&self, namespace: &str, sockets: &[Sock]) {
        self.now().sockets.insert(namespace.to_owned(), sockets.to_vec());
    }

    /// What listens in the own namespace.
    pub fn listen(&self, listeners: &[Sock]) {
        self.now().listeners = listeners.to_vec();
    }

    /// Whether a namespace can be entered.
    pub fn shut(&self, namespace: &str, shut: bool) {
        if shut {
            self.now().closed.insert(namespace.to_owned());
        } else {
            self.now().closed.remove(namespace);
        }
    }

    /// How long a dump takes.
    pub fn delay(&self, delay: Duration) {
        self.now().delay = delay;
    }

    fn descriptor(&self) -> PathBuf {
        self.proc.path().join("42/fd/3")
    }

    /// Gives a socket to nginx.
    pub fn give_to_nginx(&self, inode: u32) {
        let fd = self.descriptor();
        std::fs::create_dir_all(self.proc.path().join("42/fd")).expect("a folder");
        let stat = format!("42 (nginx) S 1{} 7 0 0\n", " 0".repeat(17));
        std::fs::write(self.proc.path().join("42/stat"), stat).expect("a file");
        std::os::unix::fs::symlink(format!("socket:[{inode}]"), fd).expect("a link");
    }

    /// Takes it away.
    pub fn take_from_nginx(&self) {
        std::fs::remove_file(self.descriptor()).expect("the link");
    }
}

/// What the kernel answers to one request.
pub struct Recording {
    sequence: [u8; 4],
    sockets: Vec<Sock>,
    delay: Duration,
}

impl Transport for Recording {
    fn send(&mut self, message: &[u8]) -> io::Result<()> {
        self.sequence.copy_from_slice(&message[8..12]);
        Ok(())
    }

    fn receive(&mut self, buffer: &mut [u8], deadline: Instant) -> io::Result<Datagram> {
        std::thread::sleep(std::mem::take(&mut self.delay));
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let done = || (KINDS.1, vec![0; 4]);
        let (kind, payload) = self.sockets.pop().map_or_else(done, |sock| (KINDS.0, sock.payload()));
        let length = 16 + payload.len();
        let mut message = u32::try_from(length).expect("a short message").to_ne_bytes().to_vec();
        message.extend(kind.to_ne_bytes());
        // NLM_F_MULTI.
        message.extend(2_u16.to_ne_bytes());
        message.extend(self.sequence);
        message.extend([0; 4]);
        message.extend(payload);
        buffer[..length].copy_from_slice(&message);
        Ok(Datagram { length, sender: 0 })
    }
}

impl World for Fake {
    type Transport = Recording;

    fn namespaces(&self) -> io::Result<Listing> {
        let one = |(number, inode): (usize, u64)| Namespace {
            name: self.namespaces[number].clone(),
            own: number == 0,
            inode,
            ..Namespace::own()
        };
        let namespaces = (0..self.namespaces.len()).zip(1..).map(one).collect();
        Ok(Listing { namespaces, ..Listing::default() })
    }

    fn enter(&self, namespace: &Namespace) -> io::Result<Entered<Recording>> {
        let now = self.now();
        if now.closed.contains(&namespace.name) {
            return Err(io::Error::other("shut"));
        }
        let sockets = now.sockets.get(&namespace.name).cloned().unwrap_or_default();
        let listeners = if namespace.own { now.listeners.clone() } else { Vec::new() };
        let recording = |sockets, delay| Recording { sequence: [0; 4], sockets, delay };
        Ok(Entered {
            kernels: Some((recording(sockets, now.delay), recording(listeners, Duration::ZERO))),
            time_wait: None,
            ports: String::new(),
        })
    }

    fn proc(&self) -> &Path {
        self.proc.path()
    }
}

impl Lookup for Fake {
    fn judges_cgroups(&self) -> bool {
        true
    }
}
