//! `/metrics`: a scrape and its deadline.

use std::time::{Duration, Instant};

use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY};
use hyper::http::request::Parts;
use hyper::{HeaderMap, Method, Response, StatusCode};
use tokio::sync::oneshot;

use super::app_state::AppState;
use super::body::{Pages, Payload};
use super::negotiate::{Exposition, accepts_gzip};
use super::reply::{busy, text};
use crate::collector::Busy;
use crate::exposition::FamilyFilter;

const TIMEOUT_HEADER: &str = "x-prometheus-scrape-timeout-seconds";
/// Seconds that an answer needs to reach the scraper before the scraper's timeout.
const MARGIN: f64 = 0.5;

/// Answers a scrape before its deadline: with a collection, or without a dump.
pub(super) async fn scrape(app: &AppState, head: &Parts) -> Response<Payload> {
    let backend = &*app.backend;
    let exposition = Exposition::negotiate(&head.headers);
    let gzip = accepts_gzip(&head.headers);
    let query = head.uri.query().unwrap_or_default();
    let wanted = match wanted(query, || backend.views()) {
        Ok(wanted) => FamilyFilter { hidden: (!app.options.process_metrics).then_some("process_"), ..wanted },
        Err(said) => return text(StatusCode::BAD_REQUEST, said),
    };
    let payload = if head.method == Method::HEAD {
        Payload::Withheld
    } else {
        let (reply, collected) = oneshot::channel();
        // A scrape whose deadline has passed needs no reply.
        let reply = Box::new(|chunks| drop(reply.send(chunks)));
        let until = Instant::now() + deadline(&head.headers, backend.timeout());
        if let Err(busy) = backend.scrape(exposition.format, wanted.clone(), until, reply) {
            return refused(busy);
        }
        let chunks = match tokio::time::timeout_at(until.into(), collected).await {
            Ok(Ok(chunks)) => chunks,
            Ok(Err(_)) | Err(_) => backend.without_dump(exposition.format, wanted),
        };
        Payload::Pages(Box::new(Pages::new(chunks, gzip)))
    };
    let mut response = Response::new(payload);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, exposition.content_type());
    headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
    if gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

fn refused(Busy(most): Busy) -> Response<Payload> {
    let said = format!("Limit of concurrent requests reached ({most}), try again later.\n");
    busy(said)
}

/// What the query asks for: `name[]`, and `collect[]` or `exclude[]` with the names of `views`. A parameter without a value
/// asks for nothing.
fn wanted(query: &str, views: impl FnOnce() -> Vec<String>) -> Result<FamilyFilter, String> {
    let values = |parameter: &str| -> Vec<String> {
        let pairs = form_urlencoded::parse(query.as_bytes())
            .filter(|(key, value)| key == parameter && !value.is_empty());
        pairs.map(|(_, value)| value.into_owned()).collect()
    };
    let (names, collect, exclude) = (values("name[]"), values("collect[]"), values("exclude[]"));
    if !collect.is_empty() && !exclude.is_empty() {
        return Err("Combined collect and exclude queries are not allowed.\n".into());
    }
    if collect.is_empty() && exclude.is_empty() {
        return Ok(FamilyFilter { names, ..FamilyFilter::default() });
    }
    let views = views();
    let unknown = collect.iter().chain(&exclude).find(|name| !views.contains(name));
    if let Some(name) = unknown {
        let said = format!("There is no view called {name:?}; there are: {}.\n", views.join(", "));
        return Err(said);
    }
    let collect = Some(collect).filter(|collect| !collect.is_empty());
    Ok(FamilyFilter { names, collect, exclude, hidden: None })
}

/// How long the scrape may wait: its timeout less [`MARGIN`], at most `longest`.
fn deadline(headers: &HeaderMap, longest: Duration) -> Duration {
    let timeout =
        headers.get(TIMEOUT_HEADER).and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok());
    let Some(timeout) = timeout.filter(|seconds| seconds.is_finite() && *seconds > 0.0) else {
        return longest;
    };
    let left = if timeout > MARGIN { timeout - MARGIN } else { timeout / 2.0 };
    Duration::try_from_secs_f64(left).map_or(longest, |left| left.min(longest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_families_encoded_or_not() {
        let two = FamilyFilter { names: vec!["a".into(), "b".into()], ..FamilyFilter::default() };
        let not_called = || panic!("no view was asked for");
        assert_eq!(wanted("name[]=%61&x=y&name%5B%5D=b", not_called), Ok(two));
        for other in ["", "name=a", "collect=a", "collected[]=a", "&&=&", "name[]", "name[]=", "collect[]"] {
            assert_eq!(wanted(other, not_called), Ok(FamilyFilter::default()), "{other}");
        }
    }

    #[test]
    fn a_query_names_views_to_collect_or_to_leave_out_that_there_are() {
        let views = || vec!["tcp".to_owned(), "tcp_flow".to_owned()];
        let both = Some(views());
        let collect = FamilyFilter { collect: both, ..FamilyFilter::default() };
        assert_eq!(wanted("collect[]=tcp&collect%5B%5D=tcp_flow", views), Ok(collect));
        let exclude = FamilyFilter { exclude: vec!["tcp".into()], ..FamilyFilter::default() };
        assert_eq!(wanted("exclude[]=tcp", views), Ok(exclude));
        let said = wanted("collect[]=tpc", views).expect_err("there is none");
        assert_eq!(said, "There is no view called \"tpc\"; there are: tcp, tcp_flow.\n");
        assert!(wanted("collect[]=tcp&exclude[]=tcp", views).is_err());
    }

    #[test]
    fn the_deadline_is_the_scrapers_timeout_less_half_a_second() {
        let longest = Duration::from_secs(10);
        for (header, seconds) in [
            ("1.5", 1.0),
            ("10.000000", 9.5),
            (" 3 ", 2.5),
            ("10.5", 10.0),
            ("60", 10.0),
            ("1e308", 10.0),
            ("0.5", 0.25),
            ("0.2", 0.1),
            ("0", 10.0),
            ("-0", 10.0),
            ("-1", 10.0),
            ("NaN", 10.0),
            ("inf", 10.0),
            ("-inf", 10.0),
            ("1e309", 10.0),
            ("1,5", 10.0),
            ("soon", 10.0),
            ("", 10.0),
            ("\u{fc}", 10.0),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(TIMEOUT_HEADER, HeaderValue::from_bytes(header.as_bytes()).expect("a header"));
            assert_eq!(deadline(&headers, longest), Duration::from_secs_f64(seconds), "{header:?}");
        }
        assert_eq!(deadline(&HeaderMap::new(), longest), longest);
    }
}
