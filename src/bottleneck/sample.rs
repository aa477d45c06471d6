//! What is kept of a connection until its next sample.

use sockdiag::{Field, Socket, queues, skmem, tcp_info};

/// What is kept, in the order of a [`ConnectionSample`].
const KEPT: [&Field; 13] = [
    &tcp_info::BUSY_TIME,
    &tcp_info::RWND_LIMITED,
    &tcp_info::SNDBUF_LIMITED,
    &tcp_info::BYTES_ACKED,
    &tcp_info::BYTES_RECEIVED,
    &tcp_info::BYTES_SENT,
    &tcp_info::TOTAL_RETRANS,
    &tcp_info::DATA_SEGS_OUT,
    &tcp_info::TOTAL_RTO_TIME,
    &tcp_info::NOTSENT_BYTES,
    &tcp_info::RTT,
    &queues::RQUEUE,
    &skmem::WMEM_QUEUED,
];
/// What the kernel did not report.
const ABSENT: u64 = u64::MAX;

/// The fields of a connection at one time that its next sample is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSample([u64; KEPT.len()]);

impl ConnectionSample {
    /// Of a socket as the kernel reports it now.
    #[must_use]
    pub fn of(socket: &Socket<'_>) -> Self {
        Self(KEPT.map(|field| socket.get(field).unwrap_or(ABSENT)))
    }

    /// The value of a field; `None` if the kernel did not report it, or if it is not kept.
    pub(super) fn get(&self, field: &'static Field) -> Option<u64> {
        let place = KEPT.iter().position(|kept| *kept == field)?;
        self.0.get(place).copied().filter(|value| *value != ABSENT)
    }
}
