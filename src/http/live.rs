//! `/` and `/api/v1/sockets`: the sockets themselves, to those who may see them.
//!
//! Metrics are meant for others, and so are served to whoever may come in. The sockets are one by one who talks to whom: they
//! are for the clients of this host, unless its operator says otherwise. Refuses to know what is shown.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hyper::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Response, StatusCode};

use super::body::Payload;
use super::operations::{Operations, Page, Site};
use super::routes::{busy, text};

/// How long the sockets may be kept after an answer. Longer than an answer is shared.
const KEPT: Duration = Duration::from_secs(2);

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    /// Whether the connection is from this host.
    pub(super) is_local: bool,
}

impl Visitor {
    pub(super) fn at(address: Option<IpAddr>) -> Self {
        Self { is_local: address.is_some_and(|address| address.to_canonical().is_loopback()) }
    }

    /// Whether the sockets are shown.
    pub(super) fn may_see(self, site: &Site) -> bool {
        self.is_local || site.offer.sockets_to_all
    }
}

/// Answers `/`.
pub(super) async fn page(site: &Site, head: &Parts) -> Response<Payload> {
    let query = head.uri.query().unwrap_or_default().to_owned();
    match look(site, head, move |operations| operations.page(&query)).await {
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
pub(super) async fn sockets(site: &Site, head: &Parts, visitor: Visitor) -> Response<Payload> {
    if !visitor.may_see(site) {
        let said = "The sockets are shown to clients of this host alone; --web.enable-sockets-api shows them to all who may read the metrics.\n";
        return text(StatusCode::FORBIDDEN, said);
    }
    let query = head.uri.query().unwrap_or_default().to_owned();
    match look(site, head, move |operations| operations.sockets(&query)).await {
        Err(refusal) => refusal,
        Ok(Ok(json)) => of_kind(json, "application/json"),
        Ok(Err(wrong)) => text(StatusCode::BAD_REQUEST, format!("{wrong}\n")),
    }
}

/// Has somebody look, on a thread that may wait.
async fn look<T: Send + 'static>(
    site: &Site,
    head: &Parts,
    at: impl FnOnce(&dyn Operations) -> T + Send + 'static,
) -> Result<T, Response<Payload>> {
    if !site.names.are_asked(head) {
        return Err(misdirected());
    }
    let operations = Arc::clone(&site.operations);
    let seen = site.workers.pages.ask(move || at(&*operations)).await;
    tokio::spawn(forget(site.clone()));
    seen.map_err(|_| busy("Too many wait for the sockets already.\n"))
}

/// Lets go of what is kept for clients that ask again soon, until nothing is. One task does it for all clients.
async fn forget(site: Site) {
    while !site.forgets.swap(true, Ordering::AcqRel) {
        tokio::time::sleep(KEPT).await;
        // A client that asks from now on begins another task.
        site.forgets.store(false, Ordering::Release);
        let operations = Arc::clone(&site.operations);
        if site.workers.pages.ask(move || operations.forget()).await == Ok(false) {
            return;
        }
    }
}

/// The answer to a request for a name that is not this host's.
pub(super) fn misdirected() -> Response<Payload> {
    let said = "This host is not known by that name: ask localhost, its host name or an address.\n";
    text(StatusCode::MISDIRECTED_REQUEST, said)
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
    fn a_client_is_local_if_it_comes_over_loopback() {
        let at = |text: &str| Visitor::at(text.parse().ok()).is_local;
        assert!(at("127.0.0.1") && at("127.9.9.9") && at("::1") && at("::ffff:127.0.0.1"));
        assert!(!at("192.0.2.1") && !at("::ffff:192.0.2.1") && !Visitor::at(None).is_local);
    }
}
