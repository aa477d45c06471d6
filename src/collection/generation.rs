//! One sequence for everything that can make a record's rows out of date.

/// When something became as it is: the number of the reload, or of the change of a namespace's name, that came last.
///
/// A record is right for a view if it was placed at or after the generation that added the view, and at or after the
/// one in which its namespace got its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Generation(u32);

impl Generation {
    /// The bits that a record has for one.
    pub(in crate::collection) const BITS: u32 = 26;
    /// Before all others.
    pub(crate) const NONE: Self = Self(0);

    /// The one after it. The last one is its own successor: 67 million reloads and renames are not reached.
    #[must_use]
    pub(in crate::collection) const fn next(self) -> Self {
        Self(if self.0 + 1 < 1 << Self::BITS { self.0 + 1 } else { self.0 })
    }

    pub(in crate::collection) const fn bits(self) -> u32 {
        self.0
    }

    pub(in crate::collection) const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }
}
