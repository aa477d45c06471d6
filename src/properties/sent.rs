//! What the packets that a socket sends carry, and the timer that sends them again.

use super::read::{TIMERS, timer};
use super::{Line, Listed, Needs, Operand, Read};
use sockdiag::{Attribute, inet};

pub(super) const MARK: Line = Line::changing(
    "mark",
    Read::Bits(|facts| facts.socket.mark()),
    "The socket's mark in hexadecimal (`INET_DIAG_MARK`); `unknown` without CAP_NET_ADMIN.",
)
.of(|protocol| protocol.has(Attribute::Mark))
.needs(Needs::MARKS)
.selected(
    &["fwmark"],
    Operand::Bits("a mark such as 0x1, or 0x1/0x3 for the bits that count"),
    "fwmark = 0x01/0x03",
    "by mark, compared in the bits of the mask; the kernel reports marks only with `CAP_NET_ADMIN`",
);

pub(super) const TOS: Line = Line::changing(
        "tos",
        Read::Bits(|facts| facts.socket.tos().map(u32::from)),
        "The type of service or traffic class of the packets that the socket sends, in hexadecimal (`INET_DIAG_TOS`, `INET_DIAG_TCLASS`); `unknown` for a connection that only its close event shows, and in TIME_WAIT.",
    )
    .needs(Needs::TOS)
    .listed(Listed::InDetail)
    .selected(
        &["tos"],
        Operand::Bits("a type of service such as 0x10, or 0xb8/0xfc for the bits that count"),
        "tos = 0x10  tos = 0xb8/0xfc",
        "by type of service or traffic class, compared in the bits of the mask: `0xfc` is the DSCP",
    );

pub(super) const CLASS_ID: Line = Line::changing(
        "class_id",
        Read::Bits(|facts| facts.socket.class_id()),
        "The class of the packets that the socket sends, by `net_cls`, or their priority without one, in hexadecimal (`INET_DIAG_CLASS_ID`); `unknown` as for `tos`.",
    )
    .needs(Needs::CLASS_ID)
    .listed(Listed::InDetail)
    .selected(
        &["class_id"],
        Operand::Bits("a class such as 0x100001, or 0x100000/0xffff0000 for the bits that count"),
        "class_id = 0x100001",
        "by class or priority, compared in the bits of the mask",
    );

pub(super) const TIMER: Line = Line::changing(
        "timer",
        Read::Text(timer),
        "The timer that runs, as `ss -o` names it: `off`, `on` (retransmission), `keepalive`, `timewait`, `persist` (zero-window probe) or `delack` (`idiag_timer`); `unknown` for a connection that only its close event shows.",
    )
    .of(|protocol| protocol.has_field(&inet::TIMER))
    .listed(Listed::InDetail)
    .selected(
        &["timer"],
        Operand::Text(|word| TIMERS.contains(&word), "off, on, keepalive, timewait, persist or delack"),
        "timer = persist  not timer = off",
        "by the timer that runs",
    );
