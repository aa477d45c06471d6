//! Snapshots on loan: a reader that is too slow loses its own.

use std::sync::{Arc, Weak};

use super::Shared;
use crate::exposition::{FamilyFilter, Format};
use crate::snapshot::{Cursor, Snapshot};

/// A snapshot on loan to one reader.
pub struct Lease(pub(super) Hold);

pub(super) enum Hold {
    /// Kept alive by the collector, until there are too many.
    Shared(Weak<Snapshot>, Arc<Shared>),
    /// What is shown without a dump.
    Own(Arc<Snapshot>),
}

/// The snapshot was taken back because too many were alive: its reader was the slowest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot was taken back from a reader that was too slow")]
pub struct Revoked;

impl Lease {
    /// The exposition of the wanted families in chunks of about 96 KiB.
    #[must_use]
    pub fn chunks(self, format: Format, filter: FamilyFilter) -> Chunks {
        Chunks { lease: Some(self), cursor: Cursor::new(filter, format) }
    }

    fn snapshot(&self) -> Option<Arc<Snapshot>> {
        match &self.0 {
            Hold::Shared(snapshot, _) => snapshot.upgrade(),
            Hold::Own(snapshot) => Some(Arc::clone(snapshot)),
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Hold::Shared(snapshot, shared) = &mut self.0 {
            *snapshot = Weak::new();
            shared.lock().forget_unread();
        }
    }
}

/// The chunks of an exposition.
pub struct Chunks {
    lease: Option<Lease>,
    cursor: Cursor,
}

impl Iterator for Chunks {
    type Item = Result<Vec<u8>, Revoked>;

    fn next(&mut self) -> Option<Self::Item> {
        let Some(snapshot) = self.lease.as_ref()?.snapshot() else {
            self.lease = None;
            return Some(Err(Revoked));
        };
        let chunk = snapshot.chunk(&mut self.cursor);
        if chunk.is_none() {
            self.lease = None;
        }
        chunk.map(Ok)
    }
}
