//! The sockets of another exporter, from the JSON of its `/api/v1/sockets`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use form_urlencoded::Serializer;
use serde_json::{Map, Value};

use super::{ObservedSocket, ObservedSockets};
use crate::listing::{Number, Rate, Row};
use crate::problems::Problem;
use crate::properties::Property;
use sockdiag::{Protocol, State};

/// The most sockets that are asked for.
const LIMIT: &str = "1000";

/// One answer.
#[derive(Debug)]
pub struct Fetched {
    rows: Vec<ObservedSocket>,
    total: usize,
    complete: bool,
    at: SystemTime,
    problems: Vec<Problem>,
}

/// The query for the sockets of some protocols that pass a filter, sorted; without protocols, of those that the exporter
/// takes without one.
#[must_use]
pub fn query(protocols: &[&Protocol], filter: &str, sort: &str) -> String {
    let mut query = Serializer::new(String::new());
    query.append_pair("filter", filter).append_pair("limit", LIMIT);
    if !protocols.is_empty() {
        let names: Vec<_> = protocols.iter().map(|protocol| protocol.name).collect();
        query.append_pair("protocol", &names.join(","));
    }
    if !sort.is_empty() {
        query.append_pair("sort", sort);
    }
    query.finish()
}

impl Fetched {
    /// Reads an answer.
    ///
    /// # Errors
    /// If it is not the answer of an exporter.
    pub fn read(body: &[u8]) -> Result<Self, String> {
        let wrong = |what: &str| format!("the answer is not that of an exporter: {what}");
        let answer: Value = serde_json::from_slice(body).map_err(|error| wrong(&error.to_string()))?;
        let sockets =
            answer.get("sockets").and_then(Value::as_array).ok_or_else(|| wrong("it has no sockets"))?;
        let rows: Vec<_> = sockets.iter().filter_map(Value::as_object).map(socket).collect();
        let problems = answer.get("problems").and_then(Value::as_array).into_iter().flatten();
        let total = answer.get("total").and_then(Value::as_u64).and_then(|total| usize::try_from(total).ok());
        let at = answer.get("at").and_then(Value::as_f64).and_then(|at| Duration::try_from_secs_f64(at).ok());
        Ok(Self {
            total: total.unwrap_or(rows.len()),
            rows,
            complete: answer.get("complete").and_then(Value::as_bool).unwrap_or(true),
            problems: problems.filter_map(Problem::from_json).collect(),
            at: at.and_then(|at| UNIX_EPOCH.checked_add(at)).unwrap_or(UNIX_EPOCH),
        })
    }

    /// The socket with a cookie.
    #[must_use]
    pub fn socket(self, cookie: &str) -> Option<ObservedSocket> {
        self.rows.into_iter().find(|(row, _)| row.label(Property::Cookie) == cookie)
    }
}

fn socket(object: &Map<String, Value>) -> ObservedSocket {
    let rate = |name| object.get(name).and_then(Value::as_f64);
    let rates = rate("sent_bytes_per_second").zip(rate("received_bytes_per_second"));
    let rates = rates.map(|(sent, received)| Rate {
        sent,
        received,
        retransmitted: rate("retransmitted_bytes_per_second").unwrap_or_default(),
    });
    (Row::from_json(object), rates)
}

impl ObservedSockets for Fetched {
    fn at(&self) -> SystemTime {
        self.at
    }

    fn count(&self) -> usize {
        self.rows.len()
    }

    fn total(&self) -> usize {
        self.total
    }

    fn row(&self, index: usize) -> Option<Row> {
        self.rows.get(index).map(|(row, _)| row.clone())
    }

    fn text(&self, index: usize, label: Property) -> String {
        self.rows.get(index).map_or("", |(row, _)| row.label(label)).to_owned()
    }

    fn values<'s>(&'s self, metric: &'static str) -> Box<dyn Fn(usize) -> Option<f64> + 's> {
        Box::new(move |index| self.rows.get(index)?.0.value(metric).map(Number::real))
    }

    fn rate(&self, index: usize) -> Option<Rate> {
        self.rows.get(index)?.1
    }

    fn in_state(&self, state: State) -> u64 {
        let of_state = self.rows.iter().filter(|(row, _)| row.label(Property::State) == state.name());
        u64::try_from(of_state.count()).unwrap_or(u64::MAX)
    }

    fn shortage(&self) -> Option<String> {
        (!self.complete).then(|| "Sockets or owners are missing: the exporter's page says why.".to_owned())
    }

    fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::{TCP, UDP};

    #[test]
    fn an_answer_of_the_api_is_read_and_anything_else_is_an_error() {
        let text = r#"{"sockets":[{"state":"established","local_port":443,"process":"a\u001b","rtt_seconds":0.25,
            "sent_bytes_per_second":5.5,"received_bytes_per_second":0}],"at":1.5,"complete":false,"total":7,"left_out":0,
            "problems":[{"alert":"SsUdpDrops","title":"a","detail":"b","protocol":"udp","filter":""},{"alert":"SsNew"}]}"#;
        let fetched = Fetched::read(text.as_bytes()).expect("an answer");
        assert_eq!((fetched.count(), fetched.total(), fetched.in_state(State::Established)), (1, 7, 1));
        assert_eq!(
            (fetched.text(0, Property::LocalPort), fetched.text(0, Property::Process)),
            ("443".into(), "a\u{1b}".into())
        );
        assert_eq!(
            (fetched.values("rtt_seconds")(0), fetched.rate(0).map(|rate| rate.sent)),
            (Some(0.25), Some(5.5))
        );
        assert_eq!(fetched.problems().len(), 1);
        assert!(fetched.shortage().is_some() && fetched.row(1).is_none() && fetched.rate(1).is_none());
        for wrong in ["", "[]", "{}", "{\"sockets\":3}", "<html>"] {
            assert!(Fetched::read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let odd = Fetched::read(br#"{"sockets":[3,{}],"at":-1,"total":-1}"#).expect("an answer");
        assert_eq!((odd.count(), odd.total()), (1, 1));
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(
            query(&[&TCP, &UDP], "a = b&c", "-rtt_seconds"),
            "filter=a+%3D+b%26c&limit=1000&protocol=tcp%2Cudp&sort=-rtt_seconds"
        );
        assert_eq!(query(&[], "", ""), "filter=&limit=1000");
    }
}
