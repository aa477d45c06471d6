//! The lines of cgroups: their paths, and the units, containers and pods that these name.

use super::operand::{KernelFilter, Operand, is_container, is_pod, is_slice, is_unit};
use super::read::{cgroup_is, of_cgroup, put};
use super::{Line, Listed, Read, UNKNOWN};
use crate::attribute::Cgroup;
use sockdiag::bytecode::Filter;

/// The line `cgroup`.
pub(super) const PATH: Line = Line::of_cgroup(
    "cgroup",
    Read::Own(|facts, text| put(text, facts.cgroup().map_or(UNKNOWN, Cgroup::path)), cgroup_is),
    "The path of the cgroup in which the socket, or the listener that accepted it, was created (`INET_DIAG_CGROUP_ID`, Linux 5.8); of a socket without an internet address, the cgroup of the process that holds it.",
)
.kernel(KernelFilter::Cgroup(Filter::Cgroup))
.listed(Listed::InDetail)
.selected(
    &["cgroup"],
    Operand::Cgroup,
    "cgroup = /system.slice/nginx.service",
    "by the [cgroup](../concepts/owners.md) in which the socket was created, without the cgroups below; the path starts at the root of cgroup v2 or with `/sys/fs/cgroup`",
)
.selected(
    &["cgroup_tree"],
    Operand::CgroupTree,
    "cgroup_tree = /system.slice",
    "by cgroup, including the cgroups below",
);

/// The line `unit`.
pub(super) const UNIT: Line = Line::of_cgroup(
    "unit",
    Read::Text(|facts| of_cgroup(facts, Cgroup::unit)),
    "The systemd service or scope of the cgroup; empty without one.",
)
.listed(Listed::Always)
.selected(
    &["unit"],
    Operand::Pattern(is_unit, "a service or scope such as nginx.service"),
    "unit = nginx.service  unit = php*",
    "by the innermost systemd unit of the cgroup; for everything below, use `cgroup_tree`",
);

/// The line `slice`.
pub(super) const SLICE: Line = Line::of_cgroup(
    "slice",
    Read::Text(|facts| of_cgroup(facts, Cgroup::slice)),
    "The systemd slice of the cgroup; empty without one.",
)
.selected(
    &["slice"],
    Operand::Pattern(is_slice, "a slice such as system.slice"),
    "slice = system.slice",
    "by the innermost systemd slice of the cgroup",
);

/// The line `container_id`.
pub(super) const CONTAINER_ID: Line = Line::of_cgroup(
    "container_id",
    Read::Prefix(|facts| of_cgroup(facts, Cgroup::container_id)),
    "The container id of the cgroup, 64 hexadecimal digits; empty without a container.",
)
.listed(Listed::InDetail)
.selected(
    &["container", "container_id"],
    Operand::Text(is_container, "the first 12 to 64 hexadecimal digits of a container's id"),
    "container = 0123456789ab",
    "by container id, or at least its first 12 digits",
);

/// The line `pod_uid`.
pub(super) const POD_UID: Line = Line::of_cgroup(
    "pod_uid",
    Read::Text(|facts| of_cgroup(facts, Cgroup::pod_uid)),
    "The uid of the Kubernetes pod of the cgroup; empty without a pod.",
)
.listed(Listed::InDetail)
.selected(
    &["pod", "pod_uid"],
    Operand::Text(is_pod, "the uid of a pod, 32 hexadecimal digits with or without dashes between them"),
    "pod = 5b1c3b52-0c1e-4a44-9d5c-6f1f0f5a1b2c",
    "by the uid of the Kubernetes pod",
);
