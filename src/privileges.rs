//! What needs which capability, what of it this thread holds, and the dropping of all others.
//!
//! Refuses to know who asks for a feature, and how it is done.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, capability_is_in_bounding_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

/// What can need a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// The owners of other users' sockets.
    Processes,
    /// The sockets of other network namespaces.
    Namespaces,
    /// The kernel's events of closing sockets in other network namespaces.
    NamespaceEvents,
    /// A buffer for events that is larger than `net.core.rmem_max` allows; only to subscribe.
    EventBuffer,
    /// The marks of sockets.
    Marks,
    /// The upper layer protocols of sockets, before Linux 6.15.
    UpperLayerProtocols,
}

impl Feature {
    /// The word for it in metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Processes => "processes",
            Self::Namespaces => "namespaces",
            Self::NamespaceEvents => "namespace_events",
            Self::EventBuffer => "event_buffer",
            Self::Marks => "marks",
            Self::UpperLayerProtocols => "ulp",
        }
    }
}

/// In words for people.
impl fmt::Display for Feature {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Processes => "owners by process",
            Self::Namespaces => "other network namespaces",
            Self::NamespaceEvents => "close events of other network namespaces",
            Self::EventBuffer => "the event buffer",
            Self::Marks => "marks",
            Self::UpperLayerProtocols => "upper layer protocols",
        })
    }
}

/// A capability that a feature needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The feature.
    pub feature: Feature,
    /// The capability's name in capabilities(7).
    pub name: &'static str,
    /// What is lost without it, as a sentence.
    pub lost: &'static str,
    capability: CapabilitySet,
}

const fn requirement(
    feature: Feature,
    name: &'static str,
    capability: CapabilitySet,
    lost: &'static str,
) -> Requirement {
    Requirement { feature, name, lost, capability }
}

/// What needs which capability.
pub const REQUIREMENTS: [Requirement; 8] = [
    requirement(
        Feature::Processes,
        "CAP_DAC_READ_SEARCH",
        CapabilitySet::DAC_READ_SEARCH,
        "the owners of other users' sockets stay unknown: their open files cannot be listed",
    ),
    requirement(
        Feature::Processes,
        "CAP_SYS_PTRACE",
        CapabilitySet::SYS_PTRACE,
        "the owners of other users' sockets stay unknown: the links of their open files cannot be read",
    ),
    requirement(
        Feature::Namespaces,
        "CAP_SYS_ADMIN",
        CapabilitySet::SYS_ADMIN,
        "other network namespaces cannot be entered: their sockets are missing",
    ),
    requirement(
        Feature::Namespaces,
        "CAP_SYS_PTRACE",
        CapabilitySet::SYS_PTRACE,
        "network namespaces that only other users' processes are in, and that have no name, are not found",
    ),
    requirement(
        Feature::NamespaceEvents,
        "CAP_NET_BROADCAST",
        CapabilitySet::NET_BROADCAST,
        "what a connection in another network namespace does after its last collection is lost",
    ),
    requirement(
        Feature::EventBuffer,
        "CAP_NET_ADMIN",
        CapabilitySet::NET_ADMIN,
        "the kernel grants less than collect.event_buffer: twice net.core.rmem_max, which can be raised instead",
    ),
    requirement(
        Feature::Marks,
        "CAP_NET_ADMIN",
        CapabilitySet::NET_ADMIN,
        "the marks of sockets stay unknown, and a selection by mark selects nothing",
    ),
    requirement(
        Feature::UpperLayerProtocols,
        "CAP_NET_ADMIN",
        CapabilitySet::NET_ADMIN,
        "which sockets use MPTCP or kernel TLS stays unknown: before Linux 6.15 the kernel reports it to no other",
    ),
];

/// The requirements of features.
fn requirements(features: &[Feature]) -> impl Iterator<Item = Requirement> {
    REQUIREMENTS.into_iter().filter(|requirement| features.contains(&requirement.feature))
}

