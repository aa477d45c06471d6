//! Who has to leave when, and who has not to suffer for it.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Fake, Limits, Outcome, Reply, Server, answer_ending_with, rest};

const SMALL: Outcome = Outcome::Pieces(1, Duration::ZERO);
/// More than all buffers between us and the client hold.
const LARGE: Outcome = Outcome::Pieces(400, Duration::ZERO);
const HEALTH: &[u8] = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
const METRICS: &[u8] = b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n";

/// Less than any limit that is not the one of the test, and more than a busy machine needs.
const SOON: Duration = Duration::from_secs(9);

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn short() -> Limits {
    Limits { header: millis(400), stall: millis(1500), ..Limits::default() }
}

fn short_idle() -> Limits {
    Limits { idle: millis(1500), ..short() }
}

async fn time_to_end(stream: &mut TcpStream) -> Duration {
    let begin = Instant::now();
    _ = rest(stream).await;
    begin.elapsed()
}

/// Reads with a pause after every piece.
async fn read_slowly(stream: &mut TcpStream, pause: Duration) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = stream.read(&mut piece).await {
        bytes.extend_from_slice(&piece[..read]);
        tokio::time::sleep(pause).await;
    }
    bytes
}

#[tokio::test]
async fn a_silent_connection_is_gone_by_the_header_deadline() {
    let server = Server::start(Fake::new(SMALL), short());
    let taken = time_to_end(&mut server.connect().await).await;
    assert!(taken >= millis(350) && taken < SOON, "{taken:?}");
}

#[tokio::test]
async fn dripping_does_not_extend_the_header_deadline() {
    let server = Server::start(Fake::new(SMALL), short());
    for greeting in [&b""[..], HEALTH] {
        let mut stream = server.say(greeting).await;
        if !greeting.is_empty() {
            answer_ending_with(&mut stream, b"200 OK").await;
        }
        let begin = Instant::now();
        for byte in b"GET / HTTP/1.1\r\nx-long: ".iter().cycle() {
            if stream.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(millis(20)).await;
        }
        assert!(begin.elapsed() >= millis(350) && begin.elapsed() < SOON, "{:?}", begin.elapsed());
    }
}

#[tokio::test]
async fn a_kept_alive_connection_outlives_the_header_deadline_but_not_the_idle_one() {
    let server = Server::start(Fake::new(SMALL), short_idle());
    let mut stream = server.connect().await;
    let mut begin = Instant::now();
    for _ in 0..3 {
        begin = Instant::now();
        stream.write_all(HEALTH).await.unwrap();
        answer_ending_with(&mut stream, b"200 OK").await;
        tokio::time::sleep(millis(800)).await;
    }
    _ = rest(&mut stream).await;
    let taken = begin.elapsed();
    assert!(taken >= millis(1450) && taken < SOON, "{taken:?}");
}

#[tokio::test]
async fn a_request_begun_behind_another_has_the_header_deadline_too() {
    let server = Server::start(Fake::new(SMALL), short());
    let mut stream = server.say(&[HEALTH, b"GET / HTTP/1.1\r\n"].concat()).await;
    let taken = time_to_end(&mut stream).await;
    assert!(taken >= millis(350) && taken < SOON, "{taken:?}");
}

#[tokio::test]
async fn pipelined_requests_are_all_answered() {
    let server = Server::start(Fake::new(SMALL), short_idle());
    let mut stream = server.say(&HEALTH.repeat(100)).await;
    let (bytes, _) = rest(&mut stream).await;
    assert_eq!(bytes.windows(15).filter(|window| window == b"HTTP/1.1 200 OK").count(), 100);
}

