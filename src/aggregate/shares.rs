//! What each socket has contributed to the counters of a row that has, or had, more than one socket.

/// One socket's part in one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Share {
    /// The number of the row.
    pub(super) row: u32,
    /// The socket, or `NO_SOCKET` for all that are gone.
    pub(super) socket: u64,
    /// The number of collections in a row that did not find it.
    pub(super) missed: u8,
}

/// What is known of sockets that have left.
pub trait Departed {
    /// The last value of the counter in that column; `None` if the socket's end is not known.
    fn last(&self, socket: u64, column: usize) -> Option<u64>;
}

/// Nothing is known of any.
impl Departed for () {
    fn last(&self, _: u64, _: usize) -> Option<u64> {
        None
    }
}

/// Shares, and the value of each counter for each of them.
#[derive(Debug, Default)]
pub(super) struct Shares {
    counters: usize,
    all: Vec<Share>,
    values: Vec<u64>,
}

impl Shares {
    /// No shares, of that many counters each.
    pub(super) const fn new(counters: usize) -> Self {
        Self { counters, all: Vec::new(), values: Vec::new() }
    }

    /// The number of shares.
    pub(super) const fn len(&self) -> usize {
        self.all.len()
    }

    /// Adds a share with one value for each counter.
    pub(super) fn push(&mut self, share: Share, values: impl IntoIterator<Item = u64>) {
        self.all.push(share);
        self.values.extend(values);
    }

    /// Takes the last share away.
    pub(super) fn pop(&mut self) -> Option<Share> {
        let share = self.all.pop();
        self.values.truncate(self.all.len() * self.counters);
        share
    }

    /// The share of that number.
    pub(super) fn get(&self, number: usize) -> Option<(Share, &[u64])> {
        let values = self.values.get(number * self.counters..(number + 1) * self.counters)?;
        Some((*self.all.get(number)?, values))
    }

    /// The value of a counter in the last share, to be changed.
    #[inline]
    pub(super) fn last_mut(&mut self, counter: usize) -> Option<&mut u64> {
        let start = self.values.len().checked_sub(self.counters)?;
        self.values.get_mut(start + counter)
    }

    /// The shares of a row, by socket; they must be sorted.
    pub(super) fn of_row(&self, row: Option<u32>) -> impl Iterator<Item = (Share, &[u64])> {
        let start = row.map_or(self.len(), |row| self.all.partition_point(|share| share.row < row));
        (start..).map_while(|number| self.get(number)).take_while(move |(share, _)| Some(share.row) == row)
    }

    /// The same shares by row, those of a row by socket.
    pub(super) fn sorted(self) -> Self {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.sort_unstable_by_key(|number| self.all.get(*number).copied());
        let mut sorted = Self::new(self.counters);
        for (share, values) in order.into_iter().filter_map(|number| self.get(number)) {
            sorted.push(share, values.iter().copied());
        }
        sorted
    }
}
