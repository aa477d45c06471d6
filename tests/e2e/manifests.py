"""What is said in several files under deploy/ is the same in all of them, and what no validator knows is well-formed.

    manifests.py BINARY HOST_NETWORK ALL_NAMESPACES

The last two are the overlays of deploy/kubernetes as kubectl renders them. Prints the alerts' groups of the PrometheusRule, for promtool.
"""

import pathlib
import subprocess
import sys
import tempfile

import yaml

DEPLOY = pathlib.Path(__file__).parent.parent.parent / "deploy"
NAMES = {"app.kubernetes.io/name": "prometheus-ss-exporter"}
# The part of the operator's definitions that is used: the keys of each kind's spec, and of an endpoint.
SPECS = {
    "PodMonitor": {"selector", "jobLabel", "sampleLimit", "podMetricsEndpoints"},
    "PrometheusRule": {"groups"},
}
ENDPOINT = {"port", "interval", "scrapeTimeout", "relabelings"}


def objects(path):
    with open(path) as file:
        return {one["kind"]: one for one in yaml.safe_load_all(file)}


def demand(holds, what):
    if not holds:
        sys.exit(f"manifests: {what}")


def check_daemon(cluster, capabilities):
    """The minimum of privileges, labels that match, and a configuration that is there."""
    pod = cluster["DaemonSet"]["spec"]["template"]
    spec, container = pod["spec"], pod["spec"]["containers"][0]
    security = container["securityContext"]
    demand(NAMES.items() <= pod["metadata"]["labels"].items(), "the pods have another name")
    demand(spec["automountServiceAccountToken"] is False, "a pod has a token")
    demand(security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"], "a pod may too much")
    demand("privileged" not in security, "a pod is privileged")
    demand(security["capabilities"] == {"drop": ["ALL"], "add": capabilities}, "capabilities")
    demand(security["seccompProfile"] == {"type": "RuntimeDefault"}, "seccomp")
    level = cluster["Namespace"]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
    demand(level == "privileged", "the namespace forbids its pods")
    [configuration] = [volume["configMap"]["name"] for volume in spec["volumes"] if "configMap" in volume]
    demand(configuration == cluster["ConfigMap"]["metadata"]["name"], "the configuration is not there")
    demand(configuration != "prometheus-ss-exporter", "a change of the configuration starts no pod again")
    demand({one["metadata"].get("namespace") for kind, one in cluster.items() if kind != "Namespace"} == {"socket-metrics"}, "a namespace")
    mounted = {volume["name"] for volume in container["volumeMounts"]}
    demand(mounted == {volume["name"] for volume in spec["volumes"]}, "volumes and mounts differ")
    return container


def check_configuration(binary, cluster):
    """The exporter accepts the ConfigMap's."""
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write(cluster["ConfigMap"]["data"]["config.yml"])
        file.flush()
        subprocess.run([binary, "--config.check", "--config", file.name], check=True, stdout=subprocess.DEVNULL)


def check_monitoring(monitoring, container):
    for kind, keys in SPECS.items():
        one = monitoring[kind]
        demand(one["apiVersion"] == "monitoring.coreos.com/v1", f"{kind}: apiVersion")
        demand(one.keys() == {"apiVersion", "kind", "metadata", "spec"}, f"{kind}: keys")
        demand(one["spec"].keys() == keys, f"{kind}: {one['spec'].keys() ^ keys}")
    monitor = monitoring["PodMonitor"]["spec"]
    demand(monitor["selector"] == {"matchLabels": NAMES}, "the PodMonitor selects others")
    [endpoint] = monitor["podMetricsEndpoints"]
    demand(endpoint.keys() == ENDPOINT, f"PodMonitor: {endpoint.keys() ^ ENDPOINT}")
    demand(endpoint["port"] in [port["name"] for port in container["ports"]], "the PodMonitor's port is unknown")
    with open(DEPLOY / "alerts.yml") as file:
        alerts = yaml.safe_load(file)
    demand(alerts == monitoring["PrometheusRule"]["spec"], "the PrometheusRule is not alerts.yml")
    return alerts


def check_images(version, container):
    with open(DEPLOY / "docker-compose.yml") as file:
        services = yaml.safe_load(file)["services"]
    image = f"prometheus_ss_exporter:{version}"
    demand(container["image"] == image, "the DaemonSet has another version")
    demand(services["prometheus_ss_exporter"]["image"] == image, "docker-compose.yml has another version")
    for name, service in services.items():
        demand(":" in service["image"] and not service["image"].endswith(":latest"), f"{name} is not pinned")
        demand(service["cap_drop"] == ["ALL"] and service["read_only"], f"{name} may too much")


def main():
    binary, host_network, all_namespaces = sys.argv[1:]
    version = subprocess.run([binary, "--version"], check=True, capture_output=True, text=True).stdout.split()[1]
    processes = ["SYS_PTRACE", "DAC_READ_SEARCH"]
    for path, capabilities in [(host_network, processes), (all_namespaces, [*processes, "SYS_ADMIN", "NET_BROADCAST"])]:
        cluster = objects(path)
        container = check_daemon(cluster, capabilities)
        check_configuration(binary, cluster)
        check_images(version.rstrip(","), container)
    groups = check_monitoring(objects(DEPLOY / "kubernetes/monitoring.yml"), container)
    yaml.safe_dump(groups, sys.stdout)


main()
