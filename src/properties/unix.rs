//! The lines of unix sockets: their names and peers.

use std::io::Write as _;

use super::operand::Operand;
use super::read::{never, put};
use super::{Line, Listed, Needs, Read, Test, UNKNOWN};
use crate::facts::Facts;
use crate::pattern;
use sockdiag::unix::{Peering, UnixName};

/// What stands for a name that the kernel has chosen.
const AUTOBOUND: &str = "@autobound";

/// The line `path`.
pub(super) const PATH: Line = Line::changing(
    "path",
    Read::Own(path, path_is),
    "The name of a unix socket, or of the listener that accepted it: a path, `@` and an abstract name, `@autobound` if the kernel chose it, empty without one; NUL, control characters and bytes that are no UTF-8 as `\\x00` (`UNIX_DIAG_NAME`).",
)
.needs(Needs::NAME)
.listed(Listed::Always)
.selected(
    &["path"],
    Operand::Text(|_| true, "a path or @NAME, in which * is any text and ? one byte"),
    "path = /run/docker.sock  path = \"/run/php/*\"  path != @autobound",
    "by the name of a unix socket, in which `*` is any text and `?` one byte; also `src unix:/run/php/*`",
);

/// The line `path_name`.
pub(super) const PATH_NAME: Line = Line::changing(
    "path_name",
    Read::Own(path_name, never),
    "The name under `paths` whose pattern fits the name of a unix socket, or else the same as `path`.",
)
.needs(Needs::NAME)
.selected(
    &["path_name"],
    Operand::PathName,
    "path_name = php",
    "by the name of a unix socket that fits a pattern of that name under `paths:`",
);

/// The line `peer_process`.
pub(super) const PEER_PROCESS: Line = Line::changing(
    "peer_process",
    Read::Own(peer_process, peer_is),
    "The names of the processes that hold the other end of a unix socket, as `process` (`UNIX_DIAG_PEER`); empty without a peer, `unknown` if it is not accepted yet or in a network namespace that is not collected.",
)
.needs(Needs::PEERS)
.listed(Listed::Always)
.selected(&["peer_process"], Operand::Program, "peer_process = dockerd", "by the process of the other end, as `process`");

fn path(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match facts.socket.unix_name() {
        None => {}
        Some(UnixName::Autobound) => put(text, AUTOBOUND),
        Some(UnixName::Path(path)) => escaped(text, path),
        Some(UnixName::Abstract(name)) => {
            text.push(b'@');
            escaped(text, name);
        }
    }
}

fn path_name(facts: &Facts<'_>, text: &mut Vec<u8>) {
    let begins = text.len();
    path(facts, text);
    if let Some(name) = facts.names.configured.paths.name_of(text.get(begins..).unwrap_or_default()) {
        text.truncate(begins);
        put(text, name);
    }
}

fn path_is(facts: &Facts<'_>, test: &Test) -> bool {
    let Test::Text(_, wanted) = test else { return false };
    let mut name = Vec::new();
    path(facts, &mut name);
    pattern::fits(wanted.as_bytes(), &name)
}

fn peer_process(facts: &Facts<'_>, text: &mut Vec<u8>) {
    match (facts.socket.peering(), facts.ownership.peer) {
        (Some(Peering::Connected(_)), Some(owner)) => put(text, owner.names()),
        (Some(Peering::Connected(_) | Peering::Waiting), _) => put(text, UNKNOWN),
        (Some(Peering::Orphaned) | None, _) => {}
    }
}

fn peer_is(facts: &Facts<'_>, test: &Test) -> bool {
    let Test::Text(_, name) = test else { return false };
    facts.ownership.peer.is_some_and(|owner| owner.processes().iter().any(|process| process.is_called(name)))
}

