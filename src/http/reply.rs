//! Short answers in plain text, and what is added to answers.

use hyper::body::Bytes;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Response, StatusCode};

use super::body::Payload;

/// A plain answer.
pub(super) fn text(status: StatusCode, said: impl Into<Bytes>) -> Response<Payload> {
    let mut response = Response::new(Payload::Whole(said.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// The answer to a request for which there is no room now.
pub(super) fn busy(said: impl Into<Bytes>) -> Response<Payload> {
    let mut response = text(StatusCode::SERVICE_UNAVAILABLE, said);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The answer to another method than the allowed ones.
pub(super) fn only(allowed: &'static str, said: &'static str) -> Response<Payload> {
    let mut response = text(StatusCode::METHOD_NOT_ALLOWED, said);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
    response
}

/// The answer to a request for a name that is not this host's.
pub(super) fn misdirected() -> Response<Payload> {
    let said = "This host is not known by that name: ask localhost, its host name or an address.\n";
    text(StatusCode::MISDIRECTED_REQUEST, said)
}

/// Closes the connection after this response.
pub(super) fn close_after(response: &mut Response<Payload>) {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
}
