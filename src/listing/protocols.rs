//! The protocols of a list, by the words of `ss -A`.

use crate::suggest::nearest;
use crate::terminal::shown;
use sockdiag::{PROTOCOLS, Protocol};

/// There is no protocol of that name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no protocol \"{}\"{}; expected: {}", shown(.name), .nearest.map(|word| format!(", did you mean {word}?")).unwrap_or_default(), names().collect::<Vec<_>>().join(", "))]
pub struct UnknownProtocol {
    name: String,
    nearest: Option<&'static str>,
}

fn names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|protocol| protocol.name)
}

/// The protocols with these names, each once, in the order of the table.
///
/// # Errors
/// If there is none of a name: names those that there are.
pub fn protocols<'a>(
    words: impl IntoIterator<Item = &'a str>,
) -> Result<Vec<&'static Protocol>, UnknownProtocol> {
    let mut named = Vec::new();
    for word in words {
        let known = names().find(|name| *name == word);
        let unknown = || UnknownProtocol { name: word.to_owned(), nearest: nearest(word, names()) };
        named.push(known.ok_or_else(unknown)?);
    }
    Ok(PROTOCOLS.iter().copied().filter(|protocol| named.contains(&protocol.name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use sockdiag::{TCP, UDP};

    #[test]
    fn a_protocol_is_listed_once_and_an_unknown_one_is_named_with_the_nearest() {
        assert_eq!(protocols(["udp", "tcp", "udp"]), Ok(vec![&TCP, &UDP]));
        let error = protocols(["unx"]).expect_err("there is none").to_string();
        assert!(error.contains("\"unx\", did you mean unix?") && error.contains("netlink"), "{error}");
    }
}
