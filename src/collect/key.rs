//! The key of a row: the label block that a view makes of a socket.
//!
//! Refuses to know what stands in the row.

use crate::exposition;
use crate::facts::Facts;
use crate::properties::Property;

/// Room for one key at a time.
#[derive(Debug, Default)]
pub struct Key {
    block: Vec<u8>,
    text: Vec<u8>,
}

impl Key {
    /// The label block of a socket.
    #[inline]
    pub fn of(&mut self, by: &[Property], facts: &Facts<'_>) -> &[u8] {
        self.block.clear();
        for label in by {
            self.text.clear();
            label.write(&mut self.text, facts);
            exposition::label(&mut self.block, label.name(), &self.text);
        }
        &self.block
    }
}
