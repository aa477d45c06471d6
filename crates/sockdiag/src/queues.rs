//! The two queues of a socket, in bytes or, of a listener, in connections.

use super::field::NoneValue::Never;
use super::field::Width::U32;
use super::field::fields;

fields! {
    /// Both queues.
    ALL = Queues;
    RQUEUE "idiag_rqueue, udiag_rqueue" @ 0 U32, "", Never, "Bytes received and not yet read; of a listener, connections not yet accepted.";
    WQUEUE "idiag_wqueue, udiag_wqueue" @ 4 U32, "", Never, "Bytes written and not yet acknowledged or, of a unix socket, their memory; of a listener, the limit of the accept queue.";
}
