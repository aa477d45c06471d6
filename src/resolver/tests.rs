//! Names in a hosts file of the test's own, and DNS servers of the test's own that answer or do not.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use hickory_resolver::config::{ConnectionConfig, NameServerConfig};
use tempfile::NamedTempFile;

use super::*;

/// A resolver whose files and DNS server are the test's.
struct Bench {
    file: NamedTempFile,
    server: UdpSocket,
    resolver: Resolver,
}

impl Bench {
    fn new(text: &str) -> Self {
        let file = NamedTempFile::new().expect("a file");
        let server = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = server.local_addr().expect("bound");
        let mut connection = ConnectionConfig::udp();
        connection.port = address.port();
        let servers = vec![NameServerConfig::new(address.ip(), true, vec![connection])];
        let servers = Some(ResolverConfig::from_parts(None, Vec::new(), servers));
        let shared = Shared { file: file.path().to_owned(), servers, names: Mutex::default() };
        let bench = Self { file, server, resolver: Resolver::with(shared).expect("a thread") };
        bench.write(text);
        bench
    }

    fn write(&self, text: &str) {
        std::fs::write(self.file.path(), text).expect("room");
    }

    fn follow(&self, names: &[&str]) {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        self.resolver.follow(&names).expect("a thread");
    }

    fn addresses(&self, name: &str) -> Vec<String> {
        self.resolver.addresses(name).iter().map(ToString::to_string).collect()
    }

    /// Waits until the name has these addresses.
    fn waits_for(&self, name: &str, addresses: &[&str]) {
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.addresses(name) != addresses {
            assert!(Instant::now() < deadline, "{name} has {:?}", self.addresses(name));
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The name and the record type of the next question to the server.
    fn question(&self) -> (Vec<u8>, std::net::SocketAddr, String, u16) {
        let mut buffer = [0; 512];
        let (length, client) = self.server.recv_from(&mut buffer).expect("a question");
        let question = buffer[..length].to_vec();
        let (mut at, mut labels) = (12, Vec::new());
        while question[at] != 0 {
            let end = at + 1 + usize::from(question[at]);
            labels.push(String::from_utf8_lossy(&question[at + 1..end]).to_lowercase());
            at = end;
        }
        (question.clone(), client, labels.join("."), u16::from_be_bytes([question[at + 1], question[at + 2]]))
    }

    /// Answers the question for the name's addresses of IPv4, and no other.
    fn answers(&self, wanted: &str, address: [u8; 4]) {
        loop {
            let (question, client, name, kind) = self.question();
            if name == wanted && kind == A {
                self.server.send_to(&answer(&question, address), client).expect("room");
                return;
            }
        }
    }
}

const A: u16 = 1;

/// The answer with one address of IPv4 (RFC 1035, section 4.1).
fn answer(question: &[u8], address: [u8; 4]) -> Vec<u8> {
    let end = question[12..].iter().position(|byte| *byte == 0).expect("a name") + 12 + 5;
    let mut answer = question[..end].to_vec();
    // A response without error, one question, one answer, nothing else.
    answer[2..12].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0]);
    answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    answer.extend(address);
    answer
}

#[test]
fn what_the_hosts_file_knows_of_one_family_counts_at_once_while_dns_does_not_answer() {
    let bench = Bench::new("10.0.0.1 db\nfe80::7%eth0 DB.example.org.  v6\n");
    bench.follow(&["db", "db.example.org", "v6", "gone"]);
    assert_eq!(bench.addresses("db"), ["10.0.0.1"]);
    assert_eq!(bench.addresses("db.example.org"), ["fe80::7"]);
    assert_eq!(bench.addresses("v6"), ["fe80::7"]);
    assert_eq!(bench.addresses("gone"), [""; 0]);
    assert!(!bench.resolver.asked() && !bench.resolver.resolved());
    bench.follow(&["v6", "db"]);
    assert!(bench.resolver.asked() && bench.resolver.resolved());
}

#[test]
fn a_change_of_the_hosts_file_counts_at_once() {
    let bench = Bench::new("");
    bench.follow(&["db"]);
    assert_eq!(bench.addresses("db"), [""; 0]);
    let changes: [(&str, &[&str]); 6] = [
        ("10.0.0.1 db", &["10.0.0.1"]),
        ("10.0.0.2 db", &["10.0.0.2"]),
        ("10.0.0.2 db\n::1 db", &["10.0.0.2", "::1"]),
        ("::2 db # 10.0.0.3 db", &["::2"]),
        ("10.0.0.3 db2", &[]),
        ("10.0.0.4 x db", &["10.0.0.4"]),
    ];
    for (text, addresses) in changes {
        bench.write(text);
        assert_eq!(bench.addresses("db"), addresses, "{text}");
    }
    std::fs::remove_file(bench.file.path()).expect("it was there");
    assert_eq!(bench.addresses("db"), [""; 0]);
}

#[test]
fn an_address_of_dns_counts_while_the_other_family_is_not_answered() {
    let bench = Bench::new("");
    bench.follow(&["silent", "half"]);
    bench.answers("half", [10, 0, 0, 9]);
    bench.waits_for("half", &["10.0.0.9"]);
    assert_eq!(bench.addresses("silent"), [""; 0]);
    assert!(!bench.resolver.asked());
}

#[test]
fn dns_is_asked_for_the_family_that_the_hosts_file_lacks_and_never_replaces_what_is_there() {
    let bench = Bench::new("::1 db\n10.0.0.1 both\n::2 both\n");
    bench.follow(&["db", "both"]);
    bench.answers("db", [10, 0, 0, 9]);
    bench.waits_for("db", &["10.0.0.9", "::1"]);
    bench.write("::1 db\n10.0.0.1 db\n");
    assert_eq!(bench.addresses("db"), ["10.0.0.1", "::1"]);
}

#[test]
fn a_name_that_leaves_the_hosts_file_is_asked_of_dns_at_once() {
    let bench = Bench::new("10.0.0.1 db\n::1 db\n");
    bench.follow(&["db"]);
    assert_eq!(bench.addresses("db"), ["10.0.0.1", "::1"]);
    bench.write("::1 db\n");
    assert_eq!(bench.addresses("db"), ["::1"]);
    bench.answers("db", [10, 0, 0, 9]);
    bench.waits_for("db", &["10.0.0.9", "::1"]);
}

#[test]
fn names_of_a_reload_count_at_once_and_those_that_stay_keep_their_addresses() {
    let bench = Bench::new("10.0.0.2 new\n");
    bench.follow(&["half"]);
    bench.answers("half", [10, 0, 0, 9]);
    bench.waits_for("half", &["10.0.0.9"]);
    bench.follow(&["new", "half"]);
    assert_eq!(bench.addresses("new"), ["10.0.0.2"]);
    assert_eq!(bench.addresses("half"), ["10.0.0.9"]);
    bench.follow(&["new"]);
    assert_eq!(bench.addresses("half"), [""; 0]);
}

#[test]
fn whatever_stands_in_a_hosts_file_is_read_without_harm() {
    let text = b"\xef\xbb\xbf10.0.0.1 a\n\xff\xfe 10.0.0.2 a\n10.0.0.3\n  # 10.0.0.4 a\n::ffff:10.0.0.5\tb\tA.#c\nx a\n";
    let file = NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), text).expect("room");
    let found = file::read(file.path(), &["a", "c"]);
    let addresses = ["10.0.0.1", "10.0.0.5"].map(|address| address.parse().expect("an address"));
    assert_eq!(found, HashMap::from([("a".to_owned(), addresses.to_vec())]));
}
