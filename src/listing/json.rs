//! A socket as JSON, and back.

use serde_json::{Map, Value};

use super::{Number, Row, metrics};
use crate::metrics::Metric;
use crate::properties::Property;
use crate::view::PROTOCOL;
use sockdiag::PROTOCOLS;

impl Row {
    /// An object with the labels, ports as numbers, and the metrics by their names; what the kernel does not report is absent.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let label = |(label, text): &(Property, String)| {
            let is_port = matches!(label, Property::LocalPort | Property::RemotePort);
            let number = is_port.then(|| text.parse::<u16>().ok()).flatten();
            (label.name().to_owned(), number.map_or_else(|| Value::from(text.as_str()), Value::from))
        };
        let value = |number: Number| match number {
            Number::Whole(whole) => Value::from(whole),
            Number::Real(real) => Value::from(real),
        };
        let metrics = self.values.iter().map(|(metric, number)| (metric.name.to_owned(), value(*number)));
        self.labels.iter().map(label).chain(metrics).collect::<Map<_, _>>().into()
    }

    /// The socket that an object of [`Row::to_json`] describes; what it has beside labels and metrics is ignored.
    pub(crate) fn from_json(object: &Map<String, Value>) -> Self {
        let text = |label: Property| {
            let value = object.get(label.name())?;
            Some((label, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
        };
        let number = |metric: &'static Metric| {
            let value = object.get(metric.name)?;
            let whole = value.as_u64().map(Number::Whole);
            Some((metric, whole.or_else(|| value.as_f64().map(Number::Real))?))
        };
        let protocol =
            |name: &Value| PROTOCOLS.iter().copied().find(|protocol| Some(protocol.name) == name.as_str());
        Self {
            protocol: object.get(Property::Protocol.name()).and_then(protocol).unwrap_or(PROTOCOL),
            labels: Property::listable().filter_map(text).collect(),
            values: metrics().filter_map(number).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::named;

    #[test]
    fn ports_and_values_are_numbers_and_hostile_names_are_text() {
        let labels = [
            (Property::State, "established"),
            (Property::LocalPort, "443"),
            (Property::Process, "</script>\"\n"),
        ];
        let values = vec![
            (named("rtt_seconds"), Number::Real(0.25)),
            (named("sent_bytes_total"), Number::Whole(u64::MAX)),
        ];
        let json = Row::of(&labels, values).to_json();
        assert_eq!(json["state"], "established");
        assert_eq!((&json["local_port"], &json["remote_port"]), (&Value::from(443), &Value::from("")));
        assert_eq!(
            (&json["rtt_seconds"], &json["sent_bytes_total"]),
            (&Value::from(0.25), &Value::from(u64::MAX))
        );
        assert_eq!(json["process"], "</script>\"\n");
        assert!(json.get("min_rtt_seconds").is_none());
        let read = Row::from_json(json.as_object().expect("an object"));
        assert_eq!(read.to_json(), json);
    }
}
