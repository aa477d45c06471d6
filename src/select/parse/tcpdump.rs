//! The words of `tcpdump`: each gets an error with the form of it here.

use super::super::error::{SelectionError, Value};
use super::super::lex::TokenKind;
use super::Parser;
use crate::properties::Property;
use sockdiag::PROTOCOLS;

/// Words in the place of a predicate, and what says the same.
const PREDICATES: [(&str, &str); 5] = [
    ("portrange", "port in FIRST-LAST"),
    ("ip", "net 0.0.0.0/0"),
    ("ip6", "net ::/0"),
    ("icmp", "protocol: raw in the view"),
    ("icmp6", "protocol: raw in the view"),
];

/// What says the same as a word in the place of a predicate; `None` if it is no word of `tcpdump`.
pub(super) fn instead_of(word: &str) -> Option<String> {
    if PROTOCOLS.iter().any(|protocol| protocol.name == word) {
        return Some(format!(
            "protocol: {word} in the view or --protocol {word} on the command line, and a predicate such as port 443 here"
        ));
    }
    PREDICATES.iter().find(|(known, _)| *known == word).map(|(_, instead)| (*instead).to_owned())
}

impl Parser<'_> {
    /// Refuses `src host NAME` and the like, where `host` would be the name of a host.
    pub(super) fn refuse_tcpdump(
        &self,
        value: &Value,
        properties: &[Property],
    ) -> Result<(), SelectionError> {
        let (word, port) = match properties {
            [Property::LocalAddress] => ("src", "sport"),
            [Property::RemoteAddress] => ("dst", "dport"),
            _ => return Ok(()),
        };
        if value.quoted || !matches!(self.token.kind, TokenKind::Word(_)) {
            return Ok(());
        }
        match value.text.as_str() {
            "host" | "net" => Err(value.error(format!("{word} with the address, such as {word} 10.0.0.0/8"))),
            "port" => Err(value.error(format!("{port} = PORT"))),
            "portrange" => Err(value.error(format!("{port} in FIRST-LAST"))),
            _ => Ok(()),
        }
    }
}
