//! `struct tcp_info` as Linux 6.18 defines it (`include/uapi/linux/tcp.h`), read by length.
//!
//! One line a field, in header order. Every kernel sends a prefix of this struct; what it does not
//! send is absent, never zero. Refuses to know units: a value is what the kernel wrote.

use super::layout::NoneValue::{AtLeast, Never, Zero};
use super::layout::Width::{Bits, U8, U16, U32, U64};
use super::layout::{NoneValue, fields};

const U32_MAX: NoneValue = AtLeast(0xffff_ffff);
const U64_MAX: NoneValue = AtLeast(u64::MAX);

fields! {
    /// A field of `struct tcp_info`.
    Field "tcpi_";
    State state @ 0 U8, "2.4", Never, "TCP state, as in `include/net/tcp_states.h`.";
    CaState ca_state @ 1 U8, "2.4", Never, "Congestion state: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss.";
    Retransmits retransmits @ 2 U8, "2.4", Never, "Timeouts of the segment at the head, reset by progress.";
    Probes probes @ 3 U8, "2.4", Never, "Unanswered zero-window or keepalive probes.";
    Backoff backoff @ 4 U8, "2.4", Never, "Exponent of the timeout's back-off.";
    Options options @ 5 U8, "2.4", Never, "Negotiated options, a bit each.";
    SndWscale snd_wscale @ 6 Bits { shift: 0, count: 4 }, "2.4", Never, "Window scale of the peer, a shift.";
    RcvWscale rcv_wscale @ 6 Bits { shift: 4, count: 4 }, "2.4", Never, "Window scale of this end, a shift.";
    DeliveryRateAppLimited delivery_rate_app_limited @ 7 Bits { shift: 0, count: 1 }, "4.9", Never, "1 if the application limited the last rate sample.";
    FastopenClientFail fastopen_client_fail @ 7 Bits { shift: 1, count: 2 }, "5.5", Never, "Why fast open failed.";
    Rto rto @ 8 U32, "2.4", Zero, "Retransmission timeout, microseconds.";
    Ato ato @ 12 U32, "2.4", Zero, "Delayed-acknowledgement timeout, microseconds.";
    SndMss snd_mss @ 16 U32, "2.4", Never, "Segment size for sending, bytes.";
    RcvMss rcv_mss @ 20 U32, "2.4", Never, "Segment size seen from the peer, bytes.";
    Unacked unacked @ 24 U32, "2.4", Never, "Segments in flight; of a listener its accept queue.";
    Sacked sacked @ 28 U32, "2.4", Never, "Segments acknowledged selectively; of a listener its backlog limit.";
    Lost lost @ 32 U32, "2.4", Never, "Segments presumed lost.";
    Retrans retrans @ 36 U32, "2.4", Never, "Retransmitted segments in flight.";
    Fackets fackets @ 40 U32, "2.4", Never, "Always 0 since Linux 4.15.";
    LastDataSent last_data_sent @ 44 U32, "2.4", Never, "Age of the last data sent, milliseconds.";
    LastAckSent last_ack_sent @ 48 U32, "2.4", Never, "Always 0: the kernel does not remember it.";
    LastDataRecv last_data_recv @ 52 U32, "2.4", Never, "Age of the last data received, milliseconds.";
    LastAckRecv last_ack_recv @ 56 U32, "2.4", Never, "Age of the last acknowledgement received, milliseconds.";
    Pmtu pmtu @ 60 U32, "2.4", Never, "Path MTU, bytes.";
    RcvSsthresh rcv_ssthresh @ 64 U32, "2.4", Never, "Receive window clamp, bytes.";
    Rtt rtt @ 68 U32, "2.4", Zero, "Smoothed round-trip time, microseconds.";
    Rttvar rttvar @ 72 U32, "2.4", Zero, "Mean deviation of the round-trip time, microseconds.";
    SndSsthresh snd_ssthresh @ 76 U32, "2.4", AtLeast(0x7fff_ffff), "Slow-start threshold, segments.";
    SndCwnd snd_cwnd @ 80 U32, "2.4", Never, "Congestion window, segments.";
    Advmss advmss @ 84 U32, "2.4", Never, "Advertised segment size, bytes.";
    Reordering reordering @ 88 U32, "2.4", Never, "Reordering the sender tolerates, segments.";
    RcvRtt rcv_rtt @ 92 U32, "2.6.12", Zero, "Receiver's estimate of the round-trip time, microseconds.";
    RcvSpace rcv_space @ 96 U32, "2.6.12", Never, "Receive buffer space being autotuned, bytes.";
    TotalRetrans total_retrans @ 100 U32, "2.6.12", Never, "Segments sent again since birth.";
    PacingRate pacing_rate @ 104 U64, "3.15", U64_MAX, "Pacing rate, bytes per second.";
    MaxPacingRate max_pacing_rate @ 112 U64, "3.15", U64_MAX, "Limit of the pacing rate, bytes per second.";
    BytesAcked bytes_acked @ 120 U64, "4.1", Never, "Bytes acknowledged since birth, SYN and FIN counted.";
    BytesReceived bytes_received @ 128 U64, "4.1", Never, "Bytes received since birth, FIN counted.";
    SegsOut segs_out @ 136 U32, "4.2", Never, "Segments sent since birth.";
    SegsIn segs_in @ 140 U32, "4.2", Never, "Segments received since birth.";
    NotsentBytes notsent_bytes @ 144 U32, "4.6", Never, "Bytes written and not yet sent.";
    MinRtt min_rtt @ 148 U32, "4.6", U32_MAX, "Least round-trip time seen, microseconds.";
    DataSegsIn data_segs_in @ 152 U32, "4.6", Never, "Segments with payload received since birth.";
    DataSegsOut data_segs_out @ 156 U32, "4.6", Never, "Segments with payload sent since birth.";
    DeliveryRate delivery_rate @ 160 U64, "4.9", Zero, "Latest delivery rate, bytes per second.";
    BusyTime busy_time @ 168 U64, "4.10", Never, "Time with data to send, microseconds.";
    RwndLimited rwnd_limited @ 176 U64, "4.10", Never, "Time limited by the peer's window, microseconds.";
    SndbufLimited sndbuf_limited @ 184 U64, "4.10", Never, "Time limited by the send buffer, microseconds.";
    Delivered delivered @ 192 U32, "4.18", Never, "Segments delivered since birth, retransmissions counted.";
    DeliveredCe delivered_ce @ 196 U32, "4.18", Never, "Delivered segments that carried a congestion mark.";
    BytesSent bytes_sent @ 200 U64, "4.19", Never, "Payload bytes sent since birth, retransmissions counted.";
    BytesRetrans bytes_retrans @ 208 U64, "4.19", Never, "Payload bytes sent again since birth.";
    DsackDups dsack_dups @ 216 U32, "4.19", Never, "Duplicates that the peer reported.";
    ReordSeen reord_seen @ 220 U32, "4.19", Never, "Reordering events seen.";
    RcvOoopack rcv_ooopack @ 224 U32, "5.4", Never, "Segments received out of order.";
    SndWnd snd_wnd @ 228 U32, "5.4", Never, "Window that the peer advertises, bytes.";
    RcvWnd rcv_wnd @ 232 U32, "6.2", Never, "Window that this end advertises, bytes.";
    Rehash rehash @ 236 U32, "6.2", Never, "Times the flow's hash was changed.";
    TotalRto total_rto @ 240 U16, "6.7", Never, "Retransmission timeouts since birth.";
    TotalRtoRecoveries total_rto_recoveries @ 242 U16, "6.7", Never, "Recoveries from timeouts since birth.";
    TotalRtoTime total_rto_time @ 244 U32, "6.7", Never, "Time in timeout recovery since birth, milliseconds.";
    ReceivedCe received_ce @ 248 U32, "6.18", Never, "Received segments that carried a congestion mark.";
    DeliveredE1Bytes delivered_e1_bytes @ 252 U32, "6.18", Never, "AccECN: bytes delivered with ECT(1).";
    DeliveredE0Bytes delivered_e0_bytes @ 256 U32, "6.18", Never, "AccECN: bytes delivered with ECT(0).";
    DeliveredCeBytes delivered_ce_bytes @ 260 U32, "6.18", Never, "AccECN: bytes delivered with CE.";
    ReceivedE1Bytes received_e1_bytes @ 264 U32, "6.18", Never, "AccECN: bytes received with ECT(1).";
    ReceivedE0Bytes received_e0_bytes @ 268 U32, "6.18", Never, "AccECN: bytes received with ECT(0).";
    ReceivedCeBytes received_ce_bytes @ 272 U32, "6.18", Never, "AccECN: bytes received with CE.";
    AccecnFailMode accecn_fail_mode @ 276 U16, "6.18", Never, "AccECN failures; Linux 7.0 gave these bytes another meaning.";
    AccecnOptSeen accecn_opt_seen @ 278 U16, "6.18", Never, "AccECN option state; Linux 7.0 gave these bytes another meaning.";
}

