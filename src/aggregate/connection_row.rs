//! A row of a per-connection view, and which sockets are in it.

/// A row, and which sockets are in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionRow {
    pub(super) hash: u64,
    /// The first socket.
    pub(super) socket: u64,
    /// Its ports.
    pub(super) ports: u32,
    pub(super) members: Members,
}

/// Which sockets are in a row, and the number of the row at the last collection if it was there.
#[derive(Clone, Copy, Debug)]
pub(super) enum Members {
    /// One socket, in a row that was not there.
    New,
    /// One socket, the same as before.
    Same(u32),
    /// One socket, and there was another one, or more, before.
    Changed(u32),
    /// Several sockets, each with a share.
    Shared(Option<u32>),
}

impl ConnectionRow {
    pub(super) const fn before(&self) -> Option<u32> {
        match self.members {
            Members::New => None,
            Members::Same(row) | Members::Changed(row) => Some(row),
            Members::Shared(row) => row,
        }
    }
}
