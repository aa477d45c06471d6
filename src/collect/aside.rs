//! Sockets that wait for their owners to be found: copies of the kernel's replies, up to a limit.
//!
//! Refuses to know what they wait for.

use crate::sockdiag::Socket;

/// The most bytes that wait, about ten thousand sockets.
const MOST: usize = 4 << 20;

/// Sockets that wait, by the place that they come from.
#[derive(Debug)]
pub(crate) struct Aside<P> {
    places: Vec<(P, Replies)>,
    bytes: usize,
    /// Whether the next socket is of the last place.
    same: bool,
}

/// The replies of one place.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl<P> Default for Aside<P> {
    fn default() -> Self {
        Self { places: Vec::new(), bytes: 0, same: false }
    }
}

impl<P: Clone> Aside<P> {
    /// The sockets to come are of another place than those before.
    pub(crate) const fn turn(&mut self) {
        self.same = false;
    }

    /// Whether there is none.
    pub(crate) const fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Keeps a copy of a socket; `false` if there is no room.
    pub(crate) fn put(&mut self, place: &P, socket: &Socket<'_>) -> bool {
        let reply = socket.reply();
        if self.bytes + reply.len() > MOST {
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

impl<P> IntoIterator for Aside<P> {
    type Item = (P, Replies);
    type IntoIter = std::vec::IntoIter<(P, Replies)>;

    fn into_iter(self) -> Self::IntoIter {
        self.places.into_iter()
    }
}

impl Replies {
    /// The replies, in the order in which they were put aside.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, end)| self.bytes.get(start..*end))
    }
}
