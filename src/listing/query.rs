//! What is asked of the list of sockets: `protocol`, `filter`, `offset`, `limit`, `sort`.

use std::time::UNIX_EPOCH;

use serde_json::{Value, json};

use super::rates::Rate;
use super::{Listing, Number, Refusal, Row, metrics, protocols};
use crate::metrics::meant;
use crate::suggest::nearest;
use crate::terminal::inert_json;
use crate::view::PROTOCOL;
use sockdiag::Protocol;

/// The most sockets of one answer.
const MOST: usize = 10_000;
/// How many they are unless the query says otherwise.
const USUAL: usize = 1_000;
/// The maximum bytes of an answer, some 1,600 sockets; it ends there and says where the next one begins.
const LONGEST: usize = 4 << 20;

/// The rate of one kind of bytes.
type PerSecond = fn(Rate) -> f64;

/// What is computed from two collections, by its name in the answer.
const RATES: [(&str, PerSecond); 3] = [
    ("sent_bytes_per_second", |rate| rate.sent),
    ("received_bytes_per_second", |rate| rate.received),
    ("retransmitted_bytes_per_second", |rate| rate.retransmitted),
];

/// What a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// The protocols, each once.
    pub protocols: Vec<&'static Protocol>,
    /// The filter, in the language of `ss`.
    pub filter: String,
    offset: usize,
    limit: usize,
    /// The metric or rate to sort by, the greatest first if so.
    sort: Option<(String, bool)>,
}

impl Default for Query {
    fn default() -> Self {
        Self { protocols: vec![PROTOCOL], filter: String::new(), offset: 0, limit: USUAL, sort: None }
    }
}

impl Query {
    /// Reads the part of a URL behind the question mark.
    ///
    /// # Errors
    /// Names the parameter that is unknown or wrong, and what is expected.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let mut query = Self::default();
        for (key, value) in form_urlencoded::parse(text.as_bytes()) {
            let wrong = |expected: &str| Refusal(format!("{key}: found {value:?}; expected: {expected}"));
            match &*key {
                "protocol" => {
                    let named = protocols(value.split(',').filter(|word| !word.is_empty()));
                    query.protocols = named.map_err(|error| Refusal(format!("protocol: {error}")))?;
                }
                "filter" => query.filter = value.into_owned(),
                "offset" => query.offset = value.parse().map_err(|_| wrong("a number"))?,
                "limit" => {
                    let limit = value.parse().ok().filter(|limit| (1..=MOST).contains(limit));
                    query.limit = limit.ok_or_else(|| wrong("a number from 1 to 10000"))?;
                }
                "sort" => {
                    let falling = value.starts_with('-');
                    query.sort = Some((value.trim_start_matches('-').to_owned(), falling));
                }
                _ => {
                    return Err(Refusal(format!(
                        "found {key:?}; expected: protocol, filter, offset, limit, sort"
                    )));
                }
            }
        }
        if query.protocols.is_empty() {
            query.protocols = vec![PROTOCOL];
        }
        Ok(query)
    }

    /// The answer as JSON, with the problems that the sockets show.
    ///
    /// # Errors
    /// If there is nothing to sort by under that name.
    pub fn answer(&self, listing: &Listing, problems: &[Value]) -> Result<String, Refusal> {
        let mut order: Vec<usize> = (0..listing.sockets.len()).collect();
        if let Some((name, falling)) = &self.sort {
            let value = values(name, listing)?;
            order.sort_by(|one, other| match (value(*one), value(*other)) {
                (Some(one), Some(other)) if *falling => other.total_cmp(&one),
                (Some(one), Some(other)) => one.total_cmp(&other),
                // Sockets without a value come last.
                (one, other) => other.is_some().cmp(&one.is_some()),
            });
        }
        let (mut answer, mut next) = (String::from("{\"sockets\":["), self.offset);
        for number in order.iter().skip(self.offset).take(self.limit) {
            if answer.len() >= LONGEST {
                break;
            }
            if let Some(row) = listing.sockets.row(*number) {
                answer.push_str(if next == self.offset { "" } else { "," });
                answer.push_str(&inert_json(&socket(&row, *number, listing).to_string()));
            }
            next += 1;
        }
        let at = listing.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let about = json!({
            "at": at,
            "complete": listing.sockets.is_complete(),
            "total": listing.sockets.len() + listing.sockets.left_out(),
            "left_out": listing.sockets.left_out(),
            "offset": self.offset,
            "next_offset": (next < listing.sockets.len()).then_some(next),
            "problems": problems,
        });
        answer.push_str("],");
        answer.push_str(inert_json(&about.to_string()).trim_start_matches('{'));
        Ok(answer)
    }
}

/// The values to sort by: those of a metric or of a rate.
fn values<'a>(name: &'a str, listing: &'a Listing) -> Result<impl Fn(usize) -> Option<f64> + 'a, Refusal> {
    let rate = RATES.into_iter().find(|(known, _)| *known == name).map(|(_, rate)| rate);
    let names = || metrics().map(|metric| metric.name).chain(RATES.map(|(name, _)| name));
    if !names().any(|known| known == name) {
        let known = meant(name).map(|metric| metric.name);
        let near = known.or_else(|| nearest(name, names()));
        let meant = near.map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
        return Err(Refusal(format!(
            "sort: found {name:?}; expected the name of a metric or rate, with - in front for the greatest first{meant}"
        )));
    }
    let column = metrics().find(|metric| metric.name == name).map(|metric| listing.sockets.column(metric));
    Ok(move |number: usize| match rate {
        Some(rate) => listing.rates.get(number).copied().flatten().map(rate),
        None => column.as_ref()?(&listing.sockets.get(number)?).map(Number::real),
    })
}

fn socket(row: &Row, number: usize, listing: &Listing) -> Value {
    let mut socket = row.to_json();
    if let (Some(rate), Some(object)) = (listing.rates.get(number).copied().flatten(), socket.as_object_mut())
    {
        object.extend(RATES.map(|(name, value)| (name.to_owned(), value(rate).into())));
    }
    socket
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::{TCP, UDP, UNIX};

    #[test]
    fn a_query_is_read_as_a_form_sends_it() {
        let query =
            Query::read("filter=dport+%3D+%3A443&limit=5&offset=10&sort=-rtt_seconds").expect("a query");
        assert_eq!((query.filter.as_str(), query.limit, query.offset), ("dport = :443", 5, 10));
        assert_eq!(query.sort, Some(("rtt_seconds".to_owned(), true)));
        assert_eq!((query.protocols, Query::default().protocols), (vec![&TCP], vec![&TCP]));
        let query = Query::read("protocol=unix,udp&filter=").expect("a query");
        assert_eq!(query.protocols, [&UDP, &UNIX]);
        let wrong = Query::read("protocol=unx").expect_err("no protocol").to_string();
        assert!(wrong.contains("did you mean unix?"), "{wrong}");
        for (text, value) in
            [("100%", "100%"), ("%zz", "%zz"), ("%C3%BC", "\u{fc}"), ("%ff", "\u{fffd}"), ("%", "%")]
        {
            let query = Query::read(&format!("filter={text}")).expect("a query");
            assert_eq!(query.filter, value);
        }
        for wrong in ["limit=0", "limit=10001", "limit=x", "offset=-1", "size=3"] {
            assert!(Query::read(wrong).is_err(), "{wrong}");
        }
    }
}
