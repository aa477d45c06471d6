//! Every spelling of the predecessor's keys, of both dialects and their documents.

use crate::strict_yaml::Name;

pub(super) const ACTIVE: Name = &["active"];
pub(super) const ADDRESSES: Name = &["addresses", "ips"];
pub(super) const BUCKET_BOUNDS: Name = &["bucket_bounds", "bucketBounds"];
pub(super) const CMDS: Name = &["cmds"];
pub(super) const CNFG: Name = &["cnfg"];
pub(super) const COMPRESSION: Name = &["compression"];
pub(super) const COUNTERS: Name = &["counters"];
pub(super) const CWND: Name = &["cwnd"];
pub(super) const DATA_SEGS_IN: Name = &["data_segs_in", "dataSegsIn"];
pub(super) const DATA_SEGS_OUT: Name = &["data_segs_out", "dataSegsOut"];
pub(super) const DELIVERY_RATE: Name = &["delivery_rate", "deliveryRate"];
pub(super) const EXCLUDE: Name = &["exclude"];
pub(super) const FLOW_LABEL: Name = &["flow_label"];
pub(super) const GAUGES: Name = &["gauges"];
pub(super) const HISTOGRAMS: Name = &["histograms"];
pub(super) const HOSTS: Name = &["hosts"];
pub(super) const INCLUDE: Name = &["include"];
pub(super) const LABEL_FOLDING: Name = &["label_folding", "labelFolding"];
pub(super) const LATENCY: Name = &["latency", "rtt"];
pub(super) const LOGIC: Name = &["logic"];
pub(super) const LOWER: Name = &["lower"];
pub(super) const MAX_FLOWS: Name = &["max_flows", "maxFlows"];
pub(super) const METRICS: Name = &["metrics"];
pub(super) const NETWORKS: Name = &["networks"];
pub(super) const NODES: Name = &["nodes", "peers"];
pub(super) const ORIGIN: Name = &["origin"];
pub(super) const ORIGIN_FOLDING: Name = &["origin_folding"];
pub(super) const PEERING: Name = &["peering"];
pub(super) const PIDS: Name = &["pids"];
pub(super) const PORT_RANGES: Name = &["portranges", "portRanges", "port_ranges"];
pub(super) const PROCESS: Name = &["process"];
pub(super) const RTT: Name = &["rtt"];
pub(super) const SELECTION: Name = &["selection"];
pub(super) const STACK: Name = &["stack"];
pub(super) const UPPER: Name = &["upper"];

/// Whether the key is a spelling that only the 3.x knew.
pub(super) fn is_camel(key: &str) -> bool {
    const SPELLED_TWICE: [Name; 7] =
        [BUCKET_BOUNDS, DATA_SEGS_IN, DATA_SEGS_OUT, DELIVERY_RATE, LABEL_FOLDING, MAX_FLOWS, PORT_RANGES];
    key.contains(|letter: char| letter.is_ascii_uppercase())
        && SPELLED_TWICE.iter().any(|name| name.contains(&key))
}
