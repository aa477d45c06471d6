//! The addresses of one host name, and when DNS is asked for them again.

use std::net::IpAddr;

use hickory_resolver::net::NetError;

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) const BOTH: [Self; 2] = [Self::V4, Self::V6];

    const fn has(self, address: &IpAddr) -> bool {
        matches!((self, address), (Self::V4, IpAddr::V4(_)) | (Self::V6, IpAddr::V6(_)))
    }
}

/// The addresses of one name.
#[derive(Debug, Default)]
pub(super) struct KnownName {
    /// Those in the hosts file.
    pub(super) file: Vec<IpAddr>,
    /// What DNS last answered.
    v4: Answer,
    v6: Answer,
}

/// The last answer of DNS for one family.
#[derive(Debug, Default)]
struct Answer {
    addresses: Vec<IpAddr>,
    /// Whether DNS has been asked, with whatever result.
    asked: bool,
    /// Whether the last question got no answer.
    failed: bool,
}

impl KnownName {
    /// All its addresses, ascending; of one family those of DNS only if the hosts file has none.
    pub(super) fn addresses(&self) -> Vec<IpAddr> {
        let mut all = self.file.clone();
        for (family, answer) in [(Family::V4, &self.v4), (Family::V6, &self.v6)] {
            if !self.is_in_file(family) {
                all.extend(&answer.addresses);
            }
        }
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Whether the hosts file has an address of the family.
    pub(super) fn is_in_file(&self, family: Family) -> bool {
        self.file.iter().any(|address| family.has(address))
    }

    /// Whether it is in the hosts file or DNS has been asked for both families.
    pub(super) const fn is_asked(&self) -> bool {
        !self.file.is_empty() || self.v4.asked && self.v6.asked
    }

    /// Notes the answer of DNS, or why there is none: the name then keeps its addresses.
    pub(super) fn answered(&mut self, name: &str, family: Family, answer: Result<Vec<IpAddr>, NetError>) {
        let first = !self.is_asked();
        match answer {
            Ok(addresses) => {
                self.change(name, |known| {
                    *known.answer(family) = Answer { addresses, asked: true, failed: false };
                });
            }
            Err(error) => {
                let is_new = !self.answer(family).failed && self.file.is_empty();
                if is_new {
                    tracing::warn!(host = name, ?family, %error, "cannot resolve a host of the selection");
                } else {
                    tracing::debug!(host = name, ?family, %error, "cannot resolve a host of the selection");
                }
                let answer = self.answer(family);
                (answer.asked, answer.failed) = (true, true);
            }
        }
        let unanswered = self.v4.failed || self.v6.failed;
        if first && self.is_asked() && !unanswered && self.addresses().is_empty() {
            no_address(name);
        }
    }

    /// Changes it and logs its new addresses; whether the hosts file or DNS gave others than before.
    pub(super) fn change(&mut self, name: &str, change: impl FnOnce(&mut Self)) -> bool {
        let before = self.addresses();
        change(self);
        let addresses = self.addresses();
        if addresses == before {
            return false;
        }
        if addresses.is_empty() {
            no_address(name);
        } else {
            tracing::info!(host = name, ?addresses, "resolved a host of the selection");
        }
        true
    }

    const fn answer(&mut self, family: Family) -> &mut Answer {
        match family {
            Family::V4 => &mut self.v4,
            Family::V6 => &mut self.v6,
        }
    }
}

fn no_address(name: &str) {
    tracing::warn!(host = name, "a host of the selection has no address; it matches nothing");
}
