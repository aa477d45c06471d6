//! The table of properties: what rows can be keyed by, and what selections compare.
//!
//! A property is a line of `table.rs`. The labels of `by:`, the predicates of the selection language, what a plan asks
//! for and the documentation are all read from it. Refuses to know escaping, and how conditions are joined.

mod cgroup;
mod family;
mod identity;
mod needs;
mod operand;
mod read;
mod sent;
mod table;
mod test;
mod ulp;
mod unix;

pub use needs::{FromListener, Needs, Stability};
pub use operand::{KernelFilter, Operand};
pub use read::{Read, UNKNOWN};
pub use table::Property;
pub use test::Test;

use crate::facts::Facts;
use sockdiag::{Protocol, State};

/// A line of the table: a property.
#[derive(Clone, Copy)]
pub struct Line {
    /// The label: its name in `by:` and in the exposition.
    pub name: &'static str,
    /// How it is read from the facts.
    pub read: Read,
    /// Whether the sockets of a protocol have it, beside the attributes that it needs.
    pub of: fn(&Protocol) -> bool,
    /// One sentence: what the label shows, and which field it is from.
    pub help: &'static str,
    /// How long it stays the same.
    pub stability: Stability,
    /// What has to be known for it.
    pub needs: Needs,
    /// Whether a listener shows it for the connections that it will accept.
    pub from_listener: FromListener,
    /// The kernel's filter for it, if the kernel agrees for every socket.
    pub kernel: Option<KernelFilter>,
    /// How selections compare it.
    pub predicates: [Option<Predicate>; 2],
    /// Which lists of sockets show it.
    pub listed: Listed,
    /// Where else rows are keyed by it.
    pub keyed: Keyed,
}

/// A word of the selection language.
#[derive(Clone, Copy)]
pub struct Predicate {
    /// The word, and others for it.
    pub words: &'static [&'static str],
    /// What follows it.
    pub operand: Operand,
    /// Selections, separated by two blanks.
    pub examples: &'static str,
    /// What it selects, for the documentation.
    pub selects: &'static str,
}

/// Which lists of sockets show a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Listed {
    /// None, as another property says the same or a capability is needed.
    No,
    /// Those with all details.
    InDetail,
    /// Every list.
    Always,
}

/// Where rows are keyed by a property, beside lists of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keyed {
    /// In views, by its name in `by:`.
    InViews,
    /// Only in views of the predecessor's configuration.
    InLegacyViews,
    /// Nowhere else: it identifies one socket.
    InLists,
}

impl Line {
    const fn new(name: &'static str, stability: Stability, read: Read, help: &'static str) -> Self {
        Self {
            name,
            read,
            of: |_| true,
            help,
            stability,
            needs: Needs::NONE,
            from_listener: FromListener::No,
            kernel: None,
            predicates: [None; 2],
            listed: Listed::No,
            keyed: Keyed::InViews,
        }
    }

    const fn fixed(name: &'static str, read: Read, help: &'static str) -> Self {
        Self::new(name, Stability::Fixed, read, help)
    }

    const fn changing(name: &'static str, read: Read, help: &'static str) -> Self {
        Self::new(name, Stability::Changing, read, help)
    }

    const fn of_processes(name: &'static str, read: Read, help: &'static str) -> Self {
        let line = Self::new(name, Stability::WithOwner, read, help).needs(Needs::PROCESSES);
        line.shown_by_listener(FromListener::Usually)
    }

    const fn of_cgroup(name: &'static str, read: Read, help: &'static str) -> Self {
        let line = Self::new(name, Stability::WithOwner, read, help).needs(Needs::CGROUPS);
        line.shown_by_listener(FromListener::Always)
    }

    const fn of(mut self, of: fn(&Protocol) -> bool) -> Self {
        self.of = of;
        self
    }

    const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }

    const fn shown_by_listener(mut self, from_listener: FromListener) -> Self {
        self.from_listener = from_listener;
        self
    }

    const fn kernel(mut self, filter: KernelFilter) -> Self {
        self.kernel = Some(filter);
        self
    }

    const fn listed(mut self, listed: Listed) -> Self {
        self.listed = listed;
        self
    }

    const fn keyed(mut self, keyed: Keyed) -> Self {
        self.keyed = keyed;
        self
    }

    const fn selected(
        mut self,
        words: &'static [&'static str],
        operand: Operand,
        examples: &'static str,
        selects: &'static str,
    ) -> Self {
        let [first, second] = &mut self.predicates;
        // Every line is a constant, so that a third predicate is an error of the compiler.
        assert!(first.is_none() || second.is_none(), "a property has at most two predicates");
        let free = if first.is_none() { first } else { second };
        *free = Some(Predicate { words, operand, examples, selects });
        self
    }

    /// Its name in selections, or else the label's.
    pub(crate) fn word(&self) -> &'static str {
        let [first, _] = self.predicates;
        first.and_then(|predicate| predicate.words.first().copied()).unwrap_or(self.name)
    }
}

impl Property {
    /// The properties that rows can be keyed by.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::EVERY.iter().copied().filter(|property| property.line().keyed == Keyed::InViews)
    }

    /// The properties that a list of sockets can show.
    pub(crate) fn listable() -> impl Iterator<Item = Self> {
        Self::EVERY.iter().copied().filter(|property| property.line().keyed != Keyed::InLegacyViews)
    }

    /// The property of that name in `by:`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::all().find(|property| property.name() == name)
    }

    /// The words of the selection language, each with its property.
    pub(crate) fn predicates() -> impl Iterator<Item = (&'static str, Self, Predicate)> {
        Self::all().flat_map(|property| {
            let predicates = property.line().predicates.into_iter().flatten();
            predicates.flat_map(move |predicate| {
                predicate.words.iter().map(move |word| (*word, property, predicate))
            })
        })
    }

    /// The name in the exposition.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.line().name
    }

    /// Whether sockets of the protocol have it.
    #[must_use]
    pub fn is_of(self, protocol: &Protocol) -> bool {
        let line = self.line();
        (line.of)(protocol) && line.needs.extensions.is_within(protocol.attributes)
    }

    /// The protocols whose sockets have it, as words of a sentence.
    pub(crate) fn protocols(self) -> String {
        sockdiag::protocols_with(|protocol| self.is_of(protocol))
    }

    /// How long it stays the same.
    pub(crate) const fn stability(self) -> Stability {
        self.line().stability
    }

    /// What has to be known for it.
    pub(crate) const fn needs(self) -> Needs {
        self.line().needs
    }

    /// Every text that the label can have, if they are few and known.
    pub(crate) fn values(self) -> Option<Vec<&'static str>> {
        (self == Self::State).then(|| State::ALL.into_iter().map(State::name).collect())
    }

    /// Appends the label's text for a socket, valid UTF-8.
    #[inline]
    pub(crate) fn write(self, text: &mut Vec<u8>, facts: &Facts<'_>) {
        self.line().read.write(text, facts);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_name_and_a_word_stand_once_and_help_is_one_sentence() {
        let names: BTreeSet<_> = Property::all().map(Property::name).collect();
        assert_eq!(names.len(), Property::all().count());
        let words: BTreeSet<_> = Property::predicates().map(|(word, ..)| word).collect();
        assert_eq!(words.len(), Property::predicates().count());
        for property in Property::all() {
            let Line { name, help, .. } = property.line();
            assert_eq!(Property::named(name), Some(property));
            assert!(help.ends_with('.') && !help.contains(". "), "{name}: {help}");
        }
    }
}
