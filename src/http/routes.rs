//! Which path answers what. Refuses to know where metrics come from (`scrape`).

use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Uri, Version};

use super::body::Payload;
use super::scrape::scrape;
use super::scrapes::Scrapes;

const LANDING_PAGE: &str = concat!(
    r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>prometheus_ss_exporter</title>
<style>body { font: 1rem/1.5 sans-serif; margin: 2rem auto; max-width: 40rem; padding: 0 1rem }</style>
</head>
<body>
<h1>prometheus_ss_exporter</h1>
<p>Version "#,
    env!("CARGO_PKG_VERSION"),
    r#". What <code>ss</code> shows about this host's sockets, for Prometheus.</p>
<ul>
<li><a href="/metrics">Metrics</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
</body>
</html>
"#
);

/// Answers one request.
pub(super) async fn answer(scrapes: &dyn Scrapes, head: &Parts, longest_target: usize) -> Response<Payload> {
    let mut response = dispatch(scrapes, head, longest_target).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Lets the connection end with this response.
pub(super) fn close_after(response: &mut Response<Payload>) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

async fn dispatch(scrapes: &dyn Scrapes, head: &Parts, longest_target: usize) -> Response<Payload> {
    if length(&head.uri) > longest_target {
        return text(StatusCode::URI_TOO_LONG, "This address is too long; try /metrics.\n");
    }
    // Whoever stands between two readings of "which host" must not find us agreeing with either.
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return text(StatusCode::BAD_REQUEST, "A request names its host once.\n");
    }
    let path = head.uri.path();
    if !matches!(path, "/" | "/metrics" | "/health" | "/-/healthy" | "/-/ready") {
        return text(StatusCode::NOT_FOUND, "Nothing here; try /metrics.\n");
    }
    if head.method != Method::GET && head.method != Method::HEAD {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD are answered here.\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    match path {
        "/metrics" => scrape(scrapes, head).await,
        "/health" => text(StatusCode::OK, "200 OK"),
        "/-/healthy" => text(StatusCode::OK, "prometheus_ss_exporter is healthy.\n"),
        "/-/ready" => match scrapes.ready() {
            Ok(()) => text(StatusCode::OK, "prometheus_ss_exporter is ready.\n"),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {reason}\n")),
        },
        _ => landing_page(),
    }
}

fn length(target: &Uri) -> usize {
    let authority = target.authority().map_or(0, |authority| authority.as_str().len());
    authority + target.path_and_query().map_or(0, |path| path.as_str().len())
}

fn landing_page() -> Response<Payload> {
    let mut response = text(StatusCode::OK, LANDING_PAGE);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    response
}

/// A plain answer.
pub(super) fn text(status: StatusCode, said: impl Into<Bytes>) -> Response<Payload> {
    let mut response = Response::new(Payload::Whole(said.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}
