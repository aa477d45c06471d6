//! Which path answers what.

use std::sync::Arc;

use hyper::header::{HOST, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode, Uri, Version};

use super::app_state::AppState;
use super::body::Payload;
use super::hostname::is_of_another_site;
use super::landing::landing_page;
use super::reply::{busy, misdirected, only, text};
use super::scrape::scrape;
use super::sockets;
use crate::workers::Full;

/// The paths beside those of the metrics and the reload.
const PATHS: [&str; 6] = ["/", "/api/v1/sockets", "/config", "/health", "/-/healthy", "/-/ready"];

/// Answers one request.
pub(super) async fn answer(
    app: &AppState,
    head: &Parts,
    shows_sockets: bool,
    longest_target: usize,
) -> Response<Payload> {
    let mut response = dispatch(app, head, shows_sockets, longest_target).await;
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn dispatch(
    app: &AppState,
    head: &Parts,
    shows_sockets: bool,
    longest_target: usize,
) -> Response<Payload> {
    let metrics = app.options.telemetry_path.as_str();
    if length(&head.uri) > longest_target {
        return text(StatusCode::URI_TOO_LONG, format!("This address is too long; try {metrics}.\n"));
    }
    // A proxy that reads another `Host` than this server would let requests past its rules.
    let hosts = head.headers.get_all(HOST).iter().count();
    if hosts > 1 || (hosts == 0 && head.version == Version::HTTP_11) {
        return text(StatusCode::BAD_REQUEST, "A request names its host once.\n");
    }
    let path = head.uri.path();
    let reads = matches!(head.method, Method::GET | Method::HEAD);
    match path {
        "/-/reload" => reload(app, head).await,
        _ if path != metrics && !PATHS.contains(&path) => {
            text(StatusCode::NOT_FOUND, format!("Nothing here; try {metrics}.\n"))
        }
        _ if !reads => only("GET, HEAD", "Only GET and HEAD are answered here.\n"),
        _ if path == metrics => scrape(app, head).await,
        "/config" => text(StatusCode::OK, app.backend.configuration()),
        "/health" => text(StatusCode::OK, "200 OK"),
        "/-/healthy" => text(StatusCode::OK, "prometheus_ss_exporter is healthy.\n"),
        "/-/ready" => match app.backend.ready() {
            Ok(()) => text(StatusCode::OK, "prometheus_ss_exporter is ready.\n"),
            Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("Not ready: {reason}\n")),
        },
        "/api/v1/sockets" => sockets::sockets(app, head, shows_sockets).await,
        _ if shows_sockets => sockets::page(app, head).await,
        _ => landing_page(metrics, head),
    }
}

async fn reload(app: &AppState, head: &Parts) -> Response<Payload> {
    if !matches!(head.method, Method::POST | Method::PUT) {
        return only("POST, PUT", "This endpoint requires a POST request.\n");
    }
    if !app.options.lifecycle {
        let said = "Reloading over HTTP is switched off; --web.enable-lifecycle switches it on, and SIGHUP reloads too.\n";
        return text(StatusCode::FORBIDDEN, said);
    }
    // A browser sends such a request for any page, without asking first.
    if !app.names.are_asked(head) {
        return misdirected();
    }
    if is_of_another_site(&head.headers) {
        return text(StatusCode::FORBIDDEN, "A page of another site may not ask for a reload.\n");
    }
    let backend = Arc::clone(&app.backend);
    match app.workers.reloads.ask(move || backend.reload()).await {
        Ok(Ok(())) => text(StatusCode::OK, "The configuration was read again and is active.\n"),
        Ok(Err(reason)) => {
            text(StatusCode::INTERNAL_SERVER_ERROR, format!("failed to reload config: {reason}\n"))
        }
        Err(Full) => busy("Another reload waits already; it reads what is in the file now.\n"),
    }
}

fn length(target: &Uri) -> usize {
    let authority = target.authority().map_or(0, |authority| authority.as_str().len());
    authority + target.path_and_query().map_or(0, |path| path.as_str().len())
}