#[tokio::test]
async fn a_client_that_does_not_read_is_cut_off_and_a_slow_one_is_not() {
    let server = Server::start(Fake::new(LARGE), short());
    let mut deaf = server.say(METRICS).await;
    let mut slow = server.say(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let reading = tokio::spawn(async move { read_slowly(&mut slow, millis(2)).await });
    tokio::time::sleep(millis(4000)).await;
    let (bytes, end) = rest(&mut deaf).await;
    assert!(end.is_err() && (bytes.is_empty() || !Reply::read(&bytes).complete));
    assert!(Reply::read(&reading.await.unwrap()).complete);
}

#[tokio::test]
async fn no_answer_outlives_its_time() {
    let limits = Limits { response: millis(500), ..Limits::default() };
    let server = Server::start(Fake::new(LARGE), limits);
    let mut slow = server.say(METRICS).await;
    let begin = Instant::now();
    let bytes = read_slowly(&mut slow, millis(20)).await;
    assert!(!Reply::read(&bytes).complete);
    assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
}

#[tokio::test]
async fn a_thousand_idle_and_slow_connections_do_not_keep_a_scrape_from_its_answer() {
    let files = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: files.maximum, ..files }).unwrap();
    // Only the limit of connections makes room.
    let limits = Limits { header: Duration::from_mins(1), ..Limits::default() };
    let server = Server::start(Fake::new(SMALL), limits);
    let mut connections = Vec::new();
    for index in 0..1000 {
        let words = [&b""[..], b"G", b"GET /metrics HTTP/1.1\r\nHost:", HEALTH][index % 4];
        connections.push(server.say(words).await);
        if index % 100 == 99 {
            let begin = Instant::now();
            let reply = server.ask("GET", "/metrics", "").await;
            assert!(reply.status() == 200 && reply.complete);
            assert!(begin.elapsed() < SOON, "{:?}", begin.elapsed());
        }
    }
}

#[tokio::test]
async fn the_longest_without_a_request_makes_room_and_who_is_being_answered_stays() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let server = Server::start(Fake::new(Outcome::Pieces(0, millis(3000))), limits);
    let mut idle = server.say(HEALTH).await;
    answer_ending_with(&mut idle, b"200 OK").await;
    let mut first = server.say(METRICS).await;
    tokio::time::sleep(millis(20)).await;
    let mut second = server.say(METRICS).await;
    assert!(time_to_end(&mut idle).await < SOON);
    let mut third = server.say(METRICS).await;
    assert!(time_to_end(&mut third).await < SOON);
    answer_ending_with(&mut first, b"0\r\n\r\n").await;
    answer_ending_with(&mut second, b"0\r\n\r\n").await;
}

#[tokio::test]
async fn clients_that_take_nothing_keep_no_scrape_from_its_answer_and_cut_off_no_slow_one() {
    let limits = Limits { connections: 16, ..Limits::default() };
    let server = Server::start(Fake::new(LARGE), limits);
    let mut slow = server.say(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    let reading = tokio::spawn(async move { read_slowly(&mut slow, millis(2)).await });
    let mut deaf = Vec::new();
    for _ in 0..16 {
        deaf.push(server.say(METRICS).await);
    }
    for _ in 0..20 {
        tokio::time::sleep(millis(20)).await;
        let reply = server.ask("GET", "/health", "").await;
        assert!(reply.status() == 200 && reply.complete);
        deaf.push(server.say(METRICS).await);
    }
    assert!(Reply::read(&reading.await.unwrap()).complete);
}

#[test]
fn the_limit_of_open_files_leaves_room_for_a_collection() {
    for (files, open, connections) in [(1024, 12, 128), (64, 12, 32), (40, 12, 8), (32, 12, 4)] {
        assert_eq!(Limits::within(files, open).connections, connections, "{files}");
    }
}

#[tokio::test]
async fn a_stop_ends_the_idle_at_once_and_finishes_the_answers_in_progress() {
    let limits = Limits { grace: Duration::from_mins(1), ..Limits::default() };
    let mut server = Server::start(Fake::new(Outcome::Pieces(3, millis(250))), limits);
    let mut idle = server.say(HEALTH).await;
    answer_ending_with(&mut idle, b"200 OK").await;
    let mut silent = server.connect().await;
    let mut asking = server.say(b"GET /he").await;
    let mut scraping = server.say(METRICS).await;
    tokio::time::sleep(millis(20)).await;
    server.stop.take().unwrap().send(()).unwrap();
    for stream in [&mut idle, &mut silent, &mut asking] {
        assert!(time_to_end(stream).await < SOON);
    }
    assert!(TcpStream::connect(server.address).await.is_err());
    let (bytes, end) = rest(&mut scraping).await;
    end.unwrap();
    assert!(Reply::read(&bytes).complete);
    server.ended.await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_longer_than_its_grace() {
    let limits = Limits { grace: millis(200), ..Limits::default() };
    let mut server = Server::start(Fake::new(LARGE), limits);
    let _deaf = server.say(METRICS).await;
    tokio::time::sleep(millis(50)).await;
    let begin = Instant::now();
    server.stop.take().unwrap().send(()).unwrap();
    server.ended.await.unwrap();
    assert!(
        begin.elapsed() >= millis(180) && begin.elapsed() < Limits::default().grace,
        "{:?}",
        begin.elapsed()
    );
}
