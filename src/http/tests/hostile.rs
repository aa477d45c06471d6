//! Bytes that no honest client sends: refused or cut off, never a fault of ours.

use std::time::Duration;

use super::{Fake, Limits, Outcome, Server};

/// A server that soon gives up on what is no whole request.
fn server() -> Server {
    patient_for(Duration::from_millis(150))
}

fn patient_for(brief: Duration) -> Server {
    let limits = Limits { header: brief, idle: brief, ..Limits::default() };
    Server::start(Fake::new(Outcome::Pieces(1, Duration::ZERO)), limits)
}

fn answers(bytes: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(bytes);
    let heads = text.split("HTTP/1.").skip(1);
    heads.filter_map(|head| head.get(2..5)?.parse().ok()).collect()
}

#[tokio::test]
async fn garbage_is_refused_or_cut_off() {
    let server = server();
    let many_headers = "x: y\r\n".repeat(65);
    let corpus = [
        "GET /health HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(),
        "GET /health HTTP/1.1\r\n\r\n".into(),
        "GET /health HTTP/1.2\r\nHost: x\r\n\r\n".into(),
        "GET /health HTTP/9.9\r\nHost: x\r\n\r\n".into(),
        "GET /health http/1.1\r\nHost: x\r\n\r\n".into(),
        "GET /health\r\n\r\n".into(),
        "GET /health \r\n\r\n".into(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(),
        "GET  /health HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        "GET /he alth HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        "G\0T / HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: \0\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost : x\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n".into(),
        "GET / HTTP/1.1\rHost: x\r\r".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 18446744073709551616\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n".into(),
        "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n".into(),
        "GET / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".into(),
        "CONNECT example.org:80 HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".into(),
        format!("GET / HTTP/1.1\r\nHost: x\r\n{many_headers}\r\n"),
        format!("GET / HTTP/1.1\r\nHost: x\r\nx: {}\r\n\r\n", "y".repeat(16 * 1024)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(8 * 1024)),
        format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "y".repeat(1024 * 1024)),
        "SSH-2.0-OpenSSH_9.2\r\n".into(),
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\u{fc}\u{3}\u{3}".into(),
        "\r\n\r\n\r\n\r\n".into(),
        "\0".repeat(64),
    ];
    for words in corpus {
        // A write may fail too: who is cut off in the middle of a long head learns it there.
        let mut stream = server.connect().await;
        _ = tokio::io::AsyncWriteExt::write_all(&mut stream, words.as_bytes()).await;
        let answers = answers(&super::rest(&mut stream).await.0);
        assert!(
            answers.len() <= 1 && answers.iter().all(|status| (400..500).contains(status)),
            "{answers:?} for {:?}",
            words.get(..words.len().min(80))
        );
    }
    assert_eq!(server.ask("GET", "/health", "").await.status(), 200);
}

#[tokio::test]
async fn a_smuggled_request_is_not_answered() {
    let server = server();
    let smuggled = "GET /-/ready HTTP/1.1\r\nHost: x\r\n\r\n";
    for framing in [
        "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Content-Length: 3\r\n\r\nabc",
    ] {
        for method in ["GET", "POST"] {
            let words = format!("{method} /health HTTP/1.1\r\nHost: x\r\n{framing}{smuggled}");
            let (bytes, _) = server.exchange(words.as_bytes()).await;
            assert!(answers(&bytes).len() <= 1, "{words:?}");
        }
    }
}

#[tokio::test]
async fn odd_headers_of_a_proper_request_do_no_harm() {
    let server = server();
    for odd in [
        &b"Connection: \xff"[..],
        b"Accept: \xff\xfe;q=;=,,;",
        b"Accept-Encoding: ;q=\xff,*;q=1e999",
        b"X-Prometheus-Scrape-Timeout-Seconds: \xff",
        b"X-Prometheus-Scrape-Timeout-Seconds: 1e-320",
        b"Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
        b"Upgrade: websocket\r\nConnection: Upgrade",
        b"Range: bytes=0-1",
        b"If-None-Match: *",
        b"Authorization: Basic \xff",
    ] {
        let words = [b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n", odd, b"\r\n\r\n"].concat();
        let (bytes, _) = server.exchange(&words).await;
        assert_eq!(answers(&bytes), [200], "{}", String::from_utf8_lossy(odd));
    }
}

#[tokio::test]
async fn random_bytes_never_reach_a_fault() {
    let server = patient_for(Duration::from_millis(20));
    let good =
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let mut seed = 1_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let exchanges = (0..300).map(|_| {
        let mut words = good.to_vec();
        for _ in 0..=random(3) {
            let at = random(words.len());
            words[at] = u8::try_from(random(256)).unwrap();
        }
        words.truncate(words.len() - random(2) * random(good.len()));
        words
    });
    for words in exchanges.collect::<Vec<_>>() {
        let (bytes, _) = server.exchange(&words).await;
        assert!(answers(&bytes).iter().all(|status| *status < 500), "{:?}", String::from_utf8_lossy(&words));
    }
    assert!(!server.ended.is_finished());
}
