//! Every metric, one line each, and the kernel's fields that have none, with the reason.

use super::Unit::{Bytes, BytesPerSecond, None, Seconds};
use super::bounds::{AGES, BYTES, COUNTS, GAINS, RATES, SHARES, SHIFTS, SIZES, TIMEOUTS, TIMES};
use super::source::Condition::{Has, Is, Positive};
use super::source::Quantity::{Closed, ClosedWithoutTcpInfo, Opened, Sockets};
use super::source::{
    LISTENERS, SENDING, age, any, difference, every, limited, micros, millis, option, or_one_more, over_half,
    peering, raw, refused, when, with_ulp,
};
use super::{Kind, Metric, Shown, Source, Unit};
use crate::bottleneck::Bottleneck;
use sockdiag::unix::Peering;
use sockdiag::{Field, cc_info, inet, mptcp, queues, sctp, skmem, sockopt, tcp_info, tipc, ulp, xdp};

/// Every metric: how many sockets there are, then counters, gauges and distributions.
#[rustfmt::skip]
pub const METRICS: &[Metric] = &[
    gauge("sockets", None, every(Sockets), "Number of sockets.").everywhere(),
    counter("opened_total", None, every(Opened), "Connections opened, including those that no scrape saw.").of_connections(),
    counter("closed_total", None, every(Closed), "Connections closed, including those that no scrape saw.").of_connections(),
    counter("closed_without_tcp_info_total", None, every(ClosedWithoutTcpInfo), "Connections closed without final counters, so that totals lack what they did after the last collection."),

    counter("sent_bytes_total", Bytes, difference(&tcp_info::BYTES_SENT, &tcp_info::BYTES_RETRANS), "Payload bytes sent, retransmissions excluded (tcpi_bytes_sent, tcpi_bytes_retrans).").of_connections(),
    counter("received_bytes_total", Bytes, raw(&tcp_info::BYTES_RECEIVED), "Payload bytes received, plus one for a FIN (tcpi_bytes_received).").of_connections(),
    counter("acked_bytes_total", Bytes, raw(&tcp_info::BYTES_ACKED), "Payload bytes acknowledged by the peer, plus one each for SYN and FIN (tcpi_bytes_acked)."),
    counter("retransmitted_bytes_total", Bytes, raw(&tcp_info::BYTES_RETRANS), "Payload bytes retransmitted (tcpi_bytes_retrans).").of_connections(),
    counter("sent_segments_total", None, raw(&tcp_info::SEGS_OUT), "Segments sent, pure ACKs and retransmissions included (tcpi_segs_out)."),
    counter("received_segments_total", None, raw(&tcp_info::SEGS_IN), "Segments received, pure ACKs included (tcpi_segs_in)."),
    counter("sent_data_segments_total", None, raw(&tcp_info::DATA_SEGS_OUT), "Data segments sent, retransmissions included (tcpi_data_segs_out)."),
    counter("received_data_segments_total", None, raw(&tcp_info::DATA_SEGS_IN), "Data segments received (tcpi_data_segs_in)."),
    counter("retransmitted_segments_total", None, raw(&tcp_info::TOTAL_RETRANS), "Segments retransmitted (tcpi_total_retrans)."),
    counter("delivered_segments_total", None, raw(&tcp_info::DELIVERED), "Segments delivered to the peer, retransmissions included (tcpi_delivered)."),
    counter("delivered_ce_segments_total", None, raw(&tcp_info::DELIVERED_CE), "Segments delivered to the peer with an ECN congestion mark (tcpi_delivered_ce)."),
    counter("received_ce_segments_total", None, raw(&tcp_info::RECEIVED_CE), "Segments received with an ECN congestion mark (tcpi_received_ce)."),
    counter("dsack_duplicates_total", None, raw(&tcp_info::DSACK_DUPS), "Duplicate segments that the peer reported by D-SACK, a sign of spurious retransmission (tcpi_dsack_dups)."),
    counter("reordering_events_total", None, raw(&tcp_info::REORD_SEEN), "Reordering events on the path to the peer (tcpi_reord_seen)."),
    counter("out_of_order_segments_total", None, raw(&tcp_info::RCV_OOOPACK), "Segments received out of order (tcpi_rcv_ooopack)."),
    counter("rehashes_total", None, raw(&tcp_info::REHASH), "Changes of the flow hash to try another path (tcpi_rehash)."),
    counter("timeouts_total", None, raw(&tcp_info::TOTAL_RTO), "Retransmission timeouts (tcpi_total_rto)."),
    counter("timeout_recoveries_total", None, raw(&tcp_info::TOTAL_RTO_RECOVERIES), "Recoveries that began with a retransmission timeout, consecutive timeouts counted once (tcpi_total_rto_recoveries)."),
    counter("timeout_recovery_seconds_total", Seconds, millis(&tcp_info::TOTAL_RTO_TIME), "Time in recovery from retransmission timeouts (tcpi_total_rto_time)."),
    counter("busy_seconds_total", Seconds, micros(&tcp_info::BUSY_TIME), "Time with unsent or unacknowledged data (tcpi_busy_time).").of_connections(),
    counter("receive_window_limited_seconds_total", Seconds, micros(&tcp_info::RWND_LIMITED), "Time limited by the peer's receive window (tcpi_rwnd_limited).").of_connections(),
    counter("send_buffer_limited_seconds_total", Seconds, micros(&tcp_info::SNDBUF_LIMITED), "Time limited by this end's send buffer (tcpi_sndbuf_limited).").of_connections(),
    counter("bottleneck_connecting_seconds_total", Seconds, limited(Bottleneck::Connecting), "Time in which the handshake was not complete, by samples of the bottleneck."),
    counter("bottleneck_accept_queue_seconds_total", Seconds, limited(Bottleneck::AcceptQueue), "Time in which the local process had not accepted the connection, by samples of the bottleneck."),
    counter("bottleneck_stalled_seconds_total", Seconds, limited(Bottleneck::Stalled), "Time in which the peer acknowledged nothing of the data in flight, by samples of the bottleneck."),
    counter("bottleneck_peer_not_reading_seconds_total", Seconds, limited(Bottleneck::PeerNotReading), "Time in which the peer's window was closed, by samples of the bottleneck."),
    counter("bottleneck_not_reading_seconds_total", Seconds, limited(Bottleneck::NotReading), "Time in which the local process read nothing of the data that waited, by samples of the bottleneck."),
    counter("bottleneck_idle_seconds_total", Seconds, limited(Bottleneck::Idle), "Time in which nothing was sent or received, by samples of the bottleneck."),
    counter("bottleneck_peer_window_seconds_total", Seconds, limited(Bottleneck::PeerWindow), "Time in which the peer's window limited the sender, by samples of the bottleneck."),
    counter("bottleneck_send_buffer_seconds_total", Seconds, limited(Bottleneck::SendBuffer), "Time in which the send buffer limited the sender, by samples of the bottleneck."),
    counter("bottleneck_receiving_seconds_total", Seconds, limited(Bottleneck::Receiving), "Time in which this end mostly received, by samples of the bottleneck."),
    counter("bottleneck_application_seconds_total", Seconds, limited(Bottleneck::Application), "Time in which the local process had no more to send, by samples of the bottleneck."),
    counter("bottleneck_loss_seconds_total", Seconds, limited(Bottleneck::Loss), "Time in which segments were lost and retransmitted, by samples of the bottleneck."),
    counter("bottleneck_queueing_seconds_total", Seconds, limited(Bottleneck::Queueing), "Time in which segments waited in a queue on the path, by samples of the bottleneck."),
    counter("bottleneck_path_seconds_total", Seconds, limited(Bottleneck::Path), "Time in which the path limited the sender, by samples of the bottleneck."),
    counter("dropped_packets_total", None, raw(&skmem::DROPS), "Packets dropped by the socket, up to the last collection before it closed (SK_MEMINFO_DROPS)."),
    counter("dropped_messages_total", None, any(&skmem::DROPPED_MESSAGES), "Messages dropped because the process was too slow, up to the last collection before the socket closed (SK_MEMINFO_DROPS)."),
    counter("refused_handshakes_total", None, refused(&skmem::DROPS), "SYNs and handshakes that a listener refused, mostly because its accept queue was full, up to the last collection before it closed (SK_MEMINFO_DROPS).").of_listeners(),
    counter("sent_packets_total", None, raw(&sctp::SENT_PACKETS), "Packets sent by an SCTP association (sctpi_opackets)."),
    counter("received_packets_total", None, raw(&sctp::RECEIVED_PACKETS), "Packets received by an SCTP association (sctpi_ipackets)."),
    counter("retransmitted_chunks_total", None, raw(&sctp::RETRANSMITTED_CHUNKS), "Chunks retransmitted by an SCTP association (sctpi_rtxchunks)."),
    counter("duplicate_chunks_total", None, raw(&sctp::DUPLICATE_CHUNKS), "Chunks that an SCTP association received again (sctpi_idupchunks)."),
    counter("out_of_sequence_chunks_total", None, raw(&sctp::OUT_OF_SEQUENCE), "Chunks that an SCTP association received out of sequence (sctpi_outofseqtsns)."),
    counter("rx_dropped_total", None, any(&xdp::RX_DROPPED), "Frames that an XDP socket dropped for another reason than a full ring, Linux 5.9 or later (n_rx_dropped)."),
    counter("rx_invalid_total", None, any(&xdp::RX_INVALID), "Invalid descriptors in the fill ring of an XDP socket, Linux 5.9 or later (n_rx_invalid)."),
    counter("rx_full_total", None, any(&xdp::RX_FULL), "Frames that an XDP socket dropped because its receive ring was full, Linux 5.9 or later (n_rx_full)."),
    counter("fill_ring_empty_total", None, any(&xdp::FILL_RING_EMPTY), "Times that the fill ring of an XDP socket was empty, Linux 5.9 or later (n_fill_ring_empty)."),
    counter("tx_invalid_total", None, any(&xdp::TX_INVALID), "Invalid descriptors in the transmit ring of an XDP socket, Linux 5.9 or later (n_tx_invalid)."),
    counter("tx_ring_empty_total", None, any(&xdp::TX_RING_EMPTY), "Times that the transmit ring of an XDP socket was empty, Linux 5.9 or later (n_tx_ring_empty)."),

    gauge("receive_queue_bytes", Bytes, raw(&queues::RQUEUE), "Bytes received and not yet read, plus one for a FIN, listeners excluded (idiag_rqueue, udiag_rqueue).").of_connections(),
    gauge("send_queue_bytes", Bytes, raw(&queues::WQUEUE), "Bytes written and not yet acknowledged, listeners excluded; of a unix socket their memory (idiag_wqueue, udiag_wqueue).").of_connections(),
    gauge("accept_queue_connections", None, any(&queues::RQUEUE).of(LISTENERS), "Connections in the accept queue of a listener (idiag_rqueue, udiag_rqueue).").of_listeners(),
    gauge("accept_queue_limit", None, any(&queues::WQUEUE).of(LISTENERS), "Limit of the accept queue of a listener, its backlog (idiag_wqueue, udiag_wqueue).").of_listeners(),
    gauge("not_sent_bytes", Bytes, raw(&tcp_info::NOTSENT_BYTES), "Bytes written and not yet sent (tcpi_notsent_bytes)."),
    gauge("unacknowledged_segments", None, raw(&tcp_info::UNACKED), "Segments sent and not yet acknowledged, listeners excluded (tcpi_unacked)."),
    gauge("sacked_segments", None, raw(&tcp_info::SACKED), "Segments acknowledged selectively (SACK), listeners excluded (tcpi_sacked)."),
    gauge("lost_segments", None, raw(&tcp_info::LOST), "Segments presumed lost and not yet acknowledged (tcpi_lost)."),
    gauge("retransmits_in_flight_segments", None, raw(&tcp_info::RETRANS), "Retransmitted segments not yet acknowledged (tcpi_retrans)."),

    gauge("receive_memory_bytes", Bytes, any(&skmem::RMEM_ALLOC), "Memory of packets received and not yet read (SK_MEMINFO_RMEM_ALLOC)."),
    gauge("receive_buffer_bytes", Bytes, any(&skmem::RCVBUF), "Limit of the receive buffer (SK_MEMINFO_RCVBUF)."),
    gauge("send_memory_bytes", Bytes, any(&skmem::WMEM_ALLOC), "Memory of packets handed to the device and not yet freed (SK_MEMINFO_WMEM_ALLOC)."),
    gauge("send_buffer_bytes", Bytes, any(&skmem::SNDBUF), "Limit of the send buffer (SK_MEMINFO_SNDBUF)."),
    gauge("forward_memory_bytes", Bytes, any(&skmem::FWD_ALLOC), "Memory reserved for the socket and not in use (SK_MEMINFO_FWD_ALLOC)."),
    gauge("queued_memory_bytes", Bytes, any(&skmem::WMEM_QUEUED), "Memory of data written and not yet acknowledged (SK_MEMINFO_WMEM_QUEUED)."),
    gauge("option_memory_bytes", Bytes, any(&skmem::OPTMEM), "Memory of socket options (SK_MEMINFO_OPTMEM)."),
    gauge("backlog_memory_bytes", Bytes, any(&skmem::BACKLOG), "Memory of packets in the socket's backlog, which waits while a process uses the socket (SK_MEMINFO_BACKLOG)."),

    gauge("full_sockets", None, over_half(&skmem::RMEM_ALLOC, &skmem::RCVBUF), "Sockets whose packets received and not yet read take more than half of the receive buffer (SK_MEMINFO_RMEM_ALLOC, SK_MEMINFO_RCVBUF)."),
    gauge("unacknowledged_chunks", None, raw(&sctp::UNACKED), "Chunks that an SCTP association sent and that are not yet acknowledged (sctpi_unackdata)."),
    gauge("missing_chunks", None, raw(&sctp::MISSING), "Chunks that an SCTP association lacks before others that it has received (sctpi_penddata)."),
    gauge("receive_queue_messages", None, any(&tipc::RECEIVE_QUEUE), "Messages received by a TIPC socket and not yet read (TIPC_NLA_SOCK_STAT_RCVQ)."),
    gauge("send_queue_messages", None, any(&tipc::SEND_QUEUE), "Messages of a TIPC socket that wait to be sent (TIPC_NLA_SOCK_STAT_SENDQ)."),

    gauge("disordered_sockets", None, when(&tcp_info::CA_STATE, Is(1)), "Sockets in the congestion state disorder, after duplicate or selective acknowledgements (tcpi_ca_state)."),
    gauge("cwr_sockets", None, when(&tcp_info::CA_STATE, Is(2)), "Sockets in the congestion state CWR, which reduce the congestion window without a loss (tcpi_ca_state)."),
    gauge("recovering_sockets", None, when(&tcp_info::CA_STATE, Is(3)), "Sockets in the congestion state recovery, fast recovery (tcpi_ca_state)."),
    gauge("loss_sockets", None, when(&tcp_info::CA_STATE, Is(4)), "Sockets in the congestion state loss, after a retransmission timeout (tcpi_ca_state)."),
    gauge("backed_off_sockets", None, when(&tcp_info::BACKOFF, Positive), "Sockets with an exponential backoff of the retransmission timer (tcpi_backoff)."),
    gauge("probing_sockets", None, when(&tcp_info::PROBES, Positive), "Sockets with unanswered zero-window or keepalive probes (tcpi_probes)."),
    gauge("retransmitting_sockets", None, when(&tcp_info::RETRANSMITS, Positive), "Sockets whose oldest segment has timed out since the last progress (tcpi_retransmits)."),
    gauge("zero_window_sockets", None, when(&tcp_info::SND_WND, Is(0)).of(SENDING), "Sockets with a zero send window, in the states established, close_wait, fin_wait1, closing and last_ack (tcpi_snd_wnd)."),
    gauge("application_limited_sockets", None, when(&tcp_info::DELIVERY_RATE_APP_LIMITED, Positive), "Sockets whose latest delivery rate was limited by the application, not by the path (tcpi_delivery_rate_app_limited)."),
    gauge("timestamps_sockets", None, when(&tcp_info::OPTIONS, Has(1)), "Sockets that negotiated timestamps (tcpi_options)."),
    gauge("sack_sockets", None, when(&tcp_info::OPTIONS, Has(2)), "Sockets that negotiated selective acknowledgements (tcpi_options)."),
    gauge("window_scaling_sockets", None, when(&tcp_info::OPTIONS, Has(4)), "Sockets that negotiated window scaling (tcpi_options)."),
    gauge("ecn_sockets", None, when(&tcp_info::OPTIONS, Has(8)), "Sockets that negotiated explicit congestion notification (tcpi_options)."),
    gauge("ecn_seen_sockets", None, when(&tcp_info::OPTIONS, Has(16)), "Sockets that received an ECN-capable packet (tcpi_options)."),
    gauge("syn_data_sockets", None, when(&tcp_info::OPTIONS, Has(32)), "Sockets whose SYN carried data that the peer acknowledged (tcpi_options)."),
    gauge("usec_timestamps_sockets", None, when(&tcp_info::OPTIONS, Has(64)), "Sockets with timestamps in microseconds, Linux 6.7 or later (tcpi_options)."),
    gauge("tfo_child_sockets", None, when(&tcp_info::OPTIONS, Has(128)), "Sockets accepted by TCP Fast Open, Linux 6.16 or later (tcpi_options)."),
    gauge("retransmission_timer_sockets", None, when(&inet::TIMER, Is(1)), "Sockets that wait for an acknowledgement, whose retransmission timer runs (idiag_timer)."),
    gauge("keepalive_timer_sockets", None, when(&inet::TIMER, Is(2)), "Sockets whose keepalive timer runs, also the one that ends an orphan (idiag_timer)."),
    gauge("persist_timer_sockets", None, when(&inet::TIMER, Is(4)), "Sockets that wait for the peer to open its window, whose zero-window probe timer runs (idiag_timer)."),
    gauge("delayed_ack_timer_sockets", None, when(&inet::TIMER, Is(5)), "Sockets that wait before they acknowledge, whose delayed-ACK timer runs (idiag_timer)."),
    gauge("receive_error_sockets", None, option(&sockopt::RECVERR), "Sockets with IP_RECVERR, which queues the errors of packets (recverr)."),
    gauge("receive_error_extension_sockets", None, option(&sockopt::RECVERR_RFC4884), "Sockets with IP_RECVERR_RFC4884, which queues the extensions of ICMP errors (recverr_rfc4884)."),
    gauge("freebind_sockets", None, option(&sockopt::FREEBIND), "Sockets with IP_FREEBIND, whose address may be none of this host (freebind)."),
    gauge("transparent_sockets", None, option(&sockopt::TRANSPARENT), "Sockets with IP_TRANSPARENT, as of a transparent proxy (transparent)."),
    gauge("bind_address_no_port_sockets", None, option(&sockopt::BIND_ADDRESS_NO_PORT), "Sockets with IP_BIND_ADDRESS_NO_PORT, which get their port when they connect (bind_address_no_port)."),
    gauge("deferred_connect_sockets", None, option(&sockopt::DEFER_CONNECT), "Sockets with TCP_FASTOPEN_CONNECT that wait for their first data to connect (defer_connect)."),
    gauge("header_included_sockets", None, option(&sockopt::HDRINCL), "Sockets with IP_HDRINCL, whose process writes IP headers (hdrincl)."),
    gauge("multicast_loop_sockets", None, option(&sockopt::MC_LOOP), "Sockets with IP_MULTICAST_LOOP, whose multicast this host receives too, the default (mc_loop)."),
    gauge("multicast_all_sockets", None, option(&sockopt::MC_ALL), "Sockets with IP_MULTICAST_ALL, which receive every group that the host has joined, the default (mc_all)."),
    gauge("unfragmented_sockets", None, option(&sockopt::NODEFRAG), "Sockets with IP_NODEFRAG, whose fragments netfilter does not reassemble (nodefrag)."),
    gauge("tls_sockets", None, with_ulp(ulp::TLS), "Sockets with kernel TLS (INET_ULP_INFO_NAME)."),
    gauge("mptcp_sockets", None, with_ulp(ulp::OF_SUBFLOWS), "Subflows of MPTCP connections (INET_ULP_INFO_NAME)."),
    gauge("waiting_clients", None, peering(Peering::Waiting), "Unix sockets that are connected and not accepted yet (UNIX_DIAG_PEER)."),
    gauge("orphaned_sockets", None, peering(Peering::Orphaned), "Unix sockets whose peer has closed (UNIX_DIAG_PEER)."),
    gauge("fastopen_failed_sockets", None, when(&tcp_info::FASTOPEN_CLIENT_FAIL, Positive), "Sockets whose TCP Fast Open failed (tcpi_fastopen_client_fail)."),

    distribution("rtt_seconds", Seconds, micros(&tcp_info::RTT), TIMES, "Smoothed RTT (tcpi_rtt).").of_connections(),
    distribution("rtt_variation_seconds", Seconds, micros(&tcp_info::RTTVAR), TIMES, "Mean deviation of the RTT (tcpi_rttvar)."),
    distribution("min_rtt_seconds", Seconds, micros(&tcp_info::MIN_RTT), TIMES, "Minimum RTT over the kernel's window (tcpi_min_rtt)."),
    distribution("receive_rtt_seconds", Seconds, micros(&tcp_info::RCV_RTT), TIMES, "RTT estimated by the receiving side (tcpi_rcv_rtt)."),
    distribution("retransmission_timeout_seconds", Seconds, micros(&tcp_info::RTO), TIMEOUTS, "Retransmission timeout, RTO (tcpi_rto)."),
    distribution("delayed_ack_timeout_seconds", Seconds, micros(&tcp_info::ATO), TIMEOUTS, "Delayed-ACK timeout, ATO (tcpi_ato)."),
    distribution("send_mss_bytes", Bytes, raw(&tcp_info::SND_MSS), SIZES, "MSS for sending (tcpi_snd_mss)."),
    distribution("receive_mss_bytes", Bytes, raw(&tcp_info::RCV_MSS), SIZES, "Estimate of the peer's MSS (tcpi_rcv_mss)."),
    distribution("advertised_mss_bytes", Bytes, raw(&tcp_info::ADVMSS), SIZES, "MSS advertised to the peer (tcpi_advmss)."),
    distribution("path_mtu_bytes", Bytes, raw(&tcp_info::PMTU), SIZES, "Path MTU (tcpi_pmtu)."),
    distribution("congestion_window", None, raw(&tcp_info::SND_CWND), COUNTS, "Congestion window in segments (tcpi_snd_cwnd)."),
    distribution("slow_start_threshold", None, raw(&tcp_info::SND_SSTHRESH), COUNTS, "Slow-start threshold in segments, absent while there is none (tcpi_snd_ssthresh)."),
    distribution("reordering", None, raw(&tcp_info::REORDERING), COUNTS, "Reordering in segments that the sender tolerates before it presumes a loss (tcpi_reordering)."),
    distribution("receive_space_bytes", Bytes, raw(&tcp_info::RCV_SPACE), BYTES, "Bytes read per RTT, by which the kernel sizes the receive buffer (tcpi_rcv_space)."),
    distribution("receive_window_clamp_bytes", Bytes, raw(&tcp_info::RCV_SSTHRESH), BYTES, "Limit of the receive window (tcpi_rcv_ssthresh)."),
    distribution("send_window_bytes", Bytes, raw(&tcp_info::SND_WND), BYTES, "Send window, as the peer advertises it (tcpi_snd_wnd)."),
    distribution("receive_window_bytes", Bytes, raw(&tcp_info::RCV_WND), BYTES, "Receive window, as this end advertises it (tcpi_rcv_wnd)."),
    distribution("send_window_scale", None, raw(&tcp_info::SND_WSCALE), SHIFTS, "Window scale of the peer, a power of two (tcpi_snd_wscale)."),
    distribution("receive_window_scale", None, raw(&tcp_info::RCV_WSCALE), SHIFTS, "Window scale of this end, a power of two (tcpi_rcv_wscale)."),
    distribution("pacing_rate_bytes_per_second", BytesPerSecond, raw(&tcp_info::PACING_RATE), RATES, "Pacing rate, absent if unlimited (tcpi_pacing_rate)."),
    distribution("max_pacing_rate_bytes_per_second", BytesPerSecond, raw(&tcp_info::MAX_PACING_RATE), RATES, "Limit of the pacing rate (SO_MAX_PACING_RATE), absent if unlimited (tcpi_max_pacing_rate)."),
    distribution("delivery_rate_bytes_per_second", BytesPerSecond, raw(&tcp_info::DELIVERY_RATE), RATES, "Latest delivery rate (tcpi_delivery_rate)."),
    distribution("last_data_sent_age_seconds", Seconds, age(&tcp_info::LAST_DATA_SENT), AGES, "Time since data was last sent, or since the handshake (tcpi_last_data_sent)."),
    distribution("last_data_received_age_seconds", Seconds, age(&tcp_info::LAST_DATA_RECV), AGES, "Time since data was last received, or since the handshake (tcpi_last_data_recv)."),
    distribution("last_ack_received_age_seconds", Seconds, age(&tcp_info::LAST_ACK_RECV), AGES, "Time since an acknowledgement was last received (tcpi_last_ack_recv)."),
    distribution("timer_remaining_seconds", Seconds, millis(&inet::EXPIRES), TIMEOUTS, "Time until the socket's timer expires, absent without one (idiag_expires)."),
    distribution("timer_retries", None, raw(&inet::RETRANS), COUNTS, "Retransmissions or probes without an answer so far, absent without a timer (idiag_retrans)."),
    distribution("bbr_bandwidth_bytes_per_second", BytesPerSecond, raw(&cc_info::BBR_BW), RATES, "Bandwidth of the path as BBR estimates it (bbr_bw)."),
    distribution("bbr_min_rtt_seconds", Seconds, micros(&cc_info::BBR_MIN_RTT), TIMES, "Minimum RTT as BBR estimates it (bbr_min_rtt)."),
    distribution("bbr_pacing_gain", None, raw(&cc_info::BBR_PACING_GAIN).per(256), GAINS, "Pacing gain of BBR, a multiple of the bandwidth (bbr_pacing_gain)."),
    distribution("bbr_congestion_window_gain", None, raw(&cc_info::BBR_CWND_GAIN).per(256), GAINS, "Congestion-window gain of BBR, a multiple of the bandwidth-delay product (bbr_cwnd_gain)."),
    distribution("dctcp_alpha_ratio", None, raw(&cc_info::DCTCP_ALPHA).per(1024), SHARES, "Smoothed share of ECN-marked bytes as DCTCP estimates it, absent while Reno acts instead (dctcp_alpha)."),
    distribution("vegas_rtt_seconds", Seconds, micros(&cc_info::TCPV_RTT), TIMES, "Base RTT of Vegas and YeAH, mean RTT of this round of Illinois (tcpv_rtt)."),
    distribution("primary_path_rtt_seconds", Seconds, millis(&sctp::SRTT), TIMES, "Smoothed RTT of the primary path of an SCTP association (sctpi_p_srtt)."),
    distribution("primary_path_retransmission_timeout_seconds", Seconds, millis(&sctp::RTO), TIMEOUTS, "Retransmission timeout of the primary path of an SCTP association (sctpi_p_rto)."),
    distribution("primary_path_congestion_window_bytes", Bytes, raw(&sctp::CWND), BYTES, "Congestion window of the primary path of an SCTP association (sctpi_p_cwnd)."),
    distribution("vegas_min_rtt_seconds", Seconds, micros(&cc_info::TCPV_MINRTT), TIMES, "Minimum RTT of this round of Vegas and YeAH, of all rounds of Illinois (tcpv_minrtt)."),

    // Of MPTCP, the bytes of the application: what its subflows sent is in the table of TCP, by the same names.
    counter("sent_bytes_total", Bytes, raw(&mptcp::BYTES_SENT), "Payload bytes that an MPTCP connection sent, each once (mptcpi_bytes_sent).").of_connections(),
    counter("received_bytes_total", Bytes, raw(&mptcp::BYTES_RECEIVED), "Payload bytes that an MPTCP connection received, each once (mptcpi_bytes_received).").of_connections(),
    counter("acked_bytes_total", Bytes, raw(&mptcp::BYTES_ACKED), "Payload bytes of an MPTCP connection that the peer acknowledged (mptcpi_bytes_acked)."),
    counter("retransmitted_bytes_total", Bytes, raw(&mptcp::BYTES_RETRANS), "Payload bytes that an MPTCP connection retransmitted on another subflow (mptcpi_bytes_retrans).").of_connections(),
    counter("retransmissions_total", None, raw(&mptcp::RETRANSMITS), "Retransmissions of an MPTCP connection on another subflow (mptcpi_retransmits)."),
    gauge("subflows", None, or_one_more(&mptcp::SUBFLOWS_TOTAL, &mptcp::SUBFLOWS), "Subflows of MPTCP connections, the first ones included; before Linux 6.8 one more than have joined (mptcpi_subflows, mptcpi_subflows_total).").of_connections(),
    gauge("joined_subflows", None, raw(&mptcp::SUBFLOWS), "Subflows that joined the first ones of MPTCP connections (mptcpi_subflows)."),
    gauge("addresses_announced", None, raw(&mptcp::ADD_ADDR_SIGNAL), "Addresses that this end announced to the peer (mptcpi_add_addr_signal)."),
    gauge("addresses_accepted", None, raw(&mptcp::ADD_ADDR_ACCEPTED), "Addresses of the peer that this end accepted (mptcpi_add_addr_accepted)."),
    gauge("fallback_sockets", None, when(&mptcp::FLAGS, Has(1)), "MPTCP connections that fell back to TCP (mptcpi_flags).").of_connections(),
    gauge("checksum_sockets", None, when(&mptcp::CSUM_ENABLED, Positive), "MPTCP connections that check their data by sums (mptcpi_csum_enabled)."),
    distribution("last_data_sent_age_seconds", Seconds, age(&mptcp::LAST_DATA_SENT), AGES, "Time since an MPTCP connection last sent data (mptcpi_last_data_sent)."),
    distribution("last_data_received_age_seconds", Seconds, age(&mptcp::LAST_DATA_RECV), AGES, "Time since an MPTCP connection last received data (mptcpi_last_data_recv)."),
    distribution("last_ack_received_age_seconds", Seconds, age(&mptcp::LAST_ACK_RECV), AGES, "Time since an MPTCP connection last received an acknowledgement (mptcpi_last_ack_recv)."),
];

