//! What each request is answered.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Fake, Limits, Options, Outcome, Reply, Server};

const NOW: Outcome = Outcome::Pieces(0, Duration::ZERO);

#[tokio::test]
async fn every_known_path_answers_and_head_says_the_same_without_a_body() {
    let server = Server::with(NOW);
    for (path, kind, says) in [
        ("/?filter=x", "text/html; charset=utf-8", "<p>filter=x</p>"),
        ("/api/v1/sockets", "application/json", "{}"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8", "Text\n"),
        ("/metrics?name[]=x&collect[]=tcp", "text/plain; version=0.0.4; charset=utf-8", "Text\n"),
        ("http://elsewhere/metrics", "text/plain; version=0.0.4; charset=utf-8", "Text\n"),
        ("/config", "text/plain; charset=utf-8", "views: {}"),
        ("/health", "text/plain; charset=utf-8", "200 OK"),
        ("/-/healthy", "text/plain; charset=utf-8", "healthy"),
        ("/-/ready", "text/plain; charset=utf-8", "ready"),
    ] {
        let get = server.ask("GET", path, "").await;
        assert_eq!((get.status(), get.header("content-type")), (200, Some(kind)), "{path}");
        assert!(get.complete && get.text().contains(says), "{path}: {}", get.text());
        let collections = server.fake.requests.load(Ordering::Relaxed);
        let head = server.ask("HEAD", path, "").await;
        assert_eq!(head.text(), "", "{path}");
        for name in ["content-type", "content-length", "vary", "x-content-type-options"] {
            assert_eq!(head.header(name), get.header(name), "{path}: {name}");
        }
        assert_eq!(server.fake.requests.load(Ordering::Relaxed), collections, "HEAD {path} collected");
    }
    assert_eq!(server.ask("GET", "/health", "").await.text(), "200 OK");
}

#[tokio::test]
async fn every_answer_forbids_sniffing_and_the_page_forbids_scripts() {
    let server = Server::with(NOW);
    for (method, path) in
        [("GET", "/"), ("GET", "/metrics"), ("GET", "/nope"), ("POST", "/metrics"), ("HEAD", "/")]
    {
        let reply = server.ask(method, path, "").await;
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"), "{method} {path}");
    }
    let policy = server.ask("GET", "/", "").await;
    assert_eq!(policy.header("content-security-policy"), Some("default-src 'none'"));
}

#[tokio::test]
async fn an_unknown_path_points_to_the_metrics() {
    let server = Server::with(NOW);
    for path in ["/nope", "/metrics/", "//metrics", "/..%2fmetrics", "/%00", "/Metrics", "/-/reload/", "*"] {
        let reply = server.ask("GET", path, "").await;
        assert_eq!(reply.status(), 404, "{path}");
        assert!(reply.text().contains("try /metrics"), "{path}");
    }
    assert_eq!(server.ask("POST", "/nope", "").await.status(), 404);
}

#[tokio::test]
async fn other_methods_learn_which_are_allowed() {
    let server = Server::with(NOW);
    for method in ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "FROB"] {
        for path in ["/", "/metrics", "/health", "/-/healthy", "/-/ready"] {
            let reply = server.ask(method, path, "").await;
            assert_eq!((reply.status(), reply.header("allow")), (405, Some("GET, HEAD")), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn the_metrics_are_where_they_are_wanted_and_nowhere_else() {
    let options = Options { telemetry_path: "/ss/metrics".into(), ..Options::default() };
    let server = Server::offering(Fake::new(NOW), Limits::default(), options);
    assert_eq!(server.ask("GET", "/ss/metrics", "").await.text(), "Text\n");
    let reply = server.ask("GET", "/metrics", "").await;
    assert_eq!((reply.status(), reply.text()), (404, "Nothing here; try /ss/metrics.\n"));
}

#[tokio::test]
async fn the_sockets_are_not_for_a_name_that_is_not_this_hosts() {
    let server = Server::with(NOW);
    let below = format!("{}.evil.example:8020", rustix::system::uname().nodename().to_string_lossy());
    for path in ["/", "/api/v1/sockets"] {
        for (host, status) in
            [("evil.example", 421), (below.as_str(), 421), ("localhost", 200), ("[::1]:8020", 200)]
        {
            let words = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
            let reply = Reply::read(&server.exchange(words.as_bytes()).await.0);
            assert_eq!(reply.status(), status, "{path} of {host}");
        }
    }
    let words = b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(Reply::read(&server.exchange(words).await.0).status(), 421);
}

#[tokio::test]
async fn a_query_that_asks_for_nothing_there_is_is_a_bad_request() {
    let server = Server::with(NOW);
    for (path, said) in [
        ("/api/v1/sockets?wrong", "wrong query\n"),
        ("/metrics?collect[]=tpc", "There is no view called \"tpc\"; there are: tcp.\n"),
    ] {
        let reply = server.ask("GET", path, "").await;
        assert_eq!((reply.status(), reply.text()), (400, said));
    }
}

#[tokio::test]
async fn a_reload_is_asked_for_by_post_where_that_is_allowed_and_its_failure_is_said() {
    let server = Server::with(NOW);
    let reply = server.ask("GET", "/-/reload", "").await;
    assert_eq!((reply.status(), reply.header("allow")), (405, Some("POST, PUT")));
    assert_eq!(server.ask("POST", "/-/reload", "").await.status(), 403);
    let options = || Options { lifecycle: true, ..Options::default() };
    let server = Server::offering(Fake::new(NOW), Limits::default(), options());
    for method in ["POST", "PUT"] {
        assert_eq!(server.ask(method, "/-/reload", "").await.status(), 200);
    }
    let fake = Fake { readiness: Err("line 3".into()), ..Fake::new(NOW) };
    let server = Server::offering(fake, Limits::default(), options());
    let reply = server.ask("POST", "/-/reload", "").await;
    assert_eq!((reply.status(), reply.text()), (500, "failed to reload config: line 3\n"));
}

#[tokio::test]
async fn no_page_of_another_site_reloads_the_configuration() {
    let options = Options { lifecycle: true, ..Options::default() };
    let server = Server::offering(Fake::new(NOW), Limits::default(), options);
    let node = rustix::system::uname().nodename().to_string_lossy().into_owned();
    for (host, more, status) in [
        ("localhost", "", 200),
        ("127.0.0.1:8020", "Sec-Fetch-Site: none\r\n", 200),
        (node.as_str(), "", 200),
        ("localhost:8020", "Sec-Fetch-Site: same-origin\r\nOrigin: http://localhost:8020\r\n", 200),
        ("localhost:8020", "Sec-Fetch-Site: cross-site\r\n", 403),
        ("localhost:8020", "Origin: http://evil.test\r\n", 403),
        ("evil.test", "", 421),
        ("evil.test", "Sec-Fetch-Site: same-origin\r\nOrigin: http://evil.test\r\n", 421),
        (&format!("{node}.evil.test"), "", 421),
    ] {
        for method in ["POST", "PUT"] {
            let words =
                format!("{method} /-/reload HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n");
            let reply = Reply::read(&server.exchange(words.as_bytes()).await.0);
            assert_eq!(reply.status(), status, "{host} {more} {}", reply.text());
        }
    }
}

#[tokio::test]
async fn readiness_says_why_it_is_not_given() {
    let readiness = Err("no dump has succeeded yet".into());
    let server = Server::start(Fake { readiness, ..Fake::new(NOW) }, Limits::default());
    let reply = server.ask("GET", "/-/ready", "").await;
    assert_eq!((reply.status(), reply.text()), (503, "Not ready: no dump has succeeded yet\n"));
    assert_eq!(server.ask("GET", "/-/healthy", "").await.status(), 200);
}

#[tokio::test]
async fn a_request_with_a_body_is_answered_and_the_connection_ends() {
    let server = Server::with(NOW);
    for (method, framing, status) in [
        ("GET", "Content-Length: 5\r\n\r\nhello", 200),
        ("GET", "Content-Length: 500\r\n\r\nhello", 200),
        ("POST", "Content-Length: 5\r\n\r\nhello", 405),
        ("POST", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405),
        ("POST", "Content-Length: 5\r\nExpect: 100-continue\r\n\r\n", 405),
    ] {
        let words = format!("{method} /health HTTP/1.1\r\nHost: x\r\n{framing}");
        let reply = Reply::read(&server.exchange(words.as_bytes()).await.0);
        assert_eq!((reply.status(), reply.header("connection")), (status, Some("close")), "{words:?}");
    }
}

#[tokio::test]
async fn a_long_target_and_a_doubtful_host_are_refused() {
    let server = Server::with(NOW);
    let long = format!("/metrics?{}", "x".repeat(2048));
    assert_eq!(server.ask("GET", &long, "").await.status(), 414);
    assert_eq!(server.ask("GET", "/health", "Host: y\r\n").await.status(), 400);
    let (bytes, _) = server.exchange(b"GET /health HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert_eq!(Reply::read(&bytes).status(), 400);
    let (bytes, _) = server.exchange(b"GET /health HTTP/1.0\r\n\r\n").await;
    assert_eq!(Reply::read(&bytes).status(), 200);
}
