//! Which path answers what. Refuses to know where metrics come from (`scrape`).

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderValue, RETRY_AFTER,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Uri, Version};

use super::body::Payload;
use super::hostname::is_of_another_site;
use super::live::{self, Visitor};
use super::operations::Site;
use super::scrape::scrape;
use crate::workers::Full;

/// The page before and after the path of the metrics.
const LANDING_PAGE: [&str; 2] = [
    concat!(
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
<li><a href=""#
    ),
    r#"">Metrics</a></li>
<li><a href="/config">Configuration</a></li>
<li><a href="/-/healthy">Health</a></li>
<li><a href="/-/ready">Readiness</a></li>
</ul>
</body>
</html>
"#,
];

/// What there is beside the metrics and the reload.
const PATHS: [&str; 6] = ["/", "/api/v1/sockets", "/config", "/health", "/-/healthy", "/-/ready"];

/// Answers one request.
pub(super) async fn answer(
    site: &Site,
    head: &Parts,
    visitor: Visitor,
    longest_target: usize,
) -> Response<Payload> {
    let mut response = dispatch(site, head, visitor, longest_target).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Lets the connection end with this response.
pub(super) fn close_after(response: &mut Response<Payload>) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}

async fn dispatch(site: &Site, head: &Parts, visitor: Visitor, longest_target: usize) -> Response<Payload> {
    let metrics = site.offer.telemetry_path.as_str();
    if length(&head.uri) > longest_target {
        return text(StatusCode::URI_TOO_LONG, format!("This address is too long; try {metrics}.\n"));
    }
    // Whoever stands between two readings of "which host" must not find us agreeing with either.
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return text(StatusCode::BAD_REQUEST, "A request names its host once.\n");
    }
    let path = head.uri.path();
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    match path {
        "/-/reload" => reload(site, head).await,
        _ if path != metrics && !PATHS.contains(&path) => {
            text(StatusCode::NOT_FOUND, format!("Nothing here; try {metrics}.\n"))
        }
        _ if !reads => only("GET, HEAD", "Only GET and HEAD are answered here.\n"),
        _ if path == metrics => scrape(site, head).await,
        "/config" => text(StatusCode::OK, site.operations.configuration()),
        "/health" => text(StatusCode::OK, "200 OK"),
        "/-/healthy" => text(StatusCode::OK, "prometheus_ss_exporter is healthy.\n"),
        "/-/ready" => match site.scrapes.ready() {
            Ok(()) => text(StatusCode::OK, "prometheus_ss_exporter is ready.\n"),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {reason}\n")),
        },
        "/api/v1/sockets" => live::sockets(site, head, visitor).await,
        _ if visitor.may_see(site) => live::page(site, head).await,
        _ => landing_page(metrics),
    }
}

async fn reload(site: &Site, head: &Parts) -> Response<Payload> {
    if !matches!(head.method, Method::POST | Method::PUT) {
        return only("POST, PUT", "This endpoint requires a POST request.\n");
    }
    if !site.offer.lifecycle {
        let said = "Reloading over HTTP is switched off; --web.enable-lifecycle switches it on, and SIGHUP reloads too.\n";
        return text(StatusCode::FORBIDDEN, said);
    }
    // A browser sends such a request for any page, without asking first.
    if !site.names.are_asked(head) {
        return live::misdirected();
    }
    if is_of_another_site(&head.headers) {
        return text(StatusCode::FORBIDDEN, "A page of another site may not ask for a reload.\n");
    }
    let operations = Arc::clone(&site.operations);
    match site.workers.reloads.ask(move || operations.reload()).await {
        Ok(Ok(())) => text(StatusCode::OK, "The configuration was read again and is in force.\n"),
        Ok(Err(reason)) => {
            text(StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {reason}\n"))
        }
        Err(Full) => busy("Another reload waits already; it reads what is in the file now.\n"),
    }
}

/// The answer to a request for which there is no room now.
pub(super) fn busy(said: impl Into<Bytes>) -> Response<Payload> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, said);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The answer to a method that is not among those allowed.
fn only(allowed: &'static str, said: &'static str) -> Response<Payload> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, said);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

fn length(target: &Uri) -> usize {
    let authority = target.authority().map_or(0, |authority| authority.as_str().len());
    authority + target.path_and_query().map_or(0, |path| path.as_str().len())
}

fn landing_page(metrics: &str) -> Response<Payload> {
    // The path has no character that would need escaping: `Cli` sees to that.
    let mut response = text(StatusCode::OK, LANDING_PAGE.join(metrics));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_not_see_the_sockets_gets_links() {
        let page = landing_page("/ss/metrics");
        let Payload::Whole(html) = page.body() else { panic!("a page is known in full") };
        let html = std::str::from_utf8(html).expect("text");
        assert!(
            html.contains(r#"<a href="/ss/metrics">"#) && html.contains(env!("CARGO_PKG_VERSION")),
            "{html}"
        );
        let policy = page.headers().get(CONTENT_SECURITY_POLICY).expect("a policy");
        assert_eq!(policy, "default-src 'none'; style-src 'unsafe-inline'");
    }
}
