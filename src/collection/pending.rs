//! Sockets that wait for their owners to be found: copies of the kernel's replies, up to a limit.

use sockdiag::{Replies, Socket};

/// The most bytes that wait: some ten thousand sockets.
const MAX_BYTES: usize = 4 << 20;

/// Sockets that wait, by the namespace that they are in.
#[derive(Debug)]
pub(super) struct Pending<P> {
    places: Vec<(P, Replies)>,
    bytes: usize,
    /// Whether the next socket is in the last namespace.
    same: bool,
}

impl<P> Default for Pending<P> {
    fn default() -> Self {
        Self { places: Vec::new(), bytes: 0, same: false }
    }
}

impl<P: Clone> Pending<P> {
    /// Begins another namespace.
    pub(super) const fn next_namespace(&mut self) {
        self.same = false;
    }

    /// Whether there is none.
    pub(super) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Keeps a copy of a socket; `false` if there is no room.
    pub(super) fn put(&mut self, place: &P, socket: &Socket<'_>) -> bool {
        let bytes = self.bytes + socket.reply().len();
        if bytes > MAX_BYTES {
            return false;
        }
        if !self.same {
            self.places.push((place.clone(), Replies::of(socket.protocol())));
            self.same = true;
        }
        self.bytes = bytes;
        self.places.last_mut().into_iter().for_each(|(_, replies)| replies.push(socket));
        true
    }
}

impl<P> IntoIterator for Pending<P> {
    type Item = (P, Replies);
    type IntoIter = std::vec::IntoIter<(P, Replies)>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter()
    }
}
