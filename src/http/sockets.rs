//! `/` and `/api/v1/sockets`: the sockets themselves.
//!
//! Metrics are for every client that is admitted. The sockets disclose who talks to whom: by default they are for clients on
//! this host.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::app_state::{AppState, Options};
use super::backend::{Backend, Page};
use super::body::Payload;
use super::reply::{busy, misdirected, text};

/// Time that the sockets are kept after an answer: longer than an answer is shared.
const KEPT: Duration = Duration::from_secs(2);

/// Whether a client at that address may see the sockets.
pub(super) fn are_shown_to(address: Option<IpAddr>, options: &Options) -> bool {
    options.sockets_to_all || address.is_some_and(|address| address.to_canonical().is_loopback())
}

/// Answers `/`.
pub(super) async fn page(app: &AppState, head: &Parts) -> Response<Payload> {
    let query = head.uri.query().unwrap_or_default().to_owned();
    match on_pages_thread(app, head, move |backend| backend.page(&query)).await {
        Err(refusal) => refusal,
        Ok(Page { html, policy }) => {
            let mut response = of_kind(html, "text/html; charset=utf-8");
            // It is of this program's making, and has no character that a header may not have.
            if let Ok(policy) = HeaderValue::from_str(&policy) {
                response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
            }
            response
        }
    }
}

/// Answers `/api/v1/sockets`.
pub(super) async fn sockets(app: &AppState, head: &Parts, are_shown: bool) -> Response<Payload> {
    if !are_shown {
        let said = "The sockets are shown to clients of this host alone; --web.enable-sockets-api shows them to all who may read the metrics.\n";
        return text(StatusCode::FORBIDDEN, said);
    }
    let query = head.uri.query().unwrap_or_default().to_owned();
    match on_pages_thread(app, head, move |backend| backend.sockets(&query)).await {
        Err(refusal) => refusal,
        Ok(Ok(json)) => of_kind(json, "application/json"),
        Ok(Err(wrong)) => text(StatusCode::BAD_REQUEST, format!("{wrong}\n")),
    }
}

/// Runs `at` on the thread for pages, which may wait for a collection.
async fn on_pages_thread<T: Send + 'static>(
    app: &AppState,
    head: &Parts,
    at: impl FnOnce(&dyn Backend) -> T + Send + 'static,
) -> Result<T, Response<Payload>> {
    if !app.names.are_asked(head) {
        return Err(misdirected());
    }
    let backend = Arc::clone(&app.backend);
    let seen = app.workers.pages.ask(move || at(&*backend)).await;
    tokio::spawn(forget(app.clone()));
    seen.map_err(|_| busy("Too many wait for the sockets already.\n"))
}

/// Frees what is kept for clients that ask again soon, until nothing is. One task does it for all clients.
async fn forget(app: AppState) {
    while !app.forgets.swap(true, Ordering::AcqRel) {
        tokio::time::sleep(KEPT).await;
        // A client that asks from now on begins another task.
        app.forgets.store(false, Ordering::Release);
        let backend = Arc::clone(&app.backend);
        if app.workers.pages.ask(move || backend.forget()).await == Ok(false) {
            return;
        }
    }
}

fn of_kind(body: String, kind: &'static str) -> Response<Payload> {
    let mut response = text(StatusCode::OK, body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sockets_are_shown_over_loopback_or_to_all() {
        for (sockets_to_all, elsewhere) in [(false, false), (true, true)] {
            let options = Options { sockets_to_all, ..Options::default() };
            let to = |text: &str| are_shown_to(text.parse().ok(), &options);
            assert!(to("127.0.0.1") && to("127.9.9.9") && to("::1") && to("::ffff:127.0.0.1"));
            assert_eq!([to("192.0.2.1"), to("::ffff:192.0.2.1"), to("no address")], [elsewhere; 3]);
        }
    }
}
