//! What a congestion control algorithm reports of itself: `union tcp_cc_info` (`include/uapi/linux/inet_diag.h`).
//!
//! The attribute says which member of the union it is. Several algorithms share a member.

use super::field::NoneValue::{self, AtLeast, Never, WhileZero, Zero, ZeroOrAtLeast};
use super::field::Width::{LowHigh, U16, U32};
use super::field::fields;

/// DCTCP writes zeros while Reno acts instead (`dctcp_enabled` 0), which would read as "nothing was marked".
const IDLE: NoneValue = WhileZero(0);

fields! {
    /// `struct tcpvegas_info`, of Vegas, Westwood, `YeAH` and Illinois.
    VEGAS = Vegas;
    TCPV_ENABLED "tcpv_enabled" @ 0 U32, "2.6.14", Never, "Vegas: 1 unless a loss has suspended it.";
    TCPV_RTTCNT "tcpv_rttcnt" @ 4 U32, "2.6.14", Never, "Vegas: samples in this round trip.";
    TCPV_RTT "tcpv_rtt" @ 8 U32, "2.6.14", ZeroOrAtLeast(0x7fff_ffff), "Vegas: round-trip time of the empty path; Illinois: of this round on average; microseconds.";
    TCPV_MINRTT "tcpv_minrtt" @ 12 U32, "2.6.14", ZeroOrAtLeast(0x7fff_ffff), "Vegas: minimum round-trip time of this round; Illinois: ever; microseconds.";
}

fields! {
    /// `struct tcp_dctcp_info`.
    DCTCP = Dctcp;
    DCTCP_ENABLED "dctcp_enabled" @ 0 U16, "3.18", Never, "DCTCP: 0 if the peer cannot ECN, and Reno acts instead.";
    DCTCP_CE_STATE "dctcp_ce_state" @ 2 U16, "3.18", IDLE, "DCTCP: 1 if the last packet carried a congestion mark.";
    DCTCP_ALPHA "dctcp_alpha" @ 4 U32, "3.18", IDLE, "DCTCP: share of marked bytes, smoothed, in 1024ths.";
    DCTCP_AB_ECN "dctcp_ab_ecn" @ 8 U32, "3.18", IDLE, "DCTCP: marked bytes in this round trip.";
    DCTCP_AB_TOT "dctcp_ab_tot" @ 12 U32, "3.18", IDLE, "DCTCP: bytes in this round trip.";
}

fields! {
    /// `struct tcp_bbr_info`.
    BBR = Bbr;
    BBR_BW "bbr_bw" @ 0 LowHigh, "4.9", Zero, "BBR: bandwidth of the path, bytes per second.";
    BBR_MIN_RTT "bbr_min_rtt" @ 8 U32, "4.9", AtLeast(0xffff_ffff), "BBR: minimum round-trip time lately, microseconds.";
    BBR_PACING_GAIN "bbr_pacing_gain" @ 12 U32, "4.9", Zero, "BBR: pacing rate by bandwidth, in 256ths.";
    BBR_CWND_GAIN "bbr_cwnd_gain" @ 16 U32, "4.9", Zero, "BBR: window by bandwidth-delay product, in 256ths.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn dctcp(enabled: u16, alpha: u32) -> Vec<u8> {
        let halves = [enabled, 1].map(u16::to_ne_bytes).concat();
        [halves, words(&[alpha, 3, 4])].concat()
    }

    #[test]
    fn the_fields_of_each_algorithm_follow_each_other_without_gaps() {
        for (fields, size) in [(VEGAS, 16), (DCTCP, 16), (BBR, 20)] {
            let end = fields.iter().fold(0, |end, field| {
                assert_eq!(field.offset, end, "{field:?} does not follow its neighbour");
                field.end()
            });
            assert_eq!(end, size, "the size of the member of the union");
        }
    }

    #[test]
    fn the_bandwidth_is_two_words_the_low_one_first() {
        let payload = words(&[5, 1, 300, 739, 512]);
        assert_eq!(BBR_BW.read(&payload), Some((1 << 32) + 5));
        assert_eq!(BBR_MIN_RTT.read(&payload), Some(300));
        assert_eq!(BBR_PACING_GAIN.read(&payload), Some(739));
        assert_eq!(BBR_CWND_GAIN.read(&payload), Some(512));
    }

    #[test]
    fn a_connection_without_a_sample_has_no_value() {
        let payload = words(&[0, 0, u32::MAX, 0, 0]);
        assert!(BBR.iter().all(|field| field.read(&payload).is_none()));
        let payload = words(&[1, 0, 0x7fff_ffff, 0]);
        assert_eq!(TCPV_RTTCNT.read(&payload), Some(0));
        assert_eq!(TCPV_RTT.read(&payload), None);
        assert_eq!(TCPV_MINRTT.read(&payload), None);
    }

    #[test]
    fn dctcp_has_a_share_of_zero_only_while_it_acts() {
        assert_eq!(DCTCP_ALPHA.read(&dctcp(1, 0)), Some(0));
        assert_eq!(DCTCP_ENABLED.read(&dctcp(0, 0)), Some(0));
        for field in DCTCP.iter().filter(|field| **field != &DCTCP_ENABLED) {
            assert_eq!(field.read(&dctcp(0, 9)), None, "{field:?}");
        }
    }
}
