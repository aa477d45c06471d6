//! The capabilities that this run needs on this host: missing ones are logged, all others are dropped.

use sockdiag::{Attribute, Events, kernel};
use ss_exporter::attribute::Namespaces;
use ss_exporter::plan::Plan;
use ss_exporter::privileges::{self, Feature, Privileges};

use crate::failure::Failure;
use crate::host::PROC;

/// What a plan needs; the host decides whether its buffer for events, if there is to be one, and upper layer protocols do.
pub fn needed(plan: &Plan, subscribes: bool) -> Vec<Feature> {
    let mut features = plan.features();
    // If the host does not say, keeping what a large buffer needs does no harm.
    if subscribes && !Events::grants(plan.collect.event_buffer).unwrap_or(false) {
        features.push(Feature::EventBuffer);
    }
    // Since Linux 6.15 the kernel reports it to everyone.
    if plan.asks_for(Attribute::Ulp) && !kernel::is_at_least(6, 15) {
        features.push(Feature::UpperLayerProtocols);
    }
    features
}

/// Which of them are held after all permitted ones were made effective; logs each that is missing.
pub fn held(features: &[Feature]) -> Privileges {
    let privileges = raised(features);
    say_missing(&privileges, None);
    privileges
}

/// Which of them are held after all permitted ones were made effective.
pub fn raised(features: &[Feature]) -> Privileges {
    if let Err(error) = privileges::raise() {
        tracing::warn!(%error, "cannot raise permitted capabilities; continuing with the effective ones");
    }
    Privileges::of(features)
}

/// Logs each capability that is missing and was not missing before.
pub fn say_missing(privileges: &Privileges, before: Option<&Privileges>) {
    let said = |missing: &_| before.is_some_and(|before| before.missing().any(|other| other == missing));
    for missing in privileges.missing().filter(|missing| !said(*missing)) {
        tracing::warn!(
            capability = missing.name,
            feature = %missing.feature,
            lost = missing.lost,
            hint = grant(privileges),
            "a capability is missing"
        );
    }
}

/// What grants all that is missing: in a unit of systemd a line, else a command. The capabilities of a file replace those that it
/// had.
fn grant(privileges: &Privileges) -> String {
    let mut names: Vec<_> = privileges.missing().map(|missing| missing.name).collect();
    names.sort_unstable();
    names.dedup();
    if std::env::var_os("INVOCATION_ID").is_some() {
        return format!("AmbientCapabilities={} in the unit, by systemctl edit", names.join(" "));
    }
    let program = std::env::current_exe().unwrap_or_else(|_| "prometheus_ss_exporter".into());
    format!("sudo setcap {}=ep {}", names.join(",").to_lowercase(), program.display())
}

/// The thread that enters other network namespaces, with what that needs and nothing else.
pub fn namespaces(plan: &Plan) -> Result<Namespaces, Failure> {
    let which = plan.collect.netns.clone();
    let made = if plan.collect.reads_other_namespaces() {
        // A thread inherits the capabilities of the one that makes it.
        let maker = std::thread::Builder::new().spawn(move || {
            keep(&[Feature::Namespaces]);
            Namespaces::start(PROC.into(), which)
        });
        maker.and_then(|maker| maker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    } else {
        Namespaces::start(PROC.into(), which)
    };
    made.map_err(|error| {
        Failure::at_run_time(format!("cannot start the thread that enters network namespaces: {error}"))
    })
}

/// Drops what these features do not need; only threads made afterwards have dropped it as well.
pub fn keep(features: &[Feature]) {
    if let Err(error) = privileges::keep(features) {
        tracing::warn!(%error, "cannot drop capabilities that are not needed; continuing with them");
    }
}
