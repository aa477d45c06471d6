//! What the client understands: `Accept` and `Accept-Encoding`.

use hyper::HeaderMap;
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName, HeaderValue};

use crate::exposition::Format;

/// The language of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Exposition {
    pub(super) format: Format,
    /// The escaping of names outside of `[a-zA-Z0-9_:]`. The exporter has none, so it only returns the parameter.
    escaping: Option<&'static str>,
}

impl Exposition {
    /// The format that the client prefers among those that the exporter writes; text if there is none.
    pub(super) fn negotiate(headers: &HeaderMap) -> Self {
        let offers =
            entries(headers, ACCEPT).filter_map(|entry| Some((entry.weight(), Self::meant_by(entry)?)));
        let offers = offers.filter(|(weight, _)| *weight > 0.0);
        let best = offers.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map_or(Self { format: Format::Text, escaping: None }, |(_, exposition)| exposition)
    }

    fn meant_by(entry: Entry<'_>) -> Option<Self> {
        let (format, spoken) = match entry.name.to_ascii_lowercase().as_str() {
            "application/openmetrics-text" => (Format::OpenMetrics, "1.0.0"),
            "text/plain" => (Format::Text, "0.0.4"),
            "text/*" | "*/*" => (Format::Text, ""),
            _ => return None,
        };
        if entry.parameter("version").is_some_and(|version| version != spoken) {
            return None;
        }
        let escaping = entry.parameter("escaping").and_then(|scheme| match scheme {
            "allow-utf-8" => Some("allow-utf-8"),
            "values" => Some("values"),
            "underscores" | "dots" => Some("underscores"),
            _ => None,
        });
        Some(Self { format, escaping })
    }

    pub(super) fn content_type(self) -> HeaderValue {
        let plain = self.format.content_type();
        let escaped = self.escaping.and_then(|scheme| format!("{plain}; escaping={scheme}").try_into().ok());
        escaped.unwrap_or_else(|| HeaderValue::from_static(plain))
    }
}

/// Whether the answer shall be compressed.
pub(super) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut identity, mut any) = (None, None, None);
    for entry in entries(headers, ACCEPT_ENCODING) {
        let coding = match entry.name.to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => &mut gzip,
            "identity" => &mut identity,
            "*" => &mut any,
            _ => continue,
        };
        *coding = Some(entry.weight());
    }
    let gzip = gzip.or(any).unwrap_or(0.0);
    gzip > 0.0 && gzip >= identity.unwrap_or(0.0)
}

#[derive(Clone, Copy)]
struct Entry<'a> {
    name: &'a str,
    parameters: &'a str,
}

/// The comma-separated entries of all headers of a name. None of the headers that are read has quoted commas.
fn entries(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = Entry<'_>> {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|entry| {
        let (name, parameters) = entry.split_once(';').unwrap_or((entry, ""));
        Entry { name: name.trim(), parameters }
    })
}

