//! Compression of an exposition, chunk by chunk.

use std::io::Write as _;
use std::mem;

use flate2::Compression;
use flate2::write::GzEncoder;

/// Compresses chunks with gzip.
#[derive(Debug)]
pub struct Compressor(GzEncoder<Vec<u8>>);

impl Default for Compressor {
    fn default() -> Self {
        // Level 1: the scraper is near, and the CPU time belongs to the host's own work.
        Self(GzEncoder::new(Vec::new(), Compression::fast()))
    }
}

impl Compressor {
    /// The compressed bytes that are ready after this chunk; there may be none.
    pub(crate) fn compress(&mut self, chunk: &[u8]) -> Vec<u8> {
        // Writing to a Vec cannot fail.
        let _ = self.0.write_all(chunk);
        mem::take(self.0.get_mut())
    }

    /// The rest, with the checksum.
    pub(crate) fn finish(self) -> Vec<u8> {
        // Writing to a Vec cannot fail.
        self.0.finish().unwrap_or_default()
    }
}
