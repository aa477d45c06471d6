//! Strict YAML: a file as a tree whose nodes know their positions, readers that note all errors at once, and a writer.
//!
//! Refuses to know what a key means.

mod entry;
mod findings;
mod node;
mod write;

pub use findings::Error;

pub(crate) use entry::{Entry, Name, Section, either};
pub(crate) use findings::Findings;
pub(crate) use node::{MapKey, Node, Position, Unreadable, YamlValue};
pub(crate) use write::{key, list, quoted, write};
