//! The two ends of a socket as `ss` prints them: of the internet, addresses and ports; of the others, what stands for them.

use super::Row;
use crate::properties::{Property, UNKNOWN};
use crate::terminal::inert;

/// One end of sockets of all protocols.
pub(super) struct Side {
    /// A socket has the first of these of which it has all labels.
    forms: &'static [End],
    /// The labels of all of them.
    pub(super) labels: &'static [Property],
}

/// The form of an end.
struct End {
    /// What stands first; without it `*`.
    name: Option<Property>,
    between: &'static str,
    number: Property,
}

const fn end(name: Property, between: &'static str, number: Property) -> End {
    End { name: Some(name), between, number }
}

/// This host's end.
pub(super) const LOCAL: Side = Side {
    forms: &[
        end(Property::LocalAddress, ":", Property::LocalPort),
        end(Property::Path, " ", Property::Inode),
        end(Property::NetlinkProtocol, ":", Property::Portid),
        end(Property::Ethertype, ":", Property::Interface),
        end(Property::LocalCid, ":", Property::VsockPort),
        end(Property::Interface, ":q", Property::Queue),
    ],
    labels: &[
        Property::LocalAddress,
        Property::LocalPort,
        Property::Path,
        Property::Inode,
        Property::NetlinkProtocol,
        Property::Portid,
        Property::Ethertype,
        Property::Interface,
        Property::LocalCid,
        Property::VsockPort,
        Property::Queue,
    ],
};

/// The other end.
pub(super) const REMOTE: Side = Side {
    forms: &[
        end(Property::RemoteAddress, ":", Property::RemotePort),
        End { name: None, between: " ", number: Property::PeerInode },
        end(Property::Cid, ":", Property::RemoteVsockPort),
    ],
    labels: &[
        Property::RemoteAddress,
        Property::RemotePort,
        Property::PeerInode,
        Property::Cid,
        Property::RemoteVsockPort,
    ],
};

impl Side {
    /// The end of a socket; `*` if its protocol has none.
    pub(super) fn text(&self, row: &Row) -> String {
        let text = self.forms.iter().find_map(|End { name, between, number }| {
            let name = name.map_or(Some("*"), |name| row.text(name))?;
            let number = any_if_none(*number, row.text(*number)?);
            Some(match any_if_none_of_all(name) {
                address if address.contains(':') && *between == ":" => format!("[{address}]:{number}"),
                name => format!("{name}{between}{number}"),
            })
        });
        text.map_or_else(|| "*".to_owned(), |text| inert(&text))
    }
}

/// Without a name, or with the type of all frames, `*` as in `ss`.
fn any_if_none_of_all(name: &str) -> &str {
    match name {
        "" | UNKNOWN | "0x3" => "*",
        name => name,
    }
}

/// Without a number `*`. An inode stays 0, as in `ss`.
fn any_if_none(property: Property, number: &str) -> &str {
    let is_inode = matches!(property, Property::Inode | Property::PeerInode);
    match number {
        UNKNOWN if is_inode => "0",
        "0" if !is_inode && property != Property::Queue => "*",
        UNKNOWN | "unbound" => "*",
        number => number,
    }
}