/// The fields of `struct tcp_info`, `struct mptcp_info` and `struct inet_diag_sockopt` that no metric reads, each with the reason.
#[rustfmt::skip]
pub const OMITTED: &[(&Field, &str)] = &[
    (&tcp_info::STATE, "It is the label `state`."),
    (&tcp_info::FACKETS, "It is always 0 since Linux 4.15."),
    (&tcp_info::LAST_ACK_SENT, "It is always 0, because the kernel does not remember it."),
    (&tcp_info::DELIVERED_E1_BYTES, WRAPS),
    (&tcp_info::DELIVERED_E0_BYTES, WRAPS),
    (&tcp_info::DELIVERED_CE_BYTES, WRAPS),
    (&tcp_info::RECEIVED_E1_BYTES, WRAPS),
    (&tcp_info::RECEIVED_E0_BYTES, WRAPS),
    (&tcp_info::RECEIVED_CE_BYTES, WRAPS),
    (&tcp_info::ACCECN_FAIL_MODE, REUSED),
    (&tcp_info::ACCECN_OPT_SEEN, REUSED),
    (&mptcp::TOKEN, "It identifies one connection."),
    (&sockopt::IS_ICSK, "It is the same for all sockets of a protocol."),
];

const WRAPS: &str = "It counts bytes in 32 bits, which a fast connection wraps in seconds.";
const REUSED: &str = "Linux 7.0 gave its bytes another meaning.";

const fn counter(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Metric {
    metric(Kind::Counter, name, unit, source, &[], help)
}

const fn gauge(name: &'static str, unit: Unit, source: Source, help: &'static str) -> Metric {
    let bounds = if matches!(unit, Bytes) { BYTES } else { COUNTS };
    metric(Kind::Gauge, name, unit, source, bounds, help)
}

const fn distribution(
    name: &'static str,
    unit: Unit,
    source: Source,
    bounds: &'static [f64],
    help: &'static str,
) -> Metric {
    metric(Kind::Distribution, name, unit, source, bounds, help)
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