/// What is needed, and what of it is held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Privileges(Arc<[(Requirement, bool)]>);

/// The capabilities that a thread holds at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EffectiveCapabilities(CapabilitySet);

impl EffectiveCapabilities {
    /// This thread's effective set (capget(2)).
    #[must_use]
    pub fn now() -> Self {
        // A process that may not ask holds nothing that helps.
        Self(capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective))
    }
}

impl Privileges {
    /// What features need, and whether it is held now.
    #[must_use]
    pub fn of(features: &[Feature]) -> Self {
        Self::default().again(features)
    }

    /// What other features need: what was needed before as well is held as it was, the rest as it is now.
    #[must_use]
    pub fn again(&self, features: &[Feature]) -> Self {
        let EffectiveCapabilities(now) = EffectiveCapabilities::now();
        let held = |requirement: Requirement| {
            let before = self.0.iter().find(|(known, _)| *known == requirement);
            (requirement, before.map_or_else(|| now.contains(requirement.capability), |(_, held)| *held))
        };
        Self(requirements(features).map(held).collect())
    }

    /// Whether a feature is among what they are about.
    #[must_use]
    pub fn are_about(&self, feature: Feature) -> bool {
        self.0.iter().any(|(requirement, _)| requirement.feature == feature)
    }

    /// Whether all that a feature needs is held.
    pub(crate) fn hold(&self, feature: Feature) -> bool {
        let mut needs = self.0.iter().filter(|(requirement, _)| requirement.feature == feature);
        needs.all(|(_, held)| *held)
    }

    /// The needs that are not met and were, when this was held.
    pub fn dropped(&self, held: EffectiveCapabilities) -> impl Iterator<Item = &Requirement> {
        self.missing().filter(move |requirement| held.0.contains(requirement.capability))
    }

    /// Every need: feature, capability's name, whether it is held.
    pub(crate) fn needs(&self) -> impl Iterator<Item = (Feature, &'static str, bool)> {
        self.0.iter().map(|(requirement, held)| (requirement.feature, requirement.name, *held))
    }

    /// The needs that are not met.
    pub fn missing(&self) -> impl Iterator<Item = &Requirement> {
        self.0.iter().filter(|(_, held)| !held).map(|(requirement, _)| requirement)
    }
}

/// Makes effective in this thread what it is permitted: all that a file's capabilities give that are not effective (`=p`).
///
/// # Errors
/// What capset(2) says.
pub fn raise() -> io::Result<()> {
    let sets = capabilities(None)?;
    Ok(set_capabilities(None, CapabilitySets { effective: sets.permitted, ..sets })?)
}

/// Drops every capability of this thread that these features do not need, and gains none, for good.
///
/// Threads inherit that from the thread that makes them. The bounding set shrinks where `CAP_SETPCAP` is held.
///
/// # Errors
/// What prctl(2) or capset(2) says; what could be dropped is dropped all the same.
pub fn keep(features: &[Feature]) -> io::Result<()> {
    let kept = requirements(features).fold(CapabilitySet::empty(), |all, one| all | one.capability);
    // In this order: the bounding set needs a capability that goes after it.
    let bounded = bound(kept);
    let limited = limit(kept);
    let sealed = set_no_new_privs(true);
    Ok(bounded.and(limited).and(sealed)?)
}

