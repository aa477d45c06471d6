//! The key of a row: the values of the labels that a view's rows are keyed by.

use crate::exposition::LabelBuffer;
use crate::facts::Facts;
use crate::properties::Property;

/// Room for one key at a time.
#[derive(Debug, Default)]
pub struct Key(LabelBuffer);

impl Key {
    /// The key of a socket's row, which [`crate::exposition::LabelSet`] unpacks.
    #[inline]
    pub(crate) fn of(&mut self, by: &[Property], facts: &Facts<'_>) -> &[u8] {
        self.0.clear();
        for label in by {
            self.0.push(|text| label.write(text, facts));
        }
        self.0.packed()
    }
}