/// The payload of an `INET_DIAG_INFO` attribute, of whatever length the kernel sent.
#[derive(Clone, Copy, Debug)]
pub struct TcpInfo<'a>(&'a [u8]);

impl<'a> TcpInfo<'a> {
    /// Wraps an attribute's payload; any length will do.
    #[must_use]
    pub const fn new(payload: &'a [u8]) -> Self {
        Self(payload)
    }

    /// Whether the kernel sends the field, whatever it says.
    #[must_use]
    pub const fn has(self, layout: &super::Layout) -> bool {
        self.0.len() >= layout.offset + layout.width.bytes()
    }

    /// The field's value, if the kernel sent the field and its value is one.
    #[must_use]
    #[expect(
        clippy::inline_always,
        reason = "with a field that the compiler knows, little more than a load is left"
    )]
    #[inline(always)]
    pub fn get(self, field: Field) -> Option<u64> {
        field.layout().value(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_header_without_gaps_or_overlaps() {
        let mut end = 0;
        let mut shared = None;
        for field in Field::ALL {
            let layout = field.layout();
            if shared != Some(layout.offset) {
                assert_eq!(layout.offset, end, "{} does not follow its neighbour", layout.name);
                end = layout.offset + layout.width.bytes();
            }
            shared = matches!(layout.width, Bits { .. }).then_some(layout.offset);
        }
        assert_eq!(end, 280, "sizeof(struct tcp_info) on Linux 6.18");
    }

    #[test]
    fn a_field_is_present_if_and_only_if_the_payload_reaches_its_end() {
        let payload = [1_u8; 300];
        for field in Field::ALL {
            let layout = field.layout();
            let end = layout.offset + layout.width.bytes();
            for length in 0..payload.len() {
                let info = TcpInfo::new(&payload[..length]);
                assert_eq!(info.get(*field).is_some(), length >= end, "{} at {length}", layout.name);
            }
        }
    }

    #[test]
    fn a_value_that_means_none_is_absent() {
        let zeros = TcpInfo::new(&[0; 280]);
        let ones = TcpInfo::new(&[0xff; 280]);
        for field in Field::ALL {
            let none = field.layout().none;
            assert_eq!(zeros.get(*field).is_none(), none == Zero, "{field:?}");
            assert_eq!(ones.get(*field).is_none(), matches!(none, AtLeast(_)), "{field:?}");
        }
    }

    #[test]
    fn values_are_read_at_their_offset_in_native_order() {
        let mut payload = [0_u8; 280];
        payload[6] = 0x7a;
        payload[7] = 0b101;
        payload[68..72].copy_from_slice(&53_376_u32.to_ne_bytes());
        payload[200..208].copy_from_slice(&u64::from(u32::MAX).wrapping_add(9).to_ne_bytes());
        payload[242..244].copy_from_slice(&513_u16.to_ne_bytes());
        let info = TcpInfo::new(&payload);
        assert_eq!(info.get(Field::SndWscale), Some(0xa));
        assert_eq!(info.get(Field::RcvWscale), Some(0x7));
        assert_eq!(info.get(Field::DeliveryRateAppLimited), Some(1));
        assert_eq!(info.get(Field::FastopenClientFail), Some(2));
        assert_eq!(info.get(Field::Rtt), Some(53_376));
        assert_eq!(info.get(Field::BytesSent), Some(u64::from(u32::MAX) + 9));
        assert_eq!(info.get(Field::TotalRtoRecoveries), Some(513));
    }
}
