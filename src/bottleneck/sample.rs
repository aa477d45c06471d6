//! What is kept of a connection until its next sample.

use sockdiag::{Field, Socket, queues, skmem, tcp_info};

/// A field that is kept, and its place in a [`ConnectionSample`].
#[derive(Clone, Copy)]
pub(super) struct KeptField {
    pub(super) field: &'static Field,
    place: usize,
}

/// What is kept, a line each: a constant for the rules, and how all are read.
macro_rules! kept {
    ($($name:ident = $field:path),* $(,)?) => {
        /// The places, by their names.
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "the names of the fields")]
        enum KeptPlace { $($name),* }

        $(pub(super) const $name: KeptField = KeptField { field: &$field, place: KeptPlace::$name as usize };)*

        /// How many there are.
        const KEPT: usize = [$($name),*].len();

        /// Their values. With fields that the compiler knows, little more than loads are left.
        #[inline]
        fn values(socket: &Socket<'_>) -> [u64; KEPT] {
            [$(socket.get(&$field).unwrap_or(ABSENT)),*]
        }
    };
}

kept! {
    BUSY_TIME = tcp_info::BUSY_TIME,
    RWND_LIMITED = tcp_info::RWND_LIMITED,
    SNDBUF_LIMITED = tcp_info::SNDBUF_LIMITED,
    BYTES_ACKED = tcp_info::BYTES_ACKED,
    BYTES_RECEIVED = tcp_info::BYTES_RECEIVED,
    BYTES_SENT = tcp_info::BYTES_SENT,
    TOTAL_RETRANS = tcp_info::TOTAL_RETRANS,
    DATA_SEGS_OUT = tcp_info::DATA_SEGS_OUT,
    TOTAL_RTO_TIME = tcp_info::TOTAL_RTO_TIME,
    NOTSENT_BYTES = tcp_info::NOTSENT_BYTES,
    RTT = tcp_info::RTT,
    RQUEUE = queues::RQUEUE,
    WMEM_QUEUED = skmem::WMEM_QUEUED,
}

/// What the kernel did not report.
const ABSENT: u64 = u64::MAX;

/// The fields of a connection at one time that its next sample is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectionSample([u64; KEPT]);

impl ConnectionSample {
    /// Of a socket as the kernel reports it now.
    #[must_use]
    #[inline]
    pub fn of(socket: &Socket<'_>) -> Self {
        Self(values(socket))
    }

    /// The value of a field; `None` if the kernel did not report it.
    #[inline]
    pub(super) fn get(&self, kept: KeptField) -> Option<u64> {
        self.0.get(kept.place).copied().filter(|value| *value != ABSENT)
    }

    /// Whether the kernel reported the memory of the socket.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        self.get(WMEM_QUEUED).is_some()
    }
}
