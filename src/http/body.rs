//! The body of an answer, rendered while it is sent: one chunk at a time, compressed if the client accepts gzip.

use std::iter::Fuse;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::body::{Body, Bytes, Frame, SizeHint};

use super::activity::Answering;
use super::backend::ChunkStream;
use crate::exposition::Compressor;

/// An error after which the rest of an answer is lost.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A body and the note that it is still being sent.
pub(super) struct Answer {
    payload: Payload,
    _answering: Answering,
}

/// What an answer carries.
pub(super) enum Payload {
    /// A text known in full.
    Whole(Bytes),
    /// An exposition.
    Pages(Box<Pages>),
    /// An exposition that a HEAD request does not receive.
    Withheld,
}

impl Answer {
    pub(super) fn new(payload: Payload, answering: Answering) -> Self {
        Self { payload, _answering: answering }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let piece = match &mut self.get_mut().payload {
            Payload::Whole(text) if text.is_empty() => None,
            Payload::Whole(text) => Some(Ok(mem::take(text))),
            Payload::Pages(pages) => match pages.poll(cx) {
                Poll::Ready(piece) => piece.transpose(),
                Poll::Pending => return Poll::Pending,
            },
            Payload::Withheld => None,
        };
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.payload, Payload::Whole(text) if text.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.payload {
            Payload::Whole(text) => SizeHint::with_exact(text.len() as u64),
            Payload::Pages(_) | Payload::Withheld => SizeHint::new(),
        }
    }
}

/// An exposition on its way.
pub(super) struct Pages {
    chunks: Fuse<ChunkStream>,
    gzip: Option<Compressor>,
    rest: bool,
}

impl Pages {
    pub(super) fn new(chunks: ChunkStream, gzip: bool) -> Self {
        let gzip = gzip.then(Compressor::default);
        Self { chunks: chunks.fuse(), gzip, rest: false }
    }

    /// One piece at a time; other tasks run between two pieces.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, BoxError>> {
        if !mem::take(&mut self.rest) {
            let piece = self.next()?;
            // The compressor may keep a piece in its buffer; hyper would poll again at once.
            if piece.as_ref().is_none_or(|piece| !piece.is_empty()) {
                self.rest = true;
                return Poll::Ready(Ok(piece.map(Bytes::from)));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn next(&mut self) -> Result<Option<Vec<u8>>, BoxError> {
        let Some(chunk) = self.chunks.next().transpose()? else {
            return Ok(self.gzip.take().map(Compressor::finish));
        };
        Ok(Some(match &mut self.gzip {
            Some(gzip) => gzip.compress(&chunk),
            None => chunk,
        }))
    }
}
