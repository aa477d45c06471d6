//! Whether a request is admitted: the rate, then the password.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{
    AUTHORIZATION, HeaderMap, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use tokio::sync::oneshot;

use super::body::Payload;
use super::reply::text;
use crate::web::{Web, WebConfig};

/// How long an answer waits for the files of the web configuration.
const TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);

/// The web configuration, read again first if a file has changed.
pub(super) async fn current(web: &Arc<Web>) -> Arc<WebConfig> {
    if let Some(files) = web.due() {
        let shared = Arc::clone(web);
        let read = files.ask(move || shared.reload_if_changed());
        // If a file system does not answer, the configuration stays as it is.
        let _ = tokio::time::timeout(TIMEOUT, read).await;
    }
    web.current()
}

/// The answer to a request that is not admitted; `None` if it is.
pub(super) async fn refusal(web: &Web, config: &WebConfig, asked: &HeaderMap) -> Option<Response<Payload>> {
    if !web.admits(config) {
        return Some(plain(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests\n"));
    }
    if config.users.is_empty() {
        return None;
    }
    let refused = match credentials(asked) {
        None => unauthorized(),
        Some((user, password)) => {
            let (sender, verdict) = oneshot::channel();
            // A client that has gone needs no verdict.
            let reply = Box::new(|right| _ = sender.send(right));
            match web.ask(config, &user, password, reply) {
                Err(_) => crowded(),
                Ok(()) if verdict.await.unwrap_or(false) => return None,
                Ok(()) => unauthorized(),
            }
        }
    };
    Some(with_headers(refused, config))
}

/// Adds the headers of the configuration.
pub(super) fn with_headers(mut response: Response<Payload>, config: &WebConfig) -> Response<Payload> {
    for (name, value) in &config.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

fn plain(status: StatusCode, said: &'static str) -> Response<Payload> {
    let mut response = text(status, said);
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

fn unauthorized() -> Response<Payload> {
    let mut response = plain(StatusCode::UNAUTHORIZED, "Unauthorized\n");
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Basic"));
    response
}

fn crowded() -> Response<Payload> {
    let said = "Too many passwords wait to be checked; try again in a second.\n";
    let mut response = plain(StatusCode::TOO_MANY_REQUESTS, said);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// The name and the password of `Authorization: Basic` (RFC 7617).
fn credentials(headers: &HeaderMap) -> Option<(Vec<u8>, Vec<u8>)> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, encoded) = value.split_at_checked("Basic ".len())?;
    if !scheme.eq_ignore_ascii_case(b"Basic ") {
        return None;
    }
    let decoded = STANDARD.decode(encoded).ok()?;
    let colon = decoded.iter().position(|byte| *byte == b':')?;
    let (user, password) = decoded.split_at(colon);
    Some((user.to_vec(), password.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_as_the_standard_has_them() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            let text = |bytes| String::from_utf8(bytes).unwrap();
            credentials(&headers).map(|(user, password)| (text(user), text(password)))
        };
        let pair = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
        assert_eq!(read("Basic YWxpY2U6c2VjcmV0"), pair("alice", "secret"));
        assert_eq!(read("bASIC YTpiOmM="), pair("a", "b:c"));
        assert_eq!(read("Basic Og=="), pair("", ""));
        for bad in ["Basic", "Basic YQ==", "Basic YTpi!", "Bearer YTpi", "Basic  YTpi", "Basic YTpiOmM", ""] {
            assert_eq!(read(bad), None, "{bad}");
        }
        assert_eq!(credentials(&HeaderMap::new()), None);
    }
}
