//! Many sockets to few rows: one engine for flows and for every coarser key.
//!
//! A table has a row for each key and a column of cells for each metric. Keys are opaque bytes and
//! values the kernel's integers. Refuses to know sockets, clocks, and how anything is written.

mod before;
mod cell;
mod cumulative;
mod frozen;
mod key;
mod ledger;
mod limit;
mod record;
mod rows;
mod settle;
mod shares;
mod table;

pub use before::NO_SOCKET;
pub use cell::{Bounds, Cells};
pub use cumulative::{CumulativeTable, Feed, GaugeColumns};
pub use frozen::FrozenTable;
pub use key::{HashSeed, Keys, Size};
pub use ledger::{ABSENT, DumpLookup, Entrant, Inventory, Kept, Ledger, NO_ROW, Shape, Slot, Stats};
pub use limit::Limit;
pub use settle::Departed;
pub use table::{Counter, Table};

/// The number of dumps in a row that must miss a socket before it is gone: one dump can miss a socket that lives.
const MISSES: usize = 3;
