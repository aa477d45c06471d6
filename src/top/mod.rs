//! The full-screen view of sockets in a terminal: its state, what keys do, and what is drawn.
//!
//! [`App`] takes keys and collected sockets, and draws into a buffer of cells. Refuses to know the terminal, and where the
//! sockets come from.

mod app;
mod cells;
mod column;
mod details;
mod draw;
mod fetched;
mod figures;
mod fit;
mod group;
mod help;
mod keys;
mod line_editor;
mod menu;
mod problem_list;
mod sockets;
mod sort;
mod style;
#[cfg(test)]
mod tests;
mod totals;

pub use app::{App, Step};
pub use column::columns_to_collect;
pub use fetched::{Fetched, query};
pub use sockets::{
    Chosen, Collected, Demand, NotCollected, ObservedId, ObservedListing, ObservedSocket, ObservedSockets,
};
