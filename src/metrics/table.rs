//! Every metric, one line each, and the kernel's fields that have none, with the reason.
//!
//! Refuses to know how a line is read: `source` does.

use super::Unit::{Bytes, BytesPerSecond, None, Seconds};
use super::bounds::{AGES, BYTES, COUNTS, GAINS, RATES, SHARES, SHIFTS, SIZES, TIMEOUTS, TIMES};
use super::source::Condition::{Has, Is, Positive, ZeroToSend};
use super::source::Source::{
    AcceptQueue, AcceptQueueLimit, Age, Algorithm, Closed, Diff, Memory, Micros, Millis, Opened, Raw,
    ReceiveQueue, SendQueue, Sockets, When,
};
use super::{Kind, Metric, Shown, Source, Unit};
use crate::sockdiag::{AlgorithmField, Field, MemoryField};

/// Every metric: how many sockets there are, then counters, amounts and readings.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    amount("sockets", None, Sockets, "Sockets that there are now.").everywhere(),
    counter("opened_total", None, Opened, "Connections that began, those that no scrape saw included.").of_connections(),
    counter("closed_total", None, Closed, "Connections that ended, those that no scrape saw included.").of_connections(),

    counter("sent_bytes_total", Bytes, Diff(Field::BytesSent, Field::BytesRetrans), "Payload bytes sent, exact to the byte, retransmissions not counted (tcpi_bytes_sent, tcpi_bytes_retrans).").of_connections(),
    counter("received_bytes_total", Bytes, Raw(Field::BytesReceived), "Payload bytes received, where the kernel counts a FIN as one byte (tcpi_bytes_received).").of_connections(),
    counter("acked_bytes_total", Bytes, Raw(Field::BytesAcked), "Bytes that the peer acknowledged, where the kernel counts SYN and FIN as one byte each (tcpi_bytes_acked)."),
    counter("retransmitted_bytes_total", Bytes, Raw(Field::BytesRetrans), "Payload bytes sent again (tcpi_bytes_retrans).").of_connections(),
    counter("sent_segments_total", None, Raw(Field::SegsOut), "Segments sent, those without payload and retransmissions counted (tcpi_segs_out)."),
    counter("received_segments_total", None, Raw(Field::SegsIn), "Segments received, those without payload counted (tcpi_segs_in)."),
    counter("sent_data_segments_total", None, Raw(Field::DataSegsOut), "Segments with payload sent, retransmissions counted (tcpi_data_segs_out)."),
    counter("received_data_segments_total", None, Raw(Field::DataSegsIn), "Segments with payload received (tcpi_data_segs_in)."),
    counter("retransmitted_segments_total", None, Raw(Field::TotalRetrans), "Segments sent again (tcpi_total_retrans)."),
    counter("delivered_segments_total", None, Raw(Field::Delivered), "Segments that reached the peer, retransmissions counted (tcpi_delivered)."),
    counter("delivered_ce_segments_total", None, Raw(Field::DeliveredCe), "Segments that reached the peer with a congestion mark (tcpi_delivered_ce)."),
    counter("received_ce_segments_total", None, Raw(Field::ReceivedCe), "Segments received with a congestion mark (tcpi_received_ce)."),
    counter("dsack_duplicates_total", None, Raw(Field::DsackDups), "Duplicates that the peer reported, the sign of a needless retransmission (tcpi_dsack_dups)."),
    counter("reordering_events_total", None, Raw(Field::ReordSeen), "Times that sent segments turned out to have arrived in another order (tcpi_reord_seen)."),
    counter("out_of_order_segments_total", None, Raw(Field::RcvOoopack), "Segments received ahead of one that is missing (tcpi_rcv_ooopack)."),
    counter("rehashes_total", None, Raw(Field::Rehash), "Times that the flow label was changed to try another path (tcpi_rehash)."),
    counter("timeouts_total", None, Raw(Field::TotalRto), "Retransmission timeouts, which the kernel counts to 65,535 and from 0 again (tcpi_total_rto)."),
    counter("timeout_recoveries_total", None, Raw(Field::TotalRtoRecoveries), "Recoveries that a retransmission timeout began, however many followed it (tcpi_total_rto_recoveries)."),
    counter("timeout_recovery_seconds_total", Seconds, Millis(Field::TotalRtoTime), "Time in recovery from retransmission timeouts (tcpi_total_rto_time)."),
    counter("busy_seconds_total", Seconds, Micros(Field::BusyTime), "Time with data to send or unacknowledged (tcpi_busy_time).").of_connections(),
    counter("receive_window_limited_seconds_total", Seconds, Micros(Field::RwndLimited), "Time that sending waited for the peer's receive window (tcpi_rwnd_limited).").of_connections(),
    counter("send_buffer_limited_seconds_total", Seconds, Micros(Field::SndbufLimited), "Time that sending waited for room in this end's send buffer (tcpi_sndbuf_limited).").of_connections(),
    counter("dropped_packets_total", None, Memory(MemoryField::Drops), "Packets that the socket dropped, those after the last collection before it closed not counted, because the kernel's last word on a socket does not tell (SK_MEMINFO_DROPS)."),

    amount("receive_queue_bytes", Bytes, ReceiveQueue, "Bytes received and not yet read, where the kernel counts a FIN as one byte, listeners left out (idiag_rqueue).").of_connections(),
    amount("send_queue_bytes", Bytes, SendQueue, "Bytes written and not yet acknowledged, listeners left out (idiag_wqueue).").of_connections(),
    amount("accept_queue_connections", None, AcceptQueue, "Connections that no process has accepted yet, of listeners only (idiag_rqueue).").of_listeners(),
    amount("accept_queue_limit", None, AcceptQueueLimit, "Connections that may wait to be accepted, of listeners only (idiag_wqueue).").of_listeners(),
    amount("not_sent_bytes", Bytes, Raw(Field::NotsentBytes), "Bytes written and not yet sent for the first time (tcpi_notsent_bytes)."),
    amount("unacknowledged_segments", None, Raw(Field::Unacked), "Segments sent and not yet acknowledged, listeners left out (tcpi_unacked)."),
    amount("sacked_segments", None, Raw(Field::Sacked), "Segments acknowledged ahead of one that is missing, listeners left out (tcpi_sacked)."),
    amount("lost_segments", None, Raw(Field::Lost), "Segments presumed lost and not yet acknowledged (tcpi_lost)."),
    amount("retransmits_in_flight_segments", None, Raw(Field::Retrans), "Segments sent again and not yet acknowledged (tcpi_retrans)."),

    amount("receive_memory_bytes", Bytes, Memory(MemoryField::Received), "Memory of packets received and not yet read (SK_MEMINFO_RMEM_ALLOC)."),
    amount("receive_buffer_bytes", Bytes, Memory(MemoryField::ReceiveBuffer), "Memory that packets received and not yet read may take (SK_MEMINFO_RCVBUF)."),
    amount("send_memory_bytes", Bytes, Memory(MemoryField::Sent), "Memory of packets handed to the device and not yet freed (SK_MEMINFO_WMEM_ALLOC)."),
    amount("send_buffer_bytes", Bytes, Memory(MemoryField::SendBuffer), "Memory that data written and not yet acknowledged may take (SK_MEMINFO_SNDBUF)."),
    amount("forward_memory_bytes", Bytes, Memory(MemoryField::Forward), "Memory set aside for the socket and not in use (SK_MEMINFO_FWD_ALLOC)."),
    amount("queued_memory_bytes", Bytes, Memory(MemoryField::Queued), "Memory of data written and not yet acknowledged (SK_MEMINFO_WMEM_QUEUED)."),
    amount("option_memory_bytes", Bytes, Memory(MemoryField::Options), "Memory of socket options (SK_MEMINFO_OPTMEM)."),
    amount("backlog_memory_bytes", Bytes, Memory(MemoryField::Backlog), "Memory of packets that wait while a process uses the socket (SK_MEMINFO_BACKLOG)."),

    amount("disordered_sockets", None, When(Field::CaState, Is(1)), "Sockets that saw duplicate or selective acknowledgements and wait whether something is lost (tcpi_ca_state)."),
    amount("cwr_sockets", None, When(Field::CaState, Is(2)), "Sockets that reduce their congestion window without a loss (tcpi_ca_state)."),
    amount("recovering_sockets", None, When(Field::CaState, Is(3)), "Sockets in fast recovery (tcpi_ca_state)."),
    amount("loss_sockets", None, When(Field::CaState, Is(4)), "Sockets in recovery from a retransmission timeout (tcpi_ca_state)."),
    amount("backed_off_sockets", None, When(Field::Backoff, Positive), "Sockets whose timer has backed off (tcpi_backoff)."),
    amount("probing_sockets", None, When(Field::Probes, Positive), "Sockets with unanswered zero-window or keepalive probes (tcpi_probes)."),
    amount("retransmitting_sockets", None, When(Field::Retransmits, Positive), "Sockets whose oldest segment has run into a timeout since the last progress (tcpi_retransmits)."),
    amount("zero_window_sockets", None, When(Field::SndWnd, ZeroToSend), "Sockets whose peer's window is 0, in states in which there may be something to send: established, close_wait, fin_wait1, closing, last_ack (tcpi_snd_wnd)."),
    amount("application_limited_sockets", None, When(Field::DeliveryRateAppLimited, Positive), "Sockets whose latest delivery rate says how much the application wrote rather than what the path can do (tcpi_delivery_rate_app_limited)."),
    amount("timestamps_sockets", None, When(Field::Options, Has(1)), "Sockets that agreed on timestamps (tcpi_options)."),
    amount("sack_sockets", None, When(Field::Options, Has(2)), "Sockets that agreed on selective acknowledgements (tcpi_options)."),
    amount("window_scaling_sockets", None, When(Field::Options, Has(4)), "Sockets that agreed on window scaling (tcpi_options)."),
    amount("ecn_sockets", None, When(Field::Options, Has(8)), "Sockets that agreed on explicit congestion notification (tcpi_options)."),
    amount("ecn_seen_sockets", None, When(Field::Options, Has(16)), "Sockets that received a packet of an ECN-capable transport (tcpi_options)."),
    amount("syn_data_sockets", None, When(Field::Options, Has(32)), "Sockets whose SYN carried data that the peer acknowledged (tcpi_options)."),
    amount("usec_timestamps_sockets", None, When(Field::Options, Has(64)), "Sockets with timestamps in microseconds, of Linux 6.7 and later (tcpi_options)."),
    amount("tfo_child_sockets", None, When(Field::Options, Has(128)), "Sockets that were accepted by TCP Fast Open, of Linux 6.16 and later (tcpi_options)."),
    amount("fastopen_failed_sockets", None, When(Field::FastopenClientFail, Positive), "Sockets that asked for TCP Fast Open in vain (tcpi_fastopen_client_fail)."),

    reading("rtt_seconds", Seconds, Micros(Field::Rtt), TIMES, "Smoothed round-trip time (tcpi_rtt).").of_connections(),
    reading("rtt_variation_seconds", Seconds, Micros(Field::Rttvar), TIMES, "Mean deviation of the round-trip time (tcpi_rttvar)."),
    reading("min_rtt_seconds", Seconds, Micros(Field::MinRtt), TIMES, "Least round-trip time of the last minutes (tcpi_min_rtt)."),
    reading("receive_rtt_seconds", Seconds, Micros(Field::RcvRtt), TIMES, "Round-trip time as the receiving side estimates it (tcpi_rcv_rtt)."),
    reading("retransmission_timeout_seconds", Seconds, Micros(Field::Rto), TIMEOUTS, "Time without an acknowledgement after which a segment is sent again (tcpi_rto)."),
    reading("delayed_ack_timeout_seconds", Seconds, Micros(Field::Ato), TIMEOUTS, "Time after which a delayed acknowledgement is sent (tcpi_ato)."),
    reading("send_mss_bytes", Bytes, Raw(Field::SndMss), SIZES, "Most payload of a segment to send (tcpi_snd_mss)."),
    reading("receive_mss_bytes", Bytes, Raw(Field::RcvMss), SIZES, "Most payload of a segment that the peer is thought to send (tcpi_rcv_mss)."),
    reading("advertised_mss_bytes", Bytes, Raw(Field::Advmss), SIZES, "Most payload of a segment that the peer was told to send (tcpi_advmss)."),
    reading("path_mtu_bytes", Bytes, Raw(Field::Pmtu), SIZES, "Largest packet that the path is thought to carry (tcpi_pmtu)."),
    reading("congestion_window", None, Raw(Field::SndCwnd), COUNTS, "Congestion window in segments (tcpi_snd_cwnd)."),
    reading("slow_start_threshold", None, Raw(Field::SndSsthresh), COUNTS, "Congestion window in segments up to which slow start goes, absent while there is none (tcpi_snd_ssthresh)."),
    reading("reordering", None, Raw(Field::Reordering), COUNTS, "Segments out of order that are not taken for a loss (tcpi_reordering)."),
    reading("receive_space_bytes", Bytes, Raw(Field::RcvSpace), BYTES, "Bytes that the process reads in a round trip, by which the receive buffer grows (tcpi_rcv_space)."),
    reading("receive_window_clamp_bytes", Bytes, Raw(Field::RcvSsthresh), BYTES, "Limit of the window to advertise (tcpi_rcv_ssthresh)."),
    reading("send_window_bytes", Bytes, Raw(Field::SndWnd), BYTES, "Window that the peer advertises (tcpi_snd_wnd)."),
    reading("receive_window_bytes", Bytes, Raw(Field::RcvWnd), BYTES, "Window that this end advertises (tcpi_rcv_wnd)."),
    reading("send_window_scale", None, Raw(Field::SndWscale), SHIFTS, "Power of two by which the peer's window is scaled (tcpi_snd_wscale)."),
    reading("receive_window_scale", None, Raw(Field::RcvWscale), SHIFTS, "Power of two by which this end's window is scaled (tcpi_rcv_wscale)."),
    reading("pacing_rate_bytes_per_second", BytesPerSecond, Raw(Field::PacingRate), RATES, "Rate at which segments are let go, absent if without limit (tcpi_pacing_rate)."),
    reading("max_pacing_rate_bytes_per_second", BytesPerSecond, Raw(Field::MaxPacingRate), RATES, "Limit of the pacing rate that the process set, absent if it set none (tcpi_max_pacing_rate)."),
    reading("delivery_rate_bytes_per_second", BytesPerSecond, Raw(Field::DeliveryRate), RATES, "Latest rate at which data reached the peer (tcpi_delivery_rate)."),
    reading("last_data_sent_age_seconds", Seconds, Age(Field::LastDataSent), AGES, "Time since data was last sent, or since the handshake (tcpi_last_data_sent)."),
    reading("last_data_received_age_seconds", Seconds, Age(Field::LastDataRecv), AGES, "Time since data was last received, or since the handshake (tcpi_last_data_recv)."),
    reading("last_ack_received_age_seconds", Seconds, Age(Field::LastAckRecv), AGES, "Time since an acknowledgement was last received (tcpi_last_ack_recv)."),
    reading("bbr_bandwidth_bytes_per_second", BytesPerSecond, Algorithm(AlgorithmField::BbrBandwidth, 1), RATES, "Bandwidth of the path as BBR estimates it (bbr_bw)."),
    reading("bbr_min_rtt_seconds", Seconds, Algorithm(AlgorithmField::BbrMinRtt, MICROS), TIMES, "Round-trip time of the empty path as BBR estimates it (bbr_min_rtt)."),
    reading("bbr_pacing_gain", None, Algorithm(AlgorithmField::BbrPacingGain, 256), GAINS, "Pacing rate of BBR as a multiple of the bandwidth (bbr_pacing_gain)."),
    reading("bbr_congestion_window_gain", None, Algorithm(AlgorithmField::BbrCwndGain, 256), GAINS, "Congestion window of BBR as a multiple of bandwidth times round-trip time (bbr_cwnd_gain)."),
    reading("dctcp_alpha_ratio", None, Algorithm(AlgorithmField::DctcpAlpha, 1024), SHARES, "Share of bytes that arrived with a congestion mark as DCTCP smooths it, absent while Reno stands in for it (dctcp_alpha)."),
    reading("vegas_rtt_seconds", Seconds, Algorithm(AlgorithmField::VegasRtt, MICROS), TIMES, "Round-trip time of the empty path as Vegas or YeAH take it, the mean of this round with Illinois (tcpv_rtt)."),
    reading("vegas_min_rtt_seconds", Seconds, Algorithm(AlgorithmField::VegasMinRtt, MICROS), TIMES, "Least round-trip time of this round with Vegas or YeAH, of all rounds with Illinois (tcpv_minrtt)."),
];

