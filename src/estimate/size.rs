//! How large an exposition is, measured by writing it as a scraper would get it.
//!
//! Refuses to know what is in it.

use std::io::Write as _;

use crate::config::View;
use crate::exposition::{Format, Wanted};
use crate::http::compressor;
use crate::snapshot::{Cursor, Snapshot};

/// The size of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Lines with a value: as many series.
    pub samples: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Bytes as they are sent to a scraper that accepts gzip.
    pub compressed: u64,
}

impl Size {
    /// The size of what a snapshot shows of a view.
    pub(super) fn of_view(snapshot: &Snapshot, view: &View) -> Self {
        let names: Vec<_> = view.columns.iter().map(|column| column.name.clone()).collect();
        // Without a name, all families are wanted.
        if names.is_empty() {
            Self::default()
        } else {
            Self::of(snapshot, &Wanted { names, ..Wanted::default() })
        }
    }

    /// The size of what a snapshot shows of the families that are wanted.
    pub(super) fn of(snapshot: &Snapshot, wanted: &Wanted) -> Self {
        let mut size = Self::default();
        let mut gzip = compressor();
        let mut cursor = Cursor::of(wanted.clone());
        let mut take = |bytes: &mut Vec<u8>| {
            size.compressed += bytes.len() as u64;
            bytes.clear();
        };
        while let Some(chunk) = snapshot.chunk(&mut cursor, Format::Text) {
            // A chunk ends with a line.
            let lines = chunk.split(|byte| *byte == b'\n');
            size.samples += lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as u64;
            size.bytes += chunk.len() as u64;
            // Memory takes whatever is written to it.
            let _ = gzip.write_all(&chunk);
            take(gzip.get_mut());
        }
        let _ = gzip.finish().map(|mut rest| take(&mut rest));
        size
    }
}