impl<'a> Entry<'a> {
    fn parameter(self, name: &str) -> Option<&'a str> {
        let mut parameters = self.parameters.split(';').filter_map(|parameter| parameter.split_once('='));
        let (_, value) = parameters.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))?;
        Some(value.trim().trim_matches('"'))
    }

    /// The client's weight `q`, 0 to 1; anything else counts as 0.
    fn weight(self) -> f32 {
        let Some(weight) = self.parameter("q") else { return 1.0 };
        weight.parse().ok().filter(|weight| (0.0..=1.0).contains(weight)).unwrap_or(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

    fn content_type(accept: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_bytes(accept.as_bytes()).expect("a header"));
        Exposition::negotiate(&headers).content_type().to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn every_known_scraper_gets_the_format_it_likes_best() {
        let proto =
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";
        let utf8 = format!("{OPEN_METRICS}; escaping=allow-utf-8");
        for (scraper, accept, answer) in [
            (
                "Prometheus 2.42",
                "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                 text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
                    .into(),
                OPEN_METRICS,
            ),
            (
                "Prometheus 2.42 with native histograms",
                format!(
                    "{proto},application/openmetrics-text;version=1.0.0;q=0.8,\
                     application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
                ),
                OPEN_METRICS,
            ),
            (
                "Prometheus 2.50",
                "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
                    .into(),
                OPEN_METRICS,
            ),
            (
                "Prometheus 3.0",
                "application/openmetrics-text;version=1.0.0;q=0.6;escaping=allow-utf-8,\
                 application/openmetrics-text;version=0.0.1;q=0.5;escaping=allow-utf-8,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4;escaping=allow-utf-8,\
                 text/plain;version=0.0.4;q=0.3;escaping=allow-utf-8,*/*;q=0.2;escaping=allow-utf-8"
                    .into(),
                utf8.as_str(),
            ),
            (
                "Prometheus 3.5",
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                 application/openmetrics-text;version=0.0.1;q=0.5,\
                 text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
                    .into(),
                &utf8,
            ),
            (
                "Prometheus 3.5, protobuf first",
                format!(
                    "{proto};escaping=allow-utf-8;q=0.6,\
                     application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                     application/openmetrics-text;version=0.0.1;q=0.4,\
                     text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,text/plain;version=0.0.4;q=0.2,*/*;q=0.1"
                ),
                &utf8,
            ),
            (
                "Prometheus 3.5 with legacy names",
                "application/openmetrics-text;version=1.0.0;escaping=underscores;q=0.6,\
                 text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
                    .into(),
                &format!("{OPEN_METRICS}; escaping=underscores"),
            ),
            ("VictoriaMetrics", "text/plain;version=0.0.4;q=1,*/*;q=0.1".into(), TEXT),
            ("curl", "*/*".into(), TEXT),
            (
                "a browser",
                "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8".into(),
                TEXT,
            ),
        ] {
            assert_eq!(content_type(&accept), answer, "{scraper}");
        }
        assert_eq!(Exposition::negotiate(&HeaderMap::new()).content_type(), TEXT);
    }

    #[test]
    fn weights_versions_and_order_decide() {
        for (accept, answer) in [
            ("", TEXT),
            ("image/png", TEXT),
            ("application/openmetrics-text", OPEN_METRICS),
            ("Application/OpenMetrics-Text ; Q=1 ; Version=\"1.0.0\"", OPEN_METRICS),
            ("application/openmetrics-text;version=0.0.1", TEXT),
            ("application/openmetrics-text;version=2.0.0", TEXT),
            ("application/openmetrics-text;q=0", TEXT),
            ("text/plain;q=0,application/openmetrics-text;q=0.1", OPEN_METRICS),
            ("text/plain;q=0.9,application/openmetrics-text;q=0.8", TEXT),
            ("text/plain,application/openmetrics-text", TEXT),
            ("application/openmetrics-text,text/plain", OPEN_METRICS),
            ("*/*,application/openmetrics-text;q=0.5", TEXT),
            ("application/openmetrics-text;q=NaN", TEXT),
            ("application/openmetrics-text;q=9", TEXT),
            (";;;,,=;q==,\u{fc}", TEXT),
        ] {
            assert_eq!(content_type(accept), answer, "{accept:?}");
        }
    }

    #[test]
    fn the_escaping_of_the_chosen_entry_is_said_back() {
        for (scheme, answer) in [
            ("allow-utf-8", "; escaping=allow-utf-8"),
            ("underscores", "; escaping=underscores"),
            ("values", "; escaping=values"),
            ("dots", "; escaping=underscores"),
            ("evil\"\\", ""),
        ] {
            let accept = format!("application/openmetrics-text;escaping={scheme}");
            assert_eq!(content_type(&accept), format!("{OPEN_METRICS}{answer}"));
        }
        assert_eq!(content_type("image/png;escaping=values"), TEXT);
    }

    #[test]
    fn gzip_is_used_when_it_is_liked_at_least_as_well_as_nothing() {
        for (accept, answer) in [
            ("gzip", true),
            ("GZIP;q=0.1", true),
            ("gzip, deflate, br, zstd", true),
            ("*", true),
            ("identity;q=0, *", true),
            ("gzip;q=0.5, identity;q=0.5", true),
            ("gzip;q=0.5, identity", false),
            ("gzip;q=0, *", false),
            ("gzip;q=0", false),
            ("gzip;q=NaN", false),
            ("*;q=0", false),
            ("identity", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
            assert_eq!(accepts_gzip(&headers), answer, "{accept:?}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