/// The fields of `struct tcp_info` that no metric reads, each with the reason.
#[rustfmt::skip]
pub const OMITTED: &[(Field, &str)] = &[
    (Field::State, "It is the label `state`."),
    (Field::Fackets, "It is always 0 since Linux 4.15."),
    (Field::LastAckSent, "It is always 0, because the kernel does not remember it."),
    (Field::DeliveredE1Bytes, WRAPS),
    (Field::DeliveredE0Bytes, WRAPS),
    (Field::DeliveredCeBytes, WRAPS),
    (Field::ReceivedE1Bytes, WRAPS),
    (Field::ReceivedE0Bytes, WRAPS),
    (Field::ReceivedCeBytes, WRAPS),
    (Field::AccecnFailMode, REUSED),
    (Field::AccecnOptSeen, REUSED),
];

const WRAPS: &str = "It counts bytes in 32 bits, which a fast connection goes round in seconds.";
const REUSED: &str = "Linux 7.0 gave its bytes another meaning.";

const MICROS: u32 = 1_000_000;

const fn counter(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Metric {
    metric(Kind::Counter, name, unit, source, &[], help)
}

const fn amount(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Metric {
    let bounds = if matches!(unit, Bytes) { BYTES } else { COUNTS };
    metric(Kind::Amount, name, unit, source, bounds, help)
}

const fn reading(
    name: &'static str,
    unit: Unit,
    source: Source,
    bounds: &'static [f64],
    help: &'static str,
) -> Metric {
    metric(Kind::Reading, name, unit, source, bounds, help)
}

const fn metric(
    kind: Kind,
    name: &'static str,
    unit: Unit,
    source: Source,
    bounds: &'static [f64],
    help: &'static str,
) -> Metric {
    Metric { kind, name, unit, source, help, shown: Shown::IfNamed, bounds }
}

impl Metric {
    const fn everywhere(self) -> Self {
        Self { shown: Shown::Always, ..self }
    }

    const fn of_connections(self) -> Self {
        Self { shown: Shown::OfConnections, ..self }
    }

    const fn of_listeners(self) -> Self {
        Self { shown: Shown::OfListeners, ..self }
    }
}
