//! Records of equal width, in blocks, so that growing copies nothing and never needs twice the memory.

/// Records per block. A block of the default views takes 68 KiB.
const BLOCK: usize = 1024;

/// Records of 32-bit words, numbered; a freed number is given away again.
#[derive(Debug)]
pub(super) struct Records {
    width: usize,
    blocks: Vec<Box<[u32]>>,
    free: Vec<u32>,
    /// Records that were ever made.
    made: usize,
}

impl Records {
    /// No records, of `width` words each.
    pub(super) const fn new(width: usize) -> Self {
        Self { width, blocks: Vec::new(), free: Vec::new(), made: 0 }
    }

    /// How many records are in use.
    pub(super) const fn len(&self) -> usize {
        self.made - self.free.len()
    }

    /// How many there are, those that were freed included.
    pub(super) const fn made(&self) -> usize {
        self.made
    }

    /// The words of each.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    /// A record to write to; its words are 0.
    pub(super) fn take(&mut self) -> u32 {
        if let Some(number) = self.free.pop() {
            return number;
        }
        if self.made == self.blocks.len() * BLOCK {
            self.blocks.push(vec![0; BLOCK * self.width].into_boxed_slice());
        }
        self.made += 1;
        // The most records is a setting, far below 2^32.
        u32::try_from(self.made - 1).unwrap_or(u32::MAX)
    }

    /// Gives a record back, with nothing in it that could still be found.
    pub(super) fn free(&mut self, number: u32) {
        self.get_mut(number).fill(0);
        self.free.push(number);
    }

    /// The words of a record; empty for a number that was never given.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &[u32] {
        let (block, at) = self.place(number);
        self.blocks.get(block).and_then(|block| block.get(at..at + self.width)).unwrap_or_default()
    }

    /// The words of a record, to be changed.
    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut [u32] {
        let ((block, at), width) = (self.place(number), self.width);
        self.blocks.get_mut(block).and_then(|block| block.get_mut(at..at + width)).unwrap_or_default()
    }

    /// As many records of another width, under the same numbers, each made of its old words.
    pub(super) fn convert(self, width: usize, mut make: impl FnMut(&[u32], &mut [u32])) -> Self {
        let Self { width: before, blocks, free, made } = self;
        // One block after the other, so that the old and the new records never exist as a whole.
        let blocks = blocks.into_iter().map(|old| {
            let mut new = vec![0; BLOCK * width].into_boxed_slice();
            old.chunks_exact(before.max(1))
                .zip(new.chunks_exact_mut(width.max(1)))
                .for_each(|(old, new)| make(old, new));
            new
        });
        Self { width, blocks: blocks.collect(), free, made }
    }

    #[inline]
    const fn place(&self, number: u32) -> (usize, usize) {
        let number = number as usize;
        (number / BLOCK, number % BLOCK * self.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_record_is_given_away_again_and_none_is_given_twice() {
        let mut records = Records::new(3);
        let numbers: Vec<u32> = (0..3000).map(|_| records.take()).collect();
        for number in &numbers {
            records.get_mut(*number).fill(*number);
        }
        assert!(numbers.iter().all(|number| records.get(*number) == [*number; 3]));
        records.free(7);
        records.free(2999);
        assert_eq!((records.len(), records.take(), records.take(), records.take()), (2998, 2999, 7, 3000));
        assert_eq!([records.get(2999), records.get(7)], [[0; 3]; 2]);
        assert!(records.get(5000).is_empty());
    }
}