/// Appends bytes as text: those that are no letters as `\x` and two digits.
fn escaped(text: &mut Vec<u8>, bytes: &[u8]) {
    // As almost all names are.
    if bytes.iter().all(|byte| (b' '..=b'~').contains(byte)) {
        text.extend_from_slice(bytes);
        return;
    }
    for chunk in bytes.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter.is_ascii_control() {
                // Writing to a Vec cannot fail.
                drop(write!(text, "\\x{:02x}", u32::from(letter)));
            } else {
                put(text, letter.encode_utf8(&mut [0; 4]));
            }
        }
        for byte in chunk.invalid() {
            drop(write!(text, "\\x{byte:02x}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use std::sync::Arc;

    use crate::attribute::{Owner, Ownership, Process};
    use crate::facts::Names;
    use crate::properties::Property;
    use sockdiag::UNIX;

    /// The reply about a stream socket with these attributes.
    fn reply(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut payload = vec![1, 1, 1, 0];
        payload.extend([7_u32, 9, 0].map(u32::to_ne_bytes).concat());
        for (number, bytes) in attributes {
            let length = u16::try_from(4 + bytes.len()).expect("short");
            payload.extend([length, *number].map(u16::to_ne_bytes).concat());
            payload.extend_from_slice(bytes);
            payload.resize(payload.len().next_multiple_of(4), 0);
        }
        payload
    }

    /// The text of a label, and whether a test of that property by a text passes.
    fn label(property: Property, reply: &[u8], peer: Option<&Arc<Owner>>, test: &str) -> (String, bool) {
        let socket = UNIX.parse(reply).expect("a socket");
        let ownership = Ownership { peer, ..Ownership::default() };
        let facts = Facts::of_dump(&socket, ownership, Names::NONE);
        let mut label = Vec::new();
        property.write(&mut label, &facts);
        let passes = Test::Text(property, test.to_owned()).accepts(&facts);
        (String::from_utf8(label).expect("UTF-8"), passes)
    }

    #[test]
    fn a_path_is_text_whatever_bytes_the_process_chose() {
        for (name, text) in [
            (&b"/run/php/www.sock\0"[..], "/run/php/www.sock"),
            (b"\0/tmp/.X11-unix/X0", "@/tmp/.X11-unix/X0"),
            (b"\x0000abc", "@autobound"),
            (b"/a\n\"\xff\xc3\xa9\0", "/a\\x0a\"\\xff\u{e9}"),
            (b"\0a\0b", "@a\\x00b"),
            (b"", ""),
        ] {
            assert_eq!(label(Property::Path, &reply(&[(0, name)]), None, text), (text.to_owned(), true));
        }
        assert_eq!(label(Property::Path, &reply(&[]), None, "*"), (String::new(), true));
    }

    #[test]
    fn a_path_is_selected_by_a_pattern_of_all_of_it() {
        let passes = |pattern| label(Property::Path, &reply(&[(0, b"/run/php/a.sock\0")]), None, pattern).1;
        assert!(passes("/run/php/*") && passes("/run/php/?.sock") && passes("*"));
        assert!(!passes("/run/php") && !passes("php") && !passes("@/run/php/*"));
    }

    #[test]
    fn a_peer_is_its_processes_unknown_or_none() {
        let owner = Arc::new(Owner::of(vec![Process::new(5, "dockerd".to_owned(), "dockerd".to_owned())]));
        let of = |peer: u32, shutdown: u8, owner| {
            let reply = reply(&[(2, &peer.to_ne_bytes()), (6, &[shutdown])]);
            label(Property::PeerProcess, &reply, owner, "dockerd")
        };
        assert_eq!(of(8, 0, Some(&owner)), ("dockerd".to_owned(), true));
        assert_eq!(of(8, 0, None), ("unknown".to_owned(), false));
        assert_eq!(of(0, 0, None), ("unknown".to_owned(), false));
        assert_eq!(of(0, 3, None), (String::new(), false));
        assert_eq!(label(Property::PeerProcess, &reply(&[]), None, "dockerd"), (String::new(), false));
    }

    proptest! {
        #[test]
        fn every_name_is_utf_8_without_control_characters(name in prop::collection::vec(any::<u8>(), 0..108)) {
            let (text, _) = label(Property::Path, &reply(&[(0, &name)]), None, "");
            prop_assert!(!text.chars().any(|letter| letter.is_ascii_control()));
        }
    }
}
