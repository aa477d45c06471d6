//! Replies that are kept until the kernel has made all of them.

use std::time::Instant;

use super::dump::{DumpError, DumpStats, Transport, dump};
use super::protocol::{Protocol, Request, Socket};
use super::state::State;

/// Copies of the kernel's replies about sockets of one protocol, in the order in which they came.
#[derive(Debug)]
pub struct Replies {
    protocol: &'static Protocol,
    bytes: Vec<u8>,
    /// Where each ends, and the state of its socket, which it does not always say.
    ends: Vec<(usize, State)>,
}

impl Replies {
    /// None yet.
    #[must_use]
    pub const fn of(protocol: &'static Protocol) -> Self {
        Self { protocol, bytes: Vec::new(), ends: Vec::new() }
    }

    /// Dumps a few sockets; see [`dump`](super::dump()).
    ///
    /// # Errors
    /// [`DumpError`] whenever the dump did not reach its end; the replies until then are a part.
    pub fn dump(
        transport: impl Transport,
        request: &Request,
        deadline: Instant,
    ) -> (Self, Result<DumpStats, DumpError>) {
        let each =
            |replies: &mut Self, sockets: &[Socket<'_>]| sockets.iter().for_each(|one| replies.push(one));
        dump(transport, request, deadline, Self::of(request.protocol), each)
    }

    /// Keeps a copy of the reply about a socket of the protocol.
    pub fn push(&mut self, socket: &Socket<'_>) {
        self.bytes.extend_from_slice(socket.reply());
        self.ends.push((self.bytes.len(), socket.state()));
    }

    /// The sockets.
    pub fn sockets(&self) -> impl Iterator<Item = Socket<'_>> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(end, _)| *end));
        let socket = |(start, (end, state)): (usize, &(usize, State))| {
            Some(self.protocol.parse(self.bytes.get(start..*end)?)?.in_state(*state))
        };
        starts.zip(&self.ends).filter_map(socket)
    }
}
