//! A problem as JSON, and back.

use serde_json::{Value, json};

use super::Problem;
use super::rules::RULES;
use sockdiag::PROTOCOLS;

impl Problem {
    /// An object with the alert, the severity, the title, the detail, and the protocol and filter of the sockets that show it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let (protocol, filter) = self.filter.as_ref().map(|(protocol, filter)| (*protocol, filter)).unzip();
        json!({
            "alert": self.rule.alert,
            "severity": self.rule.severity.name(),
            "title": self.title,
            "detail": self.detail,
            "protocol": protocol,
            "filter": filter,
        })
    }

    /// The problem that an object of [`Problem::to_json`] describes; `None` if no rule here has its alert.
    pub(crate) fn from_json(object: &Value) -> Option<Self> {
        let text = |key| object.get(key).and_then(Value::as_str);
        let rule = RULES.iter().copied().find(|rule| rule.alert == text("alert"))?;
        let protocol = PROTOCOLS.iter().find(|protocol| Some(protocol.name) == text("protocol"));
        let filter = protocol.map(|protocol| protocol.name).zip(text("filter").map(str::to_owned));
        Some(Self { rule, title: text("title")?.to_owned(), detail: text("detail")?.to_owned(), filter })
    }
}
