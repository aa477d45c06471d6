//! What a scrape gets, and when.

use std::io::Read as _;
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;

use super::{Fake, LONG, Outcome, Reply, Server, piece};
use crate::http::Limits;

fn whole(format: &str, count: usize) -> Vec<u8> {
    let mut body = format!("{format}\n").into_bytes();
    body.extend((0..count).flat_map(piece));
    body
}

#[tokio::test]
async fn an_exposition_arrives_whole_in_the_format_asked_for() {
    let server = Server::with(Outcome::Pieces(20, Duration::from_millis(50)));
    let reply = server.ask("GET", "/metrics", "").await;
    assert!(reply.complete && reply.body == whole("Text", 20));
    assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
    assert_eq!(reply.header("content-encoding"), None);
    let accept = "Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8,*/*;q=0.1\r\n";
    let reply = server.ask("GET", "/metrics", accept).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8";
    assert_eq!(reply.header("content-type"), Some(kind));
    assert!(reply.complete && reply.body == whole("OpenMetrics", 20));
}

#[tokio::test]
async fn a_compressed_exposition_unpacks_to_the_same() {
    for count in [0, 1, 20] {
        let server = Server::with(Outcome::Pieces(count, Duration::ZERO));
        let reply = server.ask("GET", "/metrics", "Accept-Encoding: gzip\r\n").await;
        assert_eq!(reply.header("content-encoding"), Some("gzip"));
        let mut body = Vec::new();
        GzDecoder::new(reply.body.as_slice()).read_to_end(&mut body).unwrap();
        assert!(reply.complete && body == whole("Text", count), "{count}");
    }
}

#[tokio::test]
async fn a_scrape_beyond_the_limit_is_asked_to_try_again() {
    let reply = Server::with(Outcome::Busy).ask("GET", "/metrics", "Accept-Encoding: gzip\r\n").await;
    assert_eq!((reply.status(), reply.header("retry-after")), (503, Some("1")));
    assert!(reply.text().ends_with(".\n") && reply.header("content-encoding").is_none());
}

#[tokio::test]
async fn a_late_collection_is_answered_without_the_dump_in_time() {
    let patience = Duration::from_millis(300);
    let server = Server::start(Fake { patience, ..Fake::new(Outcome::Pieces(1, LONG)) }, Limits::default());
    for (timeout, at_least) in [("", 300), ("X-Prometheus-Scrape-Timeout-Seconds: 0.1\r\n", 50)] {
        let begin = Instant::now();
        let reply = server.ask("GET", "/metrics", timeout).await;
        let taken = begin.elapsed();
        assert_eq!((reply.status(), reply.text()), (200, "without dump\n"));
        assert!(taken >= Duration::from_millis(at_least) && taken < LONG, "{taken:?}");
    }
}

#[tokio::test]
async fn a_collection_that_never_replies_is_answered_without_the_dump() {
    let reply = Server::with(Outcome::Lost).ask("GET", "/metrics", "").await;
    assert_eq!((reply.status(), reply.text()), (200, "without dump\n"));
}

#[tokio::test]
async fn a_revoked_exposition_never_looks_complete() {
    let server = Server::with(Outcome::Revoked(3));
    for encoding in ["", "Accept-Encoding: gzip\r\n"] {
        let words = format!("GET /metrics HTTP/1.1\r\nHost: x\r\n{encoding}\r\n");
        let (bytes, end) = server.exchange(words.as_bytes()).await;
        assert!(end.is_err(), "the connection was closed, not reset");
        assert!(bytes.is_empty() || !Reply::read(&bytes).complete);
    }
    // The end of the connection is all that frames this one.
    assert!(server.exchange(b"GET /metrics HTTP/1.0\r\n\r\n").await.1.is_err());
}
