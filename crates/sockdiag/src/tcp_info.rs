//! `struct tcp_info` as Linux 6.18 defines it (`include/uapi/linux/tcp.h`), read by length.
//!
//! One line per field, in header order. Every kernel sends a prefix of this struct; what it does not send is absent,
//! never zero.

use super::field::NoneValue::{AtLeast, Never, Zero};
use super::field::Width::{Bits, U8, U16, U32, U64};
use super::field::{NoneValue, fields};

const U32_MAX: NoneValue = AtLeast(0xffff_ffff);
const U64_MAX: NoneValue = AtLeast(u64::MAX);

fields! {
    /// Every field of `struct tcp_info`.
    ALL = Info;
    STATE "tcpi_state" @ 0 U8, "2.4", Never, "TCP state, as in `include/net/tcp_states.h`.";
    CA_STATE "tcpi_ca_state" @ 1 U8, "2.4", Never, "Congestion state: 0 open, 1 disorder, 2 CWR, 3 recovery, 4 loss.";
    RETRANSMITS "tcpi_retransmits" @ 2 U8, "2.4", Never, "Timeouts of the segment at the head, reset by progress.";
    PROBES "tcpi_probes" @ 3 U8, "2.4", Never, "Unanswered zero-window or keepalive probes.";
    BACKOFF "tcpi_backoff" @ 4 U8, "2.4", Never, "Exponent of the timeout's back-off.";
    OPTIONS "tcpi_options" @ 5 U8, "2.4", Never, "Negotiated options, a bit each.";
    SND_WSCALE "tcpi_snd_wscale" @ 6 Bits { shift: 0, count: 4 }, "2.4", Never, "Window scale of the peer, a shift.";
    RCV_WSCALE "tcpi_rcv_wscale" @ 6 Bits { shift: 4, count: 4 }, "2.4", Never, "Window scale of this end, a shift.";
    DELIVERY_RATE_APP_LIMITED "tcpi_delivery_rate_app_limited" @ 7 Bits { shift: 0, count: 1 }, "4.9", Never, "1 if the application limited the last rate sample.";
    FASTOPEN_CLIENT_FAIL "tcpi_fastopen_client_fail" @ 7 Bits { shift: 1, count: 2 }, "5.5", Never, "Why fast open failed.";
    RTO "tcpi_rto" @ 8 U32, "2.4", Zero, "Retransmission timeout, microseconds.";
    ATO "tcpi_ato" @ 12 U32, "2.4", Zero, "Delayed-acknowledgement timeout, microseconds.";
    SND_MSS "tcpi_snd_mss" @ 16 U32, "2.4", Never, "Segment size for sending, bytes.";
    RCV_MSS "tcpi_rcv_mss" @ 20 U32, "2.4", Never, "Estimate of the peer's segment size, bytes.";
    UNACKED "tcpi_unacked" @ 24 U32, "2.4", Never, "Segments in flight; of a listener its accept queue.";
    SACKED "tcpi_sacked" @ 28 U32, "2.4", Never, "Segments acknowledged selectively; of a listener its backlog limit.";
    LOST "tcpi_lost" @ 32 U32, "2.4", Never, "Segments presumed lost.";
    RETRANS "tcpi_retrans" @ 36 U32, "2.4", Never, "Retransmitted segments in flight.";
    FACKETS "tcpi_fackets" @ 40 U32, "2.4", Never, "Always 0 since Linux 4.15.";
    LAST_DATA_SENT "tcpi_last_data_sent" @ 44 U32, "2.4", Never, "Age of the last data sent, milliseconds.";
    LAST_ACK_SENT "tcpi_last_ack_sent" @ 48 U32, "2.4", Never, "Always 0: the kernel does not remember it.";
    LAST_DATA_RECV "tcpi_last_data_recv" @ 52 U32, "2.4", Never, "Age of the last data received, milliseconds.";
    LAST_ACK_RECV "tcpi_last_ack_recv" @ 56 U32, "2.4", Never, "Age of the last acknowledgement received, milliseconds.";
    PMTU "tcpi_pmtu" @ 60 U32, "2.4", Never, "Path MTU, bytes.";
    RCV_SSTHRESH "tcpi_rcv_ssthresh" @ 64 U32, "2.4", Never, "Receive window clamp, bytes.";
    RTT "tcpi_rtt" @ 68 U32, "2.4", Zero, "Smoothed round-trip time, microseconds.";
    RTTVAR "tcpi_rttvar" @ 72 U32, "2.4", Zero, "Mean deviation of the round-trip time, microseconds.";
    SND_SSTHRESH "tcpi_snd_ssthresh" @ 76 U32, "2.4", AtLeast(0x7fff_ffff), "Slow-start threshold, segments.";
    SND_CWND "tcpi_snd_cwnd" @ 80 U32, "2.4", Never, "Congestion window, segments.";
    ADVMSS "tcpi_advmss" @ 84 U32, "2.4", Never, "Advertised segment size, bytes.";
    REORDERING "tcpi_reordering" @ 88 U32, "2.4", Never, "Reordering the sender tolerates, segments.";
    RCV_RTT "tcpi_rcv_rtt" @ 92 U32, "2.6.12", Zero, "Receiver's estimate of the round-trip time, microseconds.";
    RCV_SPACE "tcpi_rcv_space" @ 96 U32, "2.6.12", Never, "Receive buffer space being autotuned, bytes.";
    TOTAL_RETRANS "tcpi_total_retrans" @ 100 U32, "2.6.12", Never, "Segments retransmitted since birth.";
    PACING_RATE "tcpi_pacing_rate" @ 104 U64, "3.15", U64_MAX, "Pacing rate, bytes per second.";
    MAX_PACING_RATE "tcpi_max_pacing_rate" @ 112 U64, "3.15", U64_MAX, "Limit of the pacing rate, bytes per second.";
    BYTES_ACKED "tcpi_bytes_acked" @ 120 U64, "4.1", Never, "Bytes acknowledged since birth, SYN and FIN counted.";
    BYTES_RECEIVED "tcpi_bytes_received" @ 128 U64, "4.1", Never, "Bytes received since birth, FIN counted.";
    SEGS_OUT "tcpi_segs_out" @ 136 U32, "4.2", Never, "Segments sent since birth.";
    SEGS_IN "tcpi_segs_in" @ 140 U32, "4.2", Never, "Segments received since birth.";
    NOTSENT_BYTES "tcpi_notsent_bytes" @ 144 U32, "4.6", Never, "Bytes written and not yet sent.";
    MIN_RTT "tcpi_min_rtt" @ 148 U32, "4.6", U32_MAX, "Minimum round-trip time over the kernel's window, microseconds.";
    DATA_SEGS_IN "tcpi_data_segs_in" @ 152 U32, "4.6", Never, "Segments with payload received since birth.";
    DATA_SEGS_OUT "tcpi_data_segs_out" @ 156 U32, "4.6", Never, "Segments with payload sent since birth.";
    DELIVERY_RATE "tcpi_delivery_rate" @ 160 U64, "4.9", Zero, "Latest delivery rate, bytes per second.";
    BUSY_TIME "tcpi_busy_time" @ 168 U64, "4.10", Never, "Time with data to send, microseconds.";
    RWND_LIMITED "tcpi_rwnd_limited" @ 176 U64, "4.10", Never, "Time limited by the peer's window, microseconds.";
    SNDBUF_LIMITED "tcpi_sndbuf_limited" @ 184 U64, "4.10", Never, "Time limited by the send buffer, microseconds.";
    DELIVERED "tcpi_delivered" @ 192 U32, "4.18", Never, "Segments delivered since birth, retransmissions counted.";
    DELIVERED_CE "tcpi_delivered_ce" @ 196 U32, "4.18", Never, "Delivered segments that carried a congestion mark.";
    BYTES_SENT "tcpi_bytes_sent" @ 200 U64, "4.19", Never, "Payload bytes sent since birth, retransmissions counted.";
    BYTES_RETRANS "tcpi_bytes_retrans" @ 208 U64, "4.19", Never, "Payload bytes retransmitted since birth.";
    DSACK_DUPS "tcpi_dsack_dups" @ 216 U32, "4.19", Never, "Duplicates that the peer reported.";
    REORD_SEEN "tcpi_reord_seen" @ 220 U32, "4.19", Never, "Reordering events seen.";
    RCV_OOOPACK "tcpi_rcv_ooopack" @ 224 U32, "5.4", Never, "Segments received out of order.";
    SND_WND "tcpi_snd_wnd" @ 228 U32, "5.4", Never, "Window that the peer advertises, bytes.";
    RCV_WND "tcpi_rcv_wnd" @ 232 U32, "6.2", Never, "Window that this end advertises, bytes.";
    REHASH "tcpi_rehash" @ 236 U32, "6.2", Never, "Times the flow's hash was changed.";
    TOTAL_RTO "tcpi_total_rto" @ 240 U16, "6.7", Never, "Retransmission timeouts since birth.";
    TOTAL_RTO_RECOVERIES "tcpi_total_rto_recoveries" @ 242 U16, "6.7", Never, "Recoveries from timeouts since birth.";
    TOTAL_RTO_TIME "tcpi_total_rto_time" @ 244 U32, "6.7", Never, "Time in timeout recovery since birth, milliseconds.";
    RECEIVED_CE "tcpi_received_ce" @ 248 U32, "6.18", Never, "Received segments that carried a congestion mark.";
    DELIVERED_E1_BYTES "tcpi_delivered_e1_bytes" @ 252 U32, "6.18", Never, "AccECN: bytes delivered with ECT(1).";
    DELIVERED_E0_BYTES "tcpi_delivered_e0_bytes" @ 256 U32, "6.18", Never, "AccECN: bytes delivered with ECT(0).";
    DELIVERED_CE_BYTES "tcpi_delivered_ce_bytes" @ 260 U32, "6.18", Never, "AccECN: bytes delivered with CE.";
    RECEIVED_E1_BYTES "tcpi_received_e1_bytes" @ 264 U32, "6.18", Never, "AccECN: bytes received with ECT(1).";
    RECEIVED_E0_BYTES "tcpi_received_e0_bytes" @ 268 U32, "6.18", Never, "AccECN: bytes received with ECT(0).";
    RECEIVED_CE_BYTES "tcpi_received_ce_bytes" @ 272 U32, "6.18", Never, "AccECN: bytes received with CE.";
    ACCECN_FAIL_MODE "tcpi_accecn_fail_mode" @ 276 U16, "6.18", Never, "AccECN failures; Linux 7.0 gave these bytes another meaning.";
    ACCECN_OPT_SEEN "tcpi_accecn_opt_seen" @ 278 U16, "6.18", Never, "AccECN option state; Linux 7.0 gave these bytes another meaning.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_header_without_gaps_or_overlaps() {
        let mut end = 0;
        let mut shared = None;
        for field in ALL {
            if shared != Some(field.offset) {
                assert_eq!(field.offset, end, "{} does not follow its neighbour", field.name);
                end = field.end();
            }
            shared = matches!(field.width, Bits { .. }).then_some(field.offset);
        }
        assert_eq!(end, 280, "sizeof(struct tcp_info) on Linux 6.18");
    }

    #[test]
    fn a_field_is_present_if_and_only_if_the_payload_reaches_its_end() {
        let payload = [1_u8; 300];
        for field in ALL {
            let end = field.end();
            for length in 0..payload.len() {
                assert_eq!(
                    field.read(&payload[..length]).is_some(),
                    length >= end,
                    "{} at {length}",
                    field.name
                );
            }
        }
    }

    #[test]
    fn a_value_that_means_none_is_absent() {
        for field in ALL {
            let none = field.none;
            assert_eq!(field.read(&[0; 280]).is_none(), none == Zero, "{field:?}");
            assert_eq!(field.read(&[0xff; 280]).is_none(), matches!(none, AtLeast(_)), "{field:?}");
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
        assert_eq!(SND_WSCALE.read(&payload), Some(0xa));
        assert_eq!(RCV_WSCALE.read(&payload), Some(0x7));
        assert_eq!(DELIVERY_RATE_APP_LIMITED.read(&payload), Some(1));
        assert_eq!(FASTOPEN_CLIENT_FAIL.read(&payload), Some(2));
        assert_eq!(RTT.read(&payload), Some(53_376));
        assert_eq!(BYTES_SENT.read(&payload), Some(u64::from(u32::MAX) + 9));
        assert_eq!(TOTAL_RTO_RECOVERIES.read(&payload), Some(513));
    }
}
