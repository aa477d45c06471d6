//! Other names of metrics: the words of `ss`, and the fields of the kernel.

use super::{METRICS, Metric};

/// Short names of metrics in lists of sockets: the words of `ss`, except `sent` and `received`.
/// `bytes_sent` of `ss` includes retransmissions. `retrans` is the second number of `ss`.
pub(crate) const WORDS: [(&str, &str); 26] = [
    ("rtt", "rtt_seconds"),
    ("rttvar", "rtt_variation_seconds"),
    ("minrtt", "min_rtt_seconds"),
    ("rto", "retransmission_timeout_seconds"),
    ("mss", "send_mss_bytes"),
    ("pmtu", "path_mtu_bytes"),
    ("cwnd", "congestion_window"),
    ("ssthresh", "slow_start_threshold"),
    ("sent", "sent_bytes_total"),
    ("received", "received_bytes_total"),
    ("bytes_acked", "acked_bytes_total"),
    ("bytes_retrans", "retransmitted_bytes_total"),
    ("retrans", "retransmitted_segments_total"),
    ("unacked", "unacknowledged_segments"),
    ("lost", "lost_segments"),
    ("notsent", "not_sent_bytes"),
    ("pacing_rate", "pacing_rate_bytes_per_second"),
    ("delivery_rate", "delivery_rate_bytes_per_second"),
    ("skmem_r", "receive_memory_bytes"),
    ("skmem_rb", "receive_buffer_bytes"),
    ("skmem_t", "send_memory_bytes"),
    ("skmem_tb", "send_buffer_bytes"),
    ("skmem_f", "forward_memory_bytes"),
    ("skmem_w", "queued_memory_bytes"),
    ("skmem_o", "option_memory_bytes"),
    ("skmem_bl", "backlog_memory_bytes"),
];

/// What stands before the fields of a structure of the kernel.
const PREFIXES: [&str; 5] = ["tcpi_", "idiag_", "mptcpi_", "sctpi_", "udiag_"];
/// Words of `ss` and names in the kernel that are neither a short name nor a field.
const OTHERS: [(&str, &str); 5] = [
    ("srtt", "rtt_seconds"),
    ("recv_q", "receive_queue_bytes"),
    ("send_q", "send_queue_bytes"),
    ("backlog", "accept_queue_limit"),
    ("drops", "dropped_packets_total"),
];

/// The metric that a word of `ss` or a field of the kernel means: `cwnd`, `bytes_sent`, `tcpi_snd_cwnd`.
pub(crate) fn meant(word: &str) -> Option<&'static Metric> {
    let bare =
        |name: &'static str| PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let field = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix)).unwrap_or(word);
    let named = WORDS.iter().chain(&OTHERS).find(|(known, _)| *known == word).map(|(_, name)| *name);
    let is_meant = |metric: &&Metric| match named {
        Some(name) => metric.name == name,
        None => metric.source.fields().next().is_some_and(|of| bare(of.name) == field),
    };
    METRICS.iter().find(is_meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_ss_and_the_fields_of_the_kernel_mean_metrics() {
        for (word, metric) in [
            ("rtt", "rtt_seconds"),
            ("cwnd", "congestion_window"),
            ("snd_cwnd", "congestion_window"),
            ("tcpi_snd_cwnd", "congestion_window"),
            ("bytes_sent", "sent_bytes_total"),
            ("bytes_received", "received_bytes_total"),
            ("retrans", "retransmitted_segments_total"),
            ("segs_out", "sent_segments_total"),
            ("min_rtt", "min_rtt_seconds"),
            ("rwnd_limited", "receive_window_limited_seconds_total"),
            ("skmem_rb", "receive_buffer_bytes"),
        ] {
            assert_eq!(meant(word).map(|metric| metric.name), Some(metric), "{word}");
        }
        assert_eq!(meant("nonsense"), None);
        for (_, name) in WORDS.iter().chain(&OTHERS) {
            assert!(METRICS.iter().any(|metric| metric.name == *name), "{name}");
        }
    }
}
