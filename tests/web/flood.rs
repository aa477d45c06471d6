//! Clients that try passwords, and clients with the right one.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::fixtures::Fixtures;
use testkit::netns::enter;

use super::service::Service;

#[test]
fn good_scrapes_stay_under_a_second_while_others_try_a_thousand_passwords_a_second() {
    const SECONDS: u64 = 5;
    const RATE: u64 = 1000;
    // Clients that wait for a verdict try nothing else meanwhile.
    const CLIENTS: u64 = 64;
    if enter() {
        return;
    }
    let fixtures = Fixtures::new();
    let hash = bcrypt::hash("right", 10).expect("a hash");
    // Without TLS, whose handshakes would cost this client more than the passwords cost the exporter.
    fixtures.write("web.yml", &format!("basic_auth_users: {{alice: {hash}}}\n"));
    let service = Service::start(&fixtures);
    let right = "Authorization: Basic YWxpY2U6cmlnaHQ=\r\n";
    assert_eq!(status(&mut service.connect(), "/metrics", right), 200);
    let tried = [const { AtomicU64::new(0) }; 2];
    let end = Instant::now() + Duration::from_secs(SECONDS);
    let mut waited = 0;
    std::thread::scope(|scope| {
        for thread in 0..CLIENTS {
            let (service, tried) = (&service, &tried);
            scope.spawn(move || {
                let mut stream = service.connect();
                let begin = Instant::now();
                for number in 0_u64.. {
                    let login = format!("Authorization: Basic {}\r\n", base64_of(thread, number));
                    let refused = status(&mut stream, "/metrics", &login);
                    assert!(matches!(refused, 401 | 429), "{refused}");
                    tried[usize::from(refused == 429)].fetch_add(1, Ordering::Relaxed);
                    let due = begin + Duration::from_micros(number * CLIENTS * 1_000_000 / RATE);
                    if Instant::now() > end {
                        break;
                    }
                    std::thread::sleep(due.saturating_duration_since(Instant::now()));
                }
            });
        }
        while Instant::now() < end {
            let before = tried[0].load(Ordering::Relaxed);
            assert_eq!(status(&mut service.connect(), "/metrics", right), 200);
            waited = waited.max(tried[0].load(Ordering::Relaxed) - before);
            std::thread::sleep(Duration::from_millis(50));
        }
    });
    let [compared, refused] = tried.map(AtomicU64::into_inner);
    eprintln!("compared {compared}, refused {refused}, at most {waited} compared during a good scrape");
    // One comparison at a time: the others did not wait for theirs.
    assert!(refused > compared, "{refused} of {compared}");
    assert!(waited < 8, "a good scrape waited for {waited} comparisons");
}

fn base64_of(thread: u64, number: u64) -> String {
    let name = if number.is_multiple_of(2) { "alice" } else { "mallory" };
    STANDARD.encode(format!("{name}:{thread}-{number}"))
}

/// Asks on a connection that is kept, and reads the whole answer.
fn status(stream: &mut TcpStream, path: &str, login: &str) -> u16 {
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{login}\r\n");
    stream.write_all(request.as_bytes()).expect("room");
    let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let read = stream.read(&mut piece).expect("an answer");
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes);
        let whole = text.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            match length.and_then(|length| length.parse::<usize>().ok()) {
                Some(length) => body.len() >= length,
                None => body.ends_with("0\r\n\r\n"),
            }
        });
        if whole {
            return text.split(' ').nth(1).and_then(|code| code.parse().ok()).expect("a status");
        }
    }
}
