//! The headers that an operator may add to every answer.

use hyper::header::{HeaderMap, HeaderName, HeaderValue};

use crate::strict_yaml::{Entry, Name};

/// A header, and the only values that it may have; any if there is none.
type Rule = (Name, HeaderName, &'static [&'static str]);

const RULES: [Rule; 5] = [
    (&["Content-Security-Policy"], hyper::header::CONTENT_SECURITY_POLICY, &[]),
    (&["Strict-Transport-Security"], hyper::header::STRICT_TRANSPORT_SECURITY, &[]),
    (&["X-Content-Type-Options"], hyper::header::X_CONTENT_TYPE_OPTIONS, &["nosniff"]),
    (&["X-Frame-Options"], hyper::header::X_FRAME_OPTIONS, &["deny", "sameorigin"]),
    (&["X-XSS-Protection"], hyper::header::X_XSS_PROTECTION, &[]),
];

pub(super) fn read(entry: &Entry<'_>) -> HeaderMap {
    let section = entry.section(&RULES.each_ref().map(|(name, ..)| *name));
    let mut headers = HeaderMap::new();
    for (key, header, values) in RULES {
        if let Some(value) = section.filled(key).and_then(|entry| value(entry, values)) {
            headers.insert(header, value);
        }
    }
    headers
}

fn value(entry: &Entry<'_>, values: &[&str]) -> Option<HeaderValue> {
    let expected = if values.is_empty() { "the text of a header".to_owned() } else { values.join(", ") };
    let text = entry.text(&expected)?;
    let known = values.is_empty() || values.contains(&text.as_str());
    if !known {
        entry.unknown_word(&text, &expected, values.iter().copied());
        return None;
    }
    entry.or_refuse(HeaderValue::from_str(&text).ok(), "the text of a header, in one line of ASCII")
}
