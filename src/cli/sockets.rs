//! The flags of the command `sockets`: those of `ss`, and those that `ss` lacks.

use clap::Args;

/// What the command `sockets` is asked for.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct SocketsArguments {
    /// Filter in the language of ss, such as dst 10.0.0.0/8 and process = nginx; quote it if it has parentheses
    #[arg(value_name = "FILTER")]
    pub filter: Vec<String>,

    /// The protocols.
    #[command(flatten)]
    pub protocols: ProtocolFlags,

    /// In which states, and with which addresses.
    #[command(flatten)]
    pub which: StateFlags,

    /// Columns, order and form of the table.
    #[command(flatten)]
    pub table: TableFlags,

    /// Add the user, the inode, the cookie and the cgroup
    #[arg(short, long)]
    pub extended: bool,

    /// Add the memory of the socket, as skmem of ss
    #[arg(short, long)]
    pub memory: bool,

    /// Add the timer that runs
    #[arg(short, long)]
    pub options: bool,

    /// Print JSON, with all labels and metrics of each socket
    #[arg(long)]
    pub json: bool,

    /// Print again every so many seconds, until it is interrupted
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub watch: Option<u64>,

    /// Flags without an effect.
    #[command(flatten)]
    pub as_in_ss: AsInSs,
}

/// Columns, order and form of the table.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct TableFlags {
    /// Columns to print, separated by commas: names of labels and metrics, `local`, `remote`, `recv_q`, `send_q`, `fill`,
    /// `drops`, `netid`
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', conflicts_with = "json")]
    pub columns: Vec<String>,

    /// Sort by this column, with - in front the greatest first
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true)]
    pub sort: Option<String>,

    /// Print at most this number of lines
    #[arg(long, value_name = "N")]
    pub limit: Option<usize>,

    /// Print one line for all sockets with the same value of this label, such as process or user
    #[arg(long, value_name = "LABEL", conflicts_with = "json")]
    pub group_by: Option<String>,

    /// Print numbers in thousands (k), millions (M) and billions (G)
    #[arg(long, conflicts_with = "json")]
    pub human: bool,

    /// Leave out the line of titles
    #[arg(short = 'H', long)]
    pub no_header: bool,
}

/// The flags for protocols. Without one, the filter decides, or else TCP is meant.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct ProtocolFlags {
    /// TCP sockets, the default
    #[arg(short, long)]
    tcp: bool,

    /// UDP sockets
    #[arg(short, long)]
    udp: bool,

    /// Unix sockets
    #[arg(short = 'x', long)]
    unix: bool,

    /// Raw sockets
    #[arg(short = 'w', long)]
    raw: bool,

    /// Packet sockets
    #[arg(short = '0', long)]
    packet: bool,

    /// MPTCP sockets
    #[arg(short = 'M', long)]
    mptcp: bool,

    /// SCTP sockets
    #[arg(short = 'S', long)]
    sctp: bool,

    /// Vsock sockets
    #[arg(long)]
    vsock: bool,

    /// XDP sockets
    #[arg(long)]
    xdp: bool,

    /// TIPC sockets
    #[arg(long)]
    tipc: bool,

    /// Sockets of these protocols, separated by commas: tcp, mptcp, udp, udplite, raw, sctp, unix, packet, netlink, vsock, xdp,
    /// tipc, smc
    #[arg(short = 'A', long, visible_alias = "socket", value_name = "LIST", value_delimiter = ',')]
    query: Vec<String>,
}

impl ProtocolFlags {
    /// The names of the protocols, by the words of `ss -A`; none without a flag.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let flags = [
            (self.tcp, "tcp"),
            (self.udp, "udp"),
            (self.unix, "unix"),
            (self.raw, "raw"),
            (self.packet, "packet"),
            (self.mptcp, "mptcp"),
            (self.sctp, "sctp"),
            (self.vsock, "vsock"),
            (self.xdp, "xdp"),
            (self.tipc, "tipc"),
        ];
        let set = flags.into_iter().filter_map(|(is_set, name)| is_set.then_some(name));
        set.chain(self.query.iter().map(String::as_str))
    }
}

/// The sockets of a protocol.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct StateFlags {
    /// Include listeners and the states that ss leaves out
    #[arg(short, long)]
    pub all: bool,

    /// Only listeners, and sockets that receive without a connection
    #[arg(short, long, conflicts_with = "all")]
    pub listening: bool,

    /// Only sockets with IPv4 addresses
    #[arg(short = '4', long, conflicts_with = "ipv6")]
    ipv4: bool,

    /// Only sockets with IPv6 addresses
    #[arg(short = '6', long)]
    ipv6: bool,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IpFamily {
    /// IPv4, also over an IPv6 socket.
    V4,
    /// IPv6.
    V6,
}

impl StateFlags {
    /// The only address family; `None` for both.
    #[must_use]
    pub fn family(&self) -> Option<IpFamily> {
        match (self.ipv4, self.ipv6) {
            (true, _) => Some(IpFamily::V4),
            (_, true) => Some(IpFamily::V6),
            _ => None,
        }
    }
}

/// Flags of `ss` for what is printed anyway.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub struct AsInSs {
    /// As in ss; addresses and ports are always numbers
    #[arg(short, long)]
    numeric: bool,

    /// As in ss; processes are always shown
    #[arg(short, long)]
    processes: bool,

    /// As in ss; the figures of connections are always shown
    #[arg(short, long)]
    info: bool,

    /// As in ss; a socket is always one line
    #[arg(short = 'O', long)]
    oneline: bool,
}
