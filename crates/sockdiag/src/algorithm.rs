//! What a congestion control algorithm tells of itself: `union tcp_cc_info` (`include/uapi/linux/inet_diag.h`).
//!
//! Which member it is, the attribute's type says. Refuses to know the algorithm's name: several
//! share a member.

use super::layout::NoneValue::{AtLeast, Never, Zero, ZeroOrAtLeast};
use super::layout::Width::{LowHigh, U16, U32};
use super::layout::fields;

/// `INET_DIAG_VEGASINFO`
const VEGAS: u16 = 3;
/// `INET_DIAG_DCTCPINFO`
const DCTCP: u16 = 9;
/// `INET_DIAG_BBRINFO`
const BBR: u16 = 16;

fields! {
    /// A field of a member of `union tcp_cc_info`.
    AlgorithmField "";
    VegasEnabled tcpv_enabled @ 0 U32, "2.6.14", Never, "Vegas: 1 unless a loss has suspended it.";
    VegasRttCount tcpv_rttcnt @ 4 U32, "2.6.14", Never, "Vegas: samples in this round trip.";
    VegasRtt tcpv_rtt @ 8 U32, "2.6.14", ZeroOrAtLeast(0x7fff_ffff), "Vegas: round-trip time of the empty path; Illinois: of this round on average; microseconds.";
    VegasMinRtt tcpv_minrtt @ 12 U32, "2.6.14", ZeroOrAtLeast(0x7fff_ffff), "Vegas: least round-trip time of this round; Illinois: ever; microseconds.";
    DctcpEnabled dctcp_enabled @ 0 U16, "3.18", Never, "DCTCP: 0 if the peer cannot ECN, and Reno acts instead.";
    DctcpCeState dctcp_ce_state @ 2 U16, "3.18", Never, "DCTCP: 1 if the last packet carried a congestion mark.";
    DctcpAlpha dctcp_alpha @ 4 U32, "3.18", Never, "DCTCP: share of marked bytes, smoothed, in 1024ths.";
    DctcpMarkedBytes dctcp_ab_ecn @ 8 U32, "3.18", Never, "DCTCP: marked bytes in this round trip.";
    DctcpBytes dctcp_ab_tot @ 12 U32, "3.18", Never, "DCTCP: bytes in this round trip.";
    BbrBandwidth bbr_bw @ 0 LowHigh, "4.9", Zero, "BBR: bandwidth of the path, bytes per second.";
    BbrMinRtt bbr_min_rtt @ 8 U32, "4.9", AtLeast(0xffff_ffff), "BBR: least round-trip time lately, microseconds.";
    BbrPacingGain bbr_pacing_gain @ 12 U32, "4.9", Zero, "BBR: pacing rate by bandwidth, in 256ths.";
    BbrCwndGain bbr_cwnd_gain @ 16 U32, "4.9", Zero, "BBR: window by bandwidth-delay product, in 256ths.";
}

impl AlgorithmField {
    const fn attribute(self) -> u16 {
        match self {
            Self::VegasEnabled | Self::VegasRttCount | Self::VegasRtt | Self::VegasMinRtt => VEGAS,
            Self::DctcpEnabled
            | Self::DctcpCeState
            | Self::DctcpAlpha
            | Self::DctcpMarkedBytes
            | Self::DctcpBytes => DCTCP,
            Self::BbrBandwidth | Self::BbrMinRtt | Self::BbrPacingGain | Self::BbrCwndGain => BBR,
        }
    }
}

/// The payload of one of the algorithms' attributes, of whatever length the kernel sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Algorithm<'a> {
    attribute: u16,
    payload: &'a [u8],
}

impl<'a> Algorithm<'a> {
    /// Wraps an attribute, if it is an algorithm's.
    #[inline]
    pub(super) const fn new(attribute: u16, payload: &'a [u8]) -> Option<Self> {
        match attribute {
            VEGAS | DCTCP | BBR => Some(Self { attribute, payload }),
            _ => None,
        }
    }

    /// The field's value, if this algorithm has the field and its value is one.
    pub(super) fn get(self, field: AlgorithmField) -> Option<u64> {
        if field.attribute() != self.attribute {
            return None;
        }
        let enabled = AlgorithmField::DctcpEnabled;
        // One that does not act writes zeros, which would read as "nothing was marked".
        let idle = self.attribute == DCTCP && enabled.layout().read(self.payload) == Some(0);
        if idle && field != enabled {
            return None;
        }
        field.layout().read(self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::AlgorithmField as Field;
    use super::*;

    fn words(words: &[u32]) -> Vec<u8> {
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn dctcp(enabled: u16, alpha: u32) -> Vec<u8> {
        let halves = [enabled, 1].map(u16::to_ne_bytes).concat();
        [halves, words(&[alpha, 3, 4])].concat()
    }

    fn get(attribute: u16, payload: &[u8], field: Field) -> Option<u64> {
        Algorithm::new(attribute, payload).expect("an algorithm").get(field)
    }

    #[test]
    fn the_fields_of_each_algorithm_follow_each_other_without_gaps() {
        for (attribute, size) in [(VEGAS, 16), (DCTCP, 16), (BBR, 20)] {
            let fields = Field::ALL.iter().filter(|field| field.attribute() == attribute);
            let end = fields.fold(0, |end, field| {
                assert_eq!(field.layout().offset, end, "{field:?} does not follow its neighbour");
                end + field.layout().width.bytes()
            });
            assert_eq!(end, size, "the size of the member of attribute {attribute}");
        }
    }

    #[test]
    fn the_bandwidth_is_two_words_the_low_one_first() {
        let payload = words(&[5, 1, 300, 739, 512]);
        assert_eq!(get(BBR, &payload, Field::BbrBandwidth), Some((1 << 32) + 5));
        assert_eq!(get(BBR, &payload, Field::BbrMinRtt), Some(300));
        assert_eq!(get(BBR, &payload, Field::BbrPacingGain), Some(739));
        assert_eq!(get(BBR, &payload, Field::BbrCwndGain), Some(512));
    }

    #[test]
    fn a_connection_without_a_sample_has_no_value() {
        let payload = words(&[0, 0, u32::MAX, 0, 0]);
        for field in Field::ALL.iter().filter(|field| field.attribute() == BBR) {
            assert_eq!(get(BBR, &payload, *field), None, "{field:?}");
        }
        let payload = words(&[1, 0, 0x7fff_ffff, 0]);
        assert_eq!(get(VEGAS, &payload, Field::VegasRttCount), Some(0));
        assert_eq!(get(VEGAS, &payload, Field::VegasRtt), None);
        assert_eq!(get(VEGAS, &payload, Field::VegasMinRtt), None);
    }

    #[test]
    fn dctcp_has_a_share_of_zero_only_while_it_acts() {
        assert_eq!(get(DCTCP, &dctcp(1, 0), Field::DctcpAlpha), Some(0));
        assert_eq!(get(DCTCP, &dctcp(0, 0), Field::DctcpAlpha), None);
        assert_eq!(get(DCTCP, &dctcp(0, 0), Field::DctcpEnabled), Some(0));
    }

    #[test]
    fn no_algorithm_has_the_fields_of_another() {
        assert_eq!(get(BBR, &words(&[9; 5]), Field::VegasRtt), None);
        assert_eq!(get(VEGAS, &words(&[9; 4]), Field::DctcpAlpha), None);
        assert!(Algorithm::new(4, &[]).is_none());
    }
}
