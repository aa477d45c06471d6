//! The values of a sample's labels, packed: what a row of a table is keyed by.

/// The flag of a value with a byte that text formats escape; the other bits are its length.
const SPECIAL: u32 = 1 << 31;

/// The values of a sample's labels, in the order of the family's label names. It holds no name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelSet<'a>(&'a [u8]);

/// A value of a [`LabelSet`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LabelValue<'a> {
    /// The bytes, not escaped.
    pub bytes: &'a [u8],
    /// Whether a byte among them is a backslash, a quote or a line feed.
    pub special: bool,
}

impl<'a> LabelSet<'a> {
    /// The label set that [`LabelBuffer::packed`] gave.
    #[must_use]
    pub const fn unpack(packed: &'a [u8]) -> Self {
        Self(packed)
    }
}

#[expect(clippy::copy_iterator, reason = "a set is read again for each sample, and a copy is its reader")]
impl<'a> Iterator for LabelSet<'a> {
    type Item = LabelValue<'a>;

    #[inline]
    fn next(&mut self) -> Option<LabelValue<'a>> {
        let (head, rest) = self.0.split_first_chunk()?;
        let head = u32::from_le_bytes(*head);
        let (bytes, rest) = rest.split_at_checked((head & !SPECIAL) as usize)?;
        self.0 = rest;
        Some(LabelValue { bytes, special: head & SPECIAL != 0 })
    }
}

#[cfg(test)]
impl LabelValue<'_> {
    /// The value as text; what is not UTF-8 is replaced.
    pub(crate) fn text(self) -> String {
        String::from_utf8_lossy(self.bytes).into_owned()
    }
}

/// Room in which one label set after another is packed.
#[derive(Clone, Debug, Default)]
pub struct LabelBuffer(Vec<u8>);

impl LabelBuffer {
    /// A buffer that holds these values.
    pub fn of<V: AsRef<[u8]>>(values: impl IntoIterator<Item = V>) -> Self {
        let mut buffer = Self::default();
        values.into_iter().for_each(|value| buffer.push(|out| out.extend_from_slice(value.as_ref())));
        buffer
    }

    /// Removes all values.
    #[inline]
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds the value that `write` appends; it must not change what is there already.
    #[inline]
    pub(crate) fn push(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.0.len();
        self.0.extend_from_slice(&[0; size_of::<u32>()]);
        write(&mut self.0);
        if let Some((head, value)) = self.0.get_mut(start..).and_then(<[u8]>::split_first_chunk_mut) {
            let special = |byte: &u8| matches!(*byte, b'\\' | b'\n' | b'"');
            // Nearly every value is plain. Testing all bytes at once is faster than a search.
            let special = value.iter().fold(false, |found, byte| found | special(byte));
            // A value is a path or a list of numbers, far below 2 GiB.
            let length = u32::try_from(value.len()).unwrap_or_default() & !SPECIAL;
            *head = (length | if special { SPECIAL } else { 0 }).to_le_bytes();
        }
    }

    /// The values as bytes that equal those of no other values.
    #[must_use]
    #[inline]
    pub fn packed(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_is_unpacked(values in proptest::collection::vec("\\PC*|[\\\\\"\n a]*", 0..4)) {
            let buffer = LabelBuffer::of(&values);
            let read: Vec<_> = LabelSet::unpack(buffer.packed()).map(LabelValue::text).collect();
            prop_assert_eq!(&read, &values);
            let special = |text: &String| text.contains(['\\', '"', '\n']);
            let flags: Vec<_> = LabelSet::unpack(buffer.packed()).map(|value| value.special).collect();
            prop_assert_eq!(flags, values.iter().map(special).collect::<Vec<_>>());
        }

        #[test]
        fn any_bytes_can_be_unpacked(packed: Vec<u8>) {
            prop_assert!(LabelSet::unpack(&packed).count() <= packed.len());
        }
    }
}
