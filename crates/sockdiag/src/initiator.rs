//! Which end opened a connection: the end whose SYN the kernel's counters contain.
//!
//! A SYN and a FIN take one sequence number each and carry no payload. `tcpi_bytes_acked` counts acknowledged sequence
//! numbers. The end that connects begins with its SYN (`net/ipv4/tcp_output.c: tcp_connect_init`), the end that accepts
//! behind it (`net/ipv4/tcp_minisocks.c: tcp_create_openreq_child`). So sequence numbers sent without payload are 1 for
//! the SYN of the end that connected, and 1 for a FIN. The fields exist since Linux 4.19.

use super::{Field, Socket, State, queues, tcp_info};

/// `TCPI_OPT_SYN_DATA`: the SYN carried payload, and the end that accepted took it (TCP Fast Open).
const SYN_DATA: u64 = 32;

impl Socket<'_> {
    /// Whether this end sent the SYN that opened the connection. After a simultaneous open both ends did.
    ///
    /// `None` if the kernel does not report it: before Linux 4.19, in `TIME_WAIT`, for a connection that `TCP_REPAIR`
    /// restored, after packets that this host dropped itself, and at some ends where a FIN and a SYN look alike.
    ///
    /// One case is wrong: the end that accepted sends its FIN with its last payload, and the peer acknowledges it, both
    /// after the kernel has read the state and before it has locked the socket.
    #[must_use]
    pub fn initiated(&self) -> Option<bool> {
        match self.state() {
            State::SynSent => return Some(true),
            State::Listen => return Some(false),
            // A request that no process has accepted yet.
            State::SynRecv if self.get(&tcp_info::STATE).is_none() => return Some(false),
            _ => {}
        }
        let sent = Sent::of(self)?;
        match sent.without_payload.wrapping_sub(sent.fins()?) {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

/// What an end has sent. The kernel reads all of it under the socket's lock, but the state and the send queue before.
struct Sent {
    state: State,
    /// Sequence numbers that carried no payload: SYN and FIN.
    without_payload: u64,
    /// Sequence numbers that wait to be sent, those of a FIN included.
    waiting: u64,
    /// Sequence numbers that are not acknowledged yet.
    in_flight: u64,
    /// Segments with payload.
    segments: u64,
    /// Packets without payload: one for the handshake, and a FIN that was sent alone. `None` after retransmissions.
    bare: Option<u64>,
    /// Packets that the peer has acknowledged.
    delivered: u64,
    /// Packets that it has not acknowledged yet.
    packets: u64,
    /// The age of the last acknowledgement, in milliseconds.
    acknowledged_ago: u64,
}

impl Sent {
    fn of(socket: &Socket<'_>) -> Option<Self> {
        let get = |field: &Field| socket.get(field);
        let (sent, retransmitted) = (get(&tcp_info::BYTES_SENT)?, get(&tcp_info::BYTES_RETRANS)?);
        let (segments, delivered) = (get(&tcp_info::DATA_SEGS_OUT)?, get(&tcp_info::DELIVERED)?);
        let (waiting, packets) = (get(&tcp_info::NOTSENT_BYTES)?, get(&tcp_info::UNACKED)?);
        // Later than that of the header.
        let state = State::from_kernel(u8::try_from(get(&tcp_info::STATE)?).ok()?)?;
        let ended = socket.state() == State::Close;
        let nothing = packets == 0 && !ended;
        let in_flight = if nothing { 0 } else { get(&queues::WQUEUE)?.wrapping_sub(waiting) };
        // Every packet takes a sequence number. If there are fewer, a write came between.
        if in_flight < packets {
            return None;
        }
        // At the end the kernel has thrown away what was in flight.
        let comparable = retransmitted == 0 && !(ended && in_flight > 0);
        let sacked = get(&tcp_info::SACKED)?;
        let bare = (delivered + packets).wrapping_sub(sacked + segments) & u64::from(u32::MAX);
        let payload = sent.wrapping_sub(retransmitted);
        let without_payload = get(&tcp_info::BYTES_ACKED)?.wrapping_add(in_flight).wrapping_sub(payload);
        let bare = comparable.then_some(bare);
        let acknowledged_ago = get(&tcp_info::LAST_ACK_RECV)?;
        let all = Self {
            state,
            without_payload,
            waiting,
            in_flight,
            segments,
            bare,
            delivered,
            packets,
            acknowledged_ago,
        };
        let fast = get(&tcp_info::OPTIONS)? & SYN_DATA != 0;
        (fast || all.has_had_a_handshake()).then_some(all)
    }

    /// Whether a packet of this end opened the connection. Only a restored connection has had none.
    fn has_had_a_handshake(&self) -> bool {
        self.state == State::SynRecv || self.bare.is_none_or(|bare| (1..1 << 31).contains(&bare))
    }

    /// How many FINs this end has sent: 0 or 1.
    fn fins(&self) -> Option<u64> {
        match self.state {
            State::SynRecv => Some(0),
            State::Established | State::CloseWait => self.fins_since_the_state(),
            // The FIN is the last sequence number. It waits if anything does.
            State::FinWait1 | State::LastAck | State::Closing => Some(u64::from(self.waiting == 0)),
            State::FinWait2 => Some(1),
            State::Close => self.fins_at_end(),
            // Those of other protocols too, of which none is asked.
            _ => None,
        }
    }

    /// The same in a state without a FIN, which may have been sent after the state was read.
    fn fins_since_the_state(&self) -> Option<u64> {
        /// The kernel counts time in ticks of up to 10 ms.
        const TICK: u64 = 10;
        let now = self.packets > 0 || self.acknowledged_ago <= TICK;
        match (self.without_payload, self.bare) {
            (2, _) => Some(1),
            // A FIN just now, or the second packet of a simultaneous open.
            (1, Some(2..)) if now => None,
            _ => Some(0),
        }
    }

    /// The same where the state does not say how the connection ended.
    fn fins_at_end(&self) -> Option<u64> {
        match (self.without_payload, self.bare) {
            (0, _) => Some(0),
            (2, _) => Some(1),
            _ if self.waiting > 0 => Some(0),
            // SYN or SYN-ACK, and a FIN.
            (_, Some(2..)) => Some(1),
            // Nothing answered the SYN, or else the FIN.
            _ if self.segments == 0 && self.in_flight == 1 => Some(self.delivered.min(1)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
