//! Sockets that wait for their owners to be found: copies of the kernel's replies, up to a limit.

use sockdiag::Socket;

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

/// The replies of one namespace.
#[derive(Debug, Default)]
pub(super) struct Replies {
    bytes: Vec<u8>,
    ends: Vec<usize>,
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
        let reply = socket.reply();
        if self.bytes + reply.len() > MAX_BYTES {
            return false;
        }
        if !self.same {
            self.places.push((place.clone(), Replies::default()));
            self.same = true;
        }
        self.bytes += reply.len();
        if let Some((_, replies)) = self.places.last_mut() {
            replies.bytes.extend_from_slice(reply);
            replies.ends.push(replies.bytes.len());
        }
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

impl Replies {
    /// The replies, in the order in which they came.
    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }
}
