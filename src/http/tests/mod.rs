//! The server against real connections, in front of a backend made of values.

mod clients;
mod hostile;
mod limits;
mod requests;
mod scraping;
mod secure;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::backend::Reply as Answered;
use super::{Backend, ChunkStream, Limits, Options, Page, Settings, Workers, bind, serve};
use crate::collector::{Busy, Revoked};
use crate::exposition::{FamilyFilter, Format};
use crate::web::Web;

/// Longer than anything here may take, shorter than a test may hang.
const LONG: Duration = Duration::from_secs(20);
const PIECE: usize = 64 * 1024;

/// What a collection comes to.
#[derive(Clone, Copy)]
enum Outcome {
    /// This many pieces after this time.
    Pieces(usize, Duration),
    /// This many pieces, then the snapshot is taken back.
    Revoked(usize),
    Busy,
    /// The reply never comes.
    Lost,
}

struct Fake {
    outcome: Outcome,
    /// How long a scrape waits for a collection.
    patience: Duration,
    readiness: Result<(), String>,
    requests: AtomicUsize,
}

impl Fake {
    fn new(outcome: Outcome) -> Self {
        Self { outcome, patience: LONG, readiness: Ok(()), requests: AtomicUsize::new(0) }
    }
}

/// Text that does not compress to nothing.
fn piece(index: usize) -> Vec<u8> {
    let mut seed = u32::try_from(index).unwrap() + 1;
    let digit = |_| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b'0' + (seed >> 24) as u8 % 10
    };
    (0..PIECE).map(digit).collect()
}

fn pieces(format: Format, count: usize) -> ChunkStream {
    let title = std::iter::once(format!("{format:?}\n").into_bytes());
    Box::new(title.chain((0..count).map(piece)).map(Ok))
}

impl Backend for Fake {
    fn scrape(&self, format: Format, _: FamilyFilter, _: Instant, reply: Answered) -> Result<(), Busy> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        match self.outcome {
            Outcome::Pieces(count, Duration::ZERO) => reply(pieces(format, count)),
            Outcome::Pieces(count, delay) => {
                std::thread::spawn(move || {
                    std::thread::sleep(delay);
                    reply(pieces(format, count));
                });
            }
            Outcome::Revoked(count) => {
                reply(Box::new(pieces(format, count).chain(std::iter::once(Err(Revoked)))));
            }
            Outcome::Busy => return Err(Busy(40)),
            Outcome::Lost => drop(reply),
        }
        Ok(())
    }

    fn without_dump(&self, _: Format, _: FamilyFilter) -> ChunkStream {
        Box::new(std::iter::once(Ok(b"without dump\n".to_vec())))
    }

    fn timeout(&self) -> Duration {
        self.patience
    }

    fn ready(&self) -> Result<(), String> {
        self.readiness.clone()
    }

    fn views(&self) -> Vec<String> {
        vec!["tcp".into()]
    }

    fn page(&self, query: &str) -> Page {
        Page { html: format!("<p>{query}</p>"), policy: "default-src 'none'".into() }
    }

    fn sockets(&self, query: &str) -> Result<String, String> {
        if query == "wrong" { Err("wrong query".into()) } else { Ok("{}".into()) }
    }

    fn configuration(&self) -> String {
        "views: {}\n".into()
    }

    fn reload(&self) -> Result<(), String> {
        self.readiness.clone()
    }
}

/// A running server.
struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: JoinHandle<()>,
    fake: Arc<Fake>,
}

impl Server {
    fn start(fake: Fake, limits: Limits) -> Self {
        Self::made(Web::default(), fake, limits, Options::default())
    }

    fn offering(fake: Fake, limits: Limits, options: Options) -> Self {
        Self::made(Web::default(), fake, limits, options)
    }

    fn behind(web: Web, fake: Fake, limits: Limits) -> Self {
        Self::made(web, fake, limits, Options::default())
    }

    fn made(web: Web, fake: Fake, limits: Limits, options: Options) -> Self {
        let fake = Arc::new(fake);
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        super::listen(&listener).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let workers = Workers::start().unwrap();
        let (backend, settings) = (Arc::clone(&fake), Settings { limits, options, heartbeat: None });
        let shutdown = async { _ = stopped.await };
        let ended = tokio::spawn(serve(vec![listener], backend, Arc::new(web), workers, settings, shutdown));
        Self { address, stop: Some(stop), ended, fake }
    }

    fn with(outcome: Outcome) -> Self {
        Self::start(Fake::new(outcome), Limits::default())
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection that has said this much.
    async fn say(&self, words: &[u8]) -> TcpStream {
        let mut stream = self.connect().await;
        stream.write_all(words).await.unwrap();
        stream
    }

    /// Everything that comes back, and how it ended.
    async fn exchange(&self, words: &[u8]) -> (Vec<u8>, std::io::Result<()>) {
        rest(&mut self.say(words).await).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &str) -> Reply {
        let words =
            format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}\r\n");
        let (bytes, end) = self.exchange(words.as_bytes()).await;
        end.unwrap();
        Reply::read(&bytes)
    }
}

/// Reads until the connection ends.
async fn rest(stream: &mut TcpStream) -> (Vec<u8>, std::io::Result<()>) {
    let mut bytes = Vec::new();
    let end = tokio::time::timeout(LONG, stream.read_to_end(&mut bytes)).await;
    (bytes, end.expect("the connection never ends").map(drop))
}

/// Reads one answer that has a `Content-Length` and ends with `last`.
async fn answer_ending_with(stream: &mut TcpStream, last: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(last) {
        let read = tokio::time::timeout(LONG, stream.read_buf(&mut bytes)).await.expect("no answer").unwrap();
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&bytes));
    }
    bytes
}

/// A parsed answer.
struct Reply {
    head: String,
    body: Vec<u8>,
    /// Whether the body ended as its framing promised.
    complete: bool,
}

impl Reply {
    fn read(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("no head") + 4;
        let (head, body) = bytes.split_at(end);
        let head = String::from_utf8(head.to_vec()).unwrap();
        let chunked = head.contains("transfer-encoding: chunked\r\n");
        let (body, complete) = if chunked { unchunk(body) } else { (body.to_vec(), true) };
        Self { head, body, complete }
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

fn unchunk(mut bytes: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line) = bytes.windows(2).position(|two| two == b"\r\n") {
        let (size, rest) = bytes.split_at(line);
        let size = usize::from_str_radix(std::str::from_utf8(size).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, rest == b"\r\n\r\n");
        }
        let Some(chunk) = rest.get(2..size + 2) else { break };
        body.extend_from_slice(chunk);
        bytes = rest.get(size + 4..).unwrap_or_default();
    }
    (body, false)
}
