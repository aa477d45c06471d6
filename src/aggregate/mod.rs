//! Many sockets to few rows: one engine for per-connection views and for every coarser key.
//!
//! A table has a row for each key and a column of cells for each metric. Keys are opaque bytes and
//! values the kernel's integers. Refuses to know sockets, clocks, and how anything is written.

mod before;
mod cell;
mod connection_row;
mod cumulative;
mod frozen;
mod gain;
mod key;
mod limit;
mod rows;
mod settle;
mod shares;
mod table;

pub use before::NO_SOCKET;
pub use cell::{Bounds, Cells};
pub use cumulative::{CumulativeTable, GaugeColumns, TableColumn};
pub use frozen::FrozenTable;
pub use gain::{ABSENT, gain};
pub use key::{HashSeed, Keys, Size};
pub use limit::Limit;
pub use rows::{RowId, is_mostly_free};
pub use shares::Departed;
pub use table::{Counter, Table};

/// Dumps in succession that must miss a socket before it is gone: one dump can miss a socket that lives.
pub const MISSES: usize = 3;
