//! Many sockets to few rows: one engine for flows and for every coarser key.
//!
//! A table has a row for each key and a column of cells for each metric. Keys are opaque bytes and
//! values the kernel's integers. Refuses to know sockets, clocks, and how anything is written.

mod cell;
mod key;
mod ledger;
mod limit;
mod record;
mod rows;
mod sealed;
mod standing;

pub use cell::{Bounds, Cells};
pub use key::{Keys, Seed, Size};
pub use ledger::{ABSENT, Entrant, Kept, Ledger, NO_ROW, Shape, Sight, Slot, Stats};
pub use limit::Limit;
pub use sealed::Sealed;
pub use standing::{Amounts, Feed, Standing};

/// The rows of one view in one collection.
#[derive(Debug)]
pub struct Table {
    keys: Keys,
    columns: Vec<Cells>,
    limit: Limit,
}

impl Table {
    /// An empty table with these columns, under a limit that remembers the last collection's rows.
    #[must_use]
    pub fn new(columns: Vec<Cells>, limit: Limit, seed: Seed) -> Self {
        Self { keys: Keys::new(seed), columns, limit }
    }

    /// The same table with room for as much as another one held, so that it grows in one step.
    #[must_use]
    pub fn sized(mut self, size: Size) -> Self {
        self.keys.reserve(size);
        self.columns.iter_mut().for_each(|cells| cells.reserve(size.rows));
        self
    }

    /// The row with this key, made if the limit admits it.
    #[inline]
    pub fn row(&mut self, key: &[u8]) -> Option<usize> {
        let Self { keys, columns, limit } = self;
        let (row, new) = keys.row(key, |hash| limit.admits(hash))?;
        if new {
            columns.iter_mut().for_each(Cells::grow);
        }
        Some(row)
    }

    /// Folds a socket's value of that age into a cell.
    #[inline]
    pub fn add(&mut self, row: usize, column: usize, value: u64, age: u32) {
        if let Some(cells) = self.columns.get_mut(column) {
            cells.add(row, value, age);
        }
    }

    /// Ends the collection: which rows are shown, and what the next collection must remember.
    #[must_use]
    pub fn seal(self) -> (Sealed, Limit) {
        let (shown, left_out, next) = self.limit.seal(&self.keys);
        let columns = self.columns.into_iter().map(Some).collect();
        (Sealed { texts: self.keys.into_texts(), columns, shown, left_out }, next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fold(seed: &Seed, values: &[(u8, u64)], limit: Limit) -> (Vec<(Vec<u8>, f64)>, usize, Limit) {
        let mut table = Table::new(vec![Cells::sum()], limit, seed.clone());
        for (key, value) in values {
            if let Some(row) = table.row(&[*key]) {
                table.add(row, 0, *value, 0);
            }
        }
        let (sealed, next) = table.seal();
        let mut rows: Vec<_> = (0..sealed.rows())
            .filter_map(|index| sealed.shown(index))
            .map(|(row, key)| (key.to_vec(), sealed.column(0).and_then(|c| c.get(row)).unwrap_or(f64::NAN)))
            .collect();
        rows.sort_by(|a, b| a.0.cmp(&b.0));
        (rows, sealed.left_out, next)
    }

    proptest! {
        #[test]
        fn folding_is_independent_of_order_and_keeps_the_sum(mut values: Vec<(u8, u32)>) {
            let wide = |values: &[(u8, u32)]| values.iter().map(|(k, v)| (*k, u64::from(*v))).collect::<Vec<_>>();
            let (forward, ..) = fold(&Seed::default(), &wide(&values), Limit::none());
            values.reverse();
            let (backward, ..) = fold(&Seed::default(), &wide(&values), Limit::none());
            prop_assert_eq!(&forward, &backward);
            let whole: u64 = values.iter().map(|(_, v)| u64::from(*v)).sum();
            #[expect(clippy::cast_precision_loss, reason = "small numbers")]
            let whole = whole as f64;
            prop_assert!((forward.iter().map(|(_, v)| v).sum::<f64>() - whole).abs() < 0.5);
        }

        #[test]
        fn a_limit_holds_and_each_key_is_shown_or_counted(values: Vec<(u8, u32)>, limit in 1_usize..20) {
            let values: Vec<_> = values.iter().map(|(k, v)| (*k, u64::from(*v))).collect();
            let keys: std::collections::HashSet<_> = values.iter().map(|(k, _)| *k).collect();
            let (rows, left_out, _) = fold(&Seed::default(), &values, Limit::of(limit));
            prop_assert_eq!(rows.len(), keys.len().min(limit));
            prop_assert_eq!(rows.len() + left_out, keys.len());
        }
    }

    #[test]
    fn a_row_once_shown_stays_while_its_key_is_there() {
        let seed = Seed::default();
        let (rows, left_out, limit) = fold(&seed, &[(1, 1), (2, 1), (3, 1)], Limit::of(2));
        assert_eq!((rows.len(), left_out), (2, 1));
        let (rows, left_out, limit) = fold(&seed, &[(9, 1), (8, 1), (2, 7), (1, 1)], limit);
        assert_eq!(rows, [(vec![1], 1.0), (vec![2], 7.0)]);
        assert_eq!(left_out, 2);
        let (rows, left_out, _) = fold(&seed, &[(9, 1), (8, 1), (2, 7)], limit);
        assert_eq!(rows, [(vec![2], 7.0), (vec![9], 1.0)], "the free place is given away at once");
        assert_eq!(left_out, 1);
    }
}
