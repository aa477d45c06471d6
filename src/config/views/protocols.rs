//! `protocol:`, whose sockets a view shows, by the words of `ss -A`.

use crate::strict_yaml::Entry;
use crate::view::PROTOCOL;
use sockdiag::{PROTOCOLS, Protocol};

/// The protocols of an entry, a word or a list of words; that of a view without the key if none is right.
pub(super) fn read(entry: &Entry<'_>) -> Vec<&'static Protocol> {
    const SOME: &str = "a protocol or a list of protocols, such as [tcp, udp]";
    let items = entry.items();
    if items.is_empty() {
        entry.error(&format!("found an empty list; expected: {SOME}"));
    }
    let mut protocols = Vec::new();
    for item in &items {
        match protocol(item) {
            Some(protocol) if protocols.contains(&protocol) => {
                item.error(&format!("found {} again; expected: each protocol once", protocol.name));
            }
            Some(protocol) => protocols.push(protocol),
            None => {}
        }
    }
    if protocols.is_empty() { vec![PROTOCOL] } else { protocols }
}

fn protocol(entry: &Entry<'_>) -> Option<&'static Protocol> {
    let names = || PROTOCOLS.iter().map(|protocol| protocol.name);
    let expected = names().collect::<Vec<_>>().join(", ");
    let word = entry.text(&expected)?;
    let known = PROTOCOLS.iter().find(|protocol| protocol.name == word).copied();
    if known.is_none() {
        entry.unknown_word(&word, &expected, names());
    }
    known
}

/// Notes that sockets of a protocol lack what the view asks for, which those of the others have.
pub(super) fn lacks(entry: &Entry<'_>, word: &str, protocol: &Protocol, kind: &str, others: &str) {
    let name = protocol.name;
    entry.error(&format!(
        "found {word}, which {name} sockets do not have; expected: {kind} that they have, or protocol: {others}"
    ));
}
