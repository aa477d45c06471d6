//! The ids of containers and pods in the names of cgroups, as the runtimes write them.

/// What stands before the id in the names that runtimes give to the cgroups of containers.
///
/// `crio-conmon` and `libpod-conmon` are monitors, which are not inside the container.
const RUNTIMES: [&str; 6] = ["docker", "cri-containerd", "crio", "nerdctl", "libpod", "libpod-payload"];

/// The id of the container whose cgroup has this name: `ID`, `RUNTIME-ID`, `RUNTIME-ID.scope`, or
/// `SLICE:RUNTIME:ID`, which is what becomes of a name for systemd where the runtime does not use it.
pub(super) fn id(name: &str) -> Option<&str> {
    let name = name.strip_suffix(".scope").unwrap_or(name);
    let Some((before, id)) = name.rsplit_once(['-', ':']) else {
        return Some(name).filter(|name| is_id(name));
    };
    let runtime = before.rsplit(':').next().unwrap_or(before);
    Some(id).filter(|id| is_id(id) && RUNTIMES.contains(&runtime))
}

/// Whether a runtime has named this scope of systemd: that of a container, or of what monitors one.
pub(super) fn is_scope(name: &str) -> bool {
    let Some((before, id)) = name.strip_suffix(".scope").and_then(|name| name.rsplit_once('-')) else {
        return false;
    };
    is_id(id) && RUNTIMES.contains(&before.strip_suffix("-conmon").unwrap_or(before))
}

/// The id of the pod that a path leads through.
///
/// The kubelet names a pod's cgroup `podUID` below one called `kubepods`, or with systemd
/// `kubepods-CLASS-podUID.slice` with `_` for `-` in the id. A prefix that the runtime was given stays in front.
pub(super) fn pod_uid(path: &str) -> Option<String> {
    let mut below_kubepods = false;
    let mut innermost = None;
    for name in path.split('/') {
        let name = name.split(':').next().unwrap_or(name);
        let name = name.strip_suffix(".slice").unwrap_or(name);
        if let Some((before, uid)) = name.rsplit_once("pod") {
            let known = before.contains("kubepods") || (before.is_empty() && below_kubepods);
            let uid = uid.replace('_', "-");
            if known && is_uid(&uid) {
                innermost = Some(uid);
            }
        }
        below_kubepods |= name.contains("kubepods");
    }
    innermost
}

fn is_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(is_hexadecimal)
}

/// Whether this is a UUID (RFC 9562) or the hash that stands for it in a static pod.
fn is_uid(text: &str) -> bool {
    let groups = || text.split('-').map(str::len);
    let all = text.bytes().all(|byte| byte == b'-' || is_hexadecimal(byte));
    all && (groups().eq([8, 4, 4, 4, 12]) || groups().eq([32]))
}

fn is_hexadecimal(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}