fn bound(kept: CapabilitySet) -> rustix::io::Result<()> {
    if !capabilities(None)?.effective.contains(CapabilitySet::SETPCAP) {
        return Ok(());
    }
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(1 << bit);
        match capability_is_in_bounding_set(one) {
            Ok(true) if !kept.contains(one) => remove_capability_from_bounding_set(one)?,
            Ok(_) => {}
            // The kernel knows none from here on.
            Err(Errno::INVAL) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// The ambient set goes with the others: it never holds what one of them lacks (capabilities(7)).
fn limit(kept: CapabilitySet) -> rustix::io::Result<()> {
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None)?;
    set_capabilities(
        None,
        CapabilitySets {
            effective: effective & kept,
            permitted: permitted & kept,
            inheritable: inheritable & kept,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The value of a field of this thread's `/proc/thread-self/status`.
    fn status(field: &str) -> String {
        let text = std::fs::read_to_string("/proc/thread-self/status").expect("the status of this thread");
        let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        line.expect("the field").trim().to_owned()
    }

    /// Does it in a thread of its own, so that the other tests keep what they have.
    fn apart(test: impl FnOnce() + Send + 'static) {
        std::thread::spawn(test).join().expect("no panic");
    }

    #[test]
    fn where_nothing_is_needed_nothing_is_missing() {
        assert_eq!(Privileges::of(&[]), Privileges::default());
    }

    #[test]
    fn needs_are_those_of_the_features_in_the_tables_order() {
        let privileges = Privileges::of(&[Feature::Marks, Feature::Namespaces]);
        let names: Vec<_> = privileges.needs().map(|(feature, name, _)| (feature, name)).collect();
        let expected = [
            (Feature::Namespaces, "CAP_SYS_ADMIN"),
            (Feature::Namespaces, "CAP_SYS_PTRACE"),
            (Feature::Marks, "CAP_NET_ADMIN"),
        ];
        assert_eq!(names, expected);
    }

    #[test]
    fn what_is_dropped_is_missing_from_then_on() {
        apart(|| {
            keep(&[]).expect("a process may drop its own");
            for set in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
                assert_eq!(status(set), "0000000000000000", "{set}");
            }
            assert_eq!(status("NoNewPrivs"), "1");
            let privileges = Privileges::of(&[Feature::Processes, Feature::EventBuffer]);
            let missing: Vec<_> = privileges.missing().map(|requirement| requirement.name).collect();
            assert_eq!(missing, ["CAP_DAC_READ_SEARCH", "CAP_SYS_PTRACE", "CAP_NET_ADMIN"]);
        });
    }

    #[test]
    fn what_was_held_at_the_start_and_is_needed_too_late_is_dropped_and_what_is_needed_still_is_not() {
        apart(|| {
            let (start, before) = (EffectiveCapabilities::now(), Privileges::of(&[Feature::EventBuffer]));
            keep(&[]).expect("a process may drop its own");
            let after = before.again(&[Feature::Processes, Feature::EventBuffer]);
            let had = |requirement: &&Requirement| start.0.contains(requirement.capability);
            let needed = requirements(&[Feature::Processes]).collect::<Vec<_>>();
            let expected: Vec<_> = needed.iter().filter(had).collect();
            assert_eq!(after.dropped(start).collect::<Vec<_>>(), expected);
            assert!(after.are_about(Feature::EventBuffer) && !before.are_about(Feature::Processes));
            let buffer = |privileges: &Privileges| privileges.needs().find(|need| need.1 == "CAP_NET_ADMIN");
            assert_eq!(buffer(&after), buffer(&before), "it was of use before it was dropped");
        });
    }

    #[test]
    fn what_is_permitted_becomes_effective() {
        apart(|| {
            let sets = capabilities(None).expect("this thread's");
            let none = CapabilitySets { effective: CapabilitySet::empty(), ..sets };
            set_capabilities(None, none).expect("a process may drop its own");
            raise().expect("a process may raise what is permitted");
            assert_eq!(status("CapEff"), status("CapPrm"));
        });
    }

    #[test]
    fn what_is_kept_stays_as_it_was_and_nothing_is_gained() {
        apart(|| {
            let before = Privileges::of(&[Feature::Processes]);
            keep(&[Feature::Processes]).expect("a process may drop its own");
            assert_eq!(Privileges::of(&[Feature::Processes]), before);
            keep(&[]).expect("a process may drop its own");
            keep(&[Feature::Processes]).expect("a process may drop its own");
            assert!(Privileges::of(&[Feature::Processes]).needs().all(|(_, _, held)| !held));
        });
    }
}
