//! `INET_DIAG_SOCKOPT`: the options of a socket, a bit each (`struct inet_diag_sockopt`, `include/uapi/linux/inet_diag.h`).

use super::field::NoneValue::Never;
use super::field::Width::Bits;
use super::field::fields;

fields! {
    /// Every bit of `struct inet_diag_sockopt`.
    ALL = Options;
    RECVERR "recverr" @ 0 Bits { shift: 0, count: 1 }, "5.10", Never, "`IP_RECVERR`: errors of packets are queued for the process.";
    IS_ICSK "is_icsk" @ 0 Bits { shift: 1, count: 1 }, "5.10", Never, "A protocol with connections.";
    FREEBIND "freebind" @ 0 Bits { shift: 2, count: 1 }, "5.10", Never, "`IP_FREEBIND`: the address may be none of this host.";
    HDRINCL "hdrincl" @ 0 Bits { shift: 3, count: 1 }, "5.10", Never, "`IP_HDRINCL`: the process writes IP headers.";
    MC_LOOP "mc_loop" @ 0 Bits { shift: 4, count: 1 }, "5.10", Never, "`IP_MULTICAST_LOOP`: this host receives its own multicast.";
    TRANSPARENT "transparent" @ 0 Bits { shift: 5, count: 1 }, "5.10", Never, "`IP_TRANSPARENT`: the socket takes packets to any address.";
    MC_ALL "mc_all" @ 0 Bits { shift: 6, count: 1 }, "5.10", Never, "`IP_MULTICAST_ALL`: packets to every group that the host has joined.";
    NODEFRAG "nodefrag" @ 0 Bits { shift: 7, count: 1 }, "5.10", Never, "`IP_NODEFRAG`: fragments that leave stay fragments.";
    BIND_ADDRESS_NO_PORT "bind_address_no_port" @ 1 Bits { shift: 0, count: 1 }, "5.10", Never, "`IP_BIND_ADDRESS_NO_PORT`: connect chooses the port, not bind.";
    RECVERR_RFC4884 "recverr_rfc4884" @ 1 Bits { shift: 1, count: 1 }, "5.10", Never, "`IP_RECVERR_RFC4884`: extensions of ICMP errors are queued too.";
    DEFER_CONNECT "defer_connect" @ 1 Bits { shift: 2, count: 1 }, "5.10", Never, "`TCP_FASTOPEN_CONNECT`: connect waits for the first data.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_is_a_bit_of_its_own() {
        let set = |payload: &[u8]| -> Vec<_> {
            ALL.iter().filter(|field| field.read(payload) == Some(1)).map(|field| field.name).collect()
        };
        // What Linux 6.18 sends of a TCP socket with `IP_TRANSPARENT`, `IP_FREEBIND` and `IP_BIND_ADDRESS_NO_PORT`.
        let expected = ["is_icsk", "freebind", "mc_loop", "transparent", "mc_all", "bind_address_no_port"];
        assert_eq!(set(&[0b0111_0110, 1]), expected);
        let bits = (0..16_u32).map(|bit| (1_u16 << bit).to_le_bytes());
        assert_eq!(bits.filter(|bits| !set(bits).is_empty()).count(), ALL.len());
        assert_eq!(RECVERR_RFC4884.read(&[0xff]), None, "a kernel that sends one byte");
    }
}
