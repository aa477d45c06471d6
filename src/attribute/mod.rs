//! Whose socket is it: from what the kernel says of a socket to what people call its owner.
//!
//! Refuses to know metrics, folding and configuration.

mod process;

pub use process::{Process, Processes};
