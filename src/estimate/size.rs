//! How large an exposition is, measured by writing it as a scraper would get it.

use crate::exposition::{Compressor, FamilyFilter, Format};
use crate::snapshot::Snapshot;
use crate::view::View;

/// The size of an exposition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExpositionSize {
    /// Lines with a value: as many series.
    pub samples: u64,
    /// Bytes of text.
    pub bytes: u64,
    /// Bytes as they are sent to a scraper that accepts gzip.
    pub compressed: u64,
}

impl ExpositionSize {
    /// The size of what a snapshot shows of a view.
    pub(super) fn of_view(snapshot: &Snapshot, view: &View) -> Self {
        let names: Vec<_> = view.columns.iter().map(|column| column.name.clone()).collect();
        // Without a name, all families are wanted.
        if names.is_empty() {
            Self::default()
        } else {
            Self::of(snapshot, &FamilyFilter { names, ..FamilyFilter::default() })
        }
    }

    /// The size of what a snapshot shows of the families that are wanted.
    pub(super) fn of(snapshot: &Snapshot, filter: &FamilyFilter) -> Self {
        let mut size = Self::default();
        let mut gzip = Compressor::default();
        for chunk in snapshot.chunks(filter.clone(), Format::Text) {
            // A chunk ends with a line.
            let lines = chunk.split(|byte| *byte == b'\n');
            size.samples += lines.filter(|line| !line.is_empty() && !line.starts_with(b"#")).count() as u64;
            size.bytes += chunk.len() as u64;
            size.compressed += gzip.compress(&chunk).len() as u64;
        }
        size.compressed += gzip.finish().len() as u64;
        size
    }
}
