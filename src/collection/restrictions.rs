//! Which restrictions hide owners in a collection, and their warnings with the command that helps.

use std::path::Path;

use super::attribution::Attribution;
use crate::attribute::{Confinement, Restriction, hidden_by, profile};
use crate::plan::Plan;
use crate::privileges::{Feature, Privileges};
use crate::properties::Needs;

/// What is known of restrictions since the start.
#[derive(Debug, Default)]
pub(super) struct Restrictions {
    confinement: Option<Confinement>,
    /// What was logged last of each restriction: the facts that change seldom.
    logged: Vec<(Restriction, String)>,
}

/// A restriction that hides something now.
struct Found {
    restriction: Restriction,
    /// How many processes it concerns, where that is known.
    processes: Option<u64>,
    /// Sockets whose owners it hides.
    sockets: u64,
    /// Why, in the kernel's words.
    fact: String,
    hint: &'static str,
}

impl Restrictions {
    /// Judges a collection; of each restriction that the plan can meet, whether it hides something. Each is logged once,
    /// and again if its cause changes.
    pub(super) fn judge(
        &mut self,
        plan: &Plan,
        attribution: &Attribution,
        privileges: &Privileges,
        alone: bool,
        proc: &Path,
    ) -> Vec<(&'static str, bool)> {
        if privileges.are_about(Feature::Processes) != plan.needs.has(Needs::PROCESSES) {
            return Vec::new();
        }
        let confinement = *self.confinement.get_or_insert_with(|| Confinement::read(proc));
        let mut found = Vec::new();
        if plan.needs.has(Needs::PROCESSES) {
            found.extend(processes(
                attribution,
                alone,
                privileges.hold(Feature::Processes),
                confinement,
                proc,
            ));
        }
        found.extend(plan.needs.has(Needs::CGROUPS).then(|| cgroups(attribution)).flatten());
        for one in &found {
            self.log(one);
        }
        let relevant = Restriction::ALL.into_iter().filter(|restriction| match restriction {
            Restriction::Cgroups => plan.needs.has(Needs::CGROUPS),
            _ => plan.needs.has(Needs::PROCESSES),
        });
        let hides = |restriction| found.iter().any(|one| one.restriction == restriction);
        relevant.map(|restriction| (restriction.word(), hides(restriction))).collect()
    }

    fn log(&mut self, found: &Found) {
        let Found { restriction, processes, sockets, ref fact, hint } = *found;
        match self.logged.iter_mut().find(|(known, _)| *known == restriction) {
            Some((_, before)) if before == fact => return,
            Some((_, before)) => before.clone_from(fact),
            None => self.logged.push((restriction, fact.clone())),
        }
        tracing::warn!(processes, sockets, found = fact, hint, "{}", restriction.message());
    }
}

/// What hides the processes of sockets whose owners were not found; at most one restriction is the cause.
fn processes(
    attribution: &Attribution,
    alone: bool,
    capable: bool,
    confinement: Confinement,
    proc: &Path,
) -> Option<Found> {
    let processes = attribution.processes()?;
    let sockets = processes.unowned(alone);
    if sockets == 0 {
        return None;
    }
    if let Some(fact) = hidden_by(proc) {
        let hint = if capable {
            "mount -o remount,hidepid=off /proc"
        } else {
            "AmbientCapabilities=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH in the systemd unit; docker run --cap-add SYS_PTRACE --cap-add DAC_READ_SEARCH"
        };
        return Some(Found { restriction: Restriction::Hidepid, processes: None, sockets, fact, hint });
    }
    let unreadable = processes.unreadable;
    if unreadable == 0 {
        let hint = "docker run --pid host; hostPID: true in Kubernetes";
        let fact = "a PID namespace of its own".to_owned();
        let found = Found { restriction: Restriction::PidNamespace, processes: None, sockets, fact, hint };
        return confinement.pid.then_some(found);
    }
    // Without the capabilities, the warning about them says it.
    capable.then(|| uninspected(unreadable, sockets, confinement, proc))
}

/// Why processes cannot be inspected although the capabilities are there.
fn uninspected(processes: u64, sockets: u64, confinement: Confinement, proc: &Path) -> Found {
    let processes = Some(processes);
    if confinement.user {
        let hint = "docker run --userns host; no rootless container";
        let fact = "a user namespace of its own".to_owned();
        return Found { restriction: Restriction::UserNamespace, processes, sockets, fact, hint };
    }
    let profile = profile(proc);
    let hint = match profile.as_deref() {
        Some(context) if context.contains(':') => "docker run --security-opt label=disable",
        Some(_) => "docker run --security-opt apparmor:unconfined",
        None => "journalctl --dmesg --grep=denied",
    };
    let fact = profile.unwrap_or_else(|| "no profile of AppArmor or SELinux".to_owned());
    Found { restriction: Restriction::SecurityModule, processes, sockets, fact, hint }
}

/// Sockets of cgroups that no visible mount of cgroup v2 shows.
fn cgroups(attribution: &Attribution) -> Option<Found> {
    let (sockets, fact) = attribution.cgroups()?.hidden()?;
    let hint = "docker run --cgroupns host --volume /sys/fs/cgroup:/sys/fs/cgroup:ro";
    Some(Found { restriction: Restriction::Cgroups, processes: None, sockets, fact, hint })
}
