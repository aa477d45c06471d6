//! Network namespaces: how many there are, and how many could not be collected.

use super::Families;
use crate::exposition::Type;

/// What there is to say of network namespaces.
#[derive(Clone, Copy, Debug, Default)]
pub struct NetnsReport {
    /// Those that were found, the own one counted.
    pub seen: usize,
    /// Those without a socket, in which nothing was dumped.
    pub empty: usize,
    /// Those that could not be looked at, those counted that the configuration names and nobody has.
    pub failed: usize,
    /// Those of whose closing sockets the kernel does not tell.
    pub unobserved: usize,
    /// Those with an nsid that no process, thread or file leads to.
    pub unreachable: usize,
    /// Processes whose namespace could not be read for want of permission.
    pub hidden: u64,
}

impl NetnsReport {
    pub(super) fn write(&self, out: &mut Families<'_>) {
        let rows = [
            (
                "ss_exporter_namespaces",
                "Network namespaces that the last collection found, the own one counted.",
                self.seen as u64,
            ),
            (
                "ss_exporter_namespaces_empty",
                "Network namespaces without a TCP socket, in which nothing was dumped.",
                self.empty as u64,
            ),
            (
                "ss_exporter_namespaces_failed",
                "Network namespaces that the last collection could not look at.",
                self.failed as u64,
            ),
            (
                "ss_exporter_namespaces_unobserved",
                "Network namespaces of whose closing sockets the kernel does not tell: what a connection there does after its last collection is lost.",
                self.unobserved as u64,
            ),
            (
                "ss_exporter_namespaces_unreachable",
                "Network namespaces with an nsid that no process, thread or file led to in two collections. Only sockets keep them alive, or their processes are hidden.",
                self.unreachable as u64,
            ),
            (
                "ss_exporter_namespaces_hidden_processes",
                "Processes whose network namespace could not be read for want of permission.",
                self.hidden,
            ),
        ];
        for (name, help, value) in rows {
            out.one(name, help, Type::Gauge, value);
        }
    }
}
