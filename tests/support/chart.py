"""The chart of the webhook with values that are complete, and what Helm makes of it."""

from __future__ import annotations

import copy
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from tests.support.kube import helm

ROOT: Final = Path(__file__).resolve().parents[2]
CHART: Final = ROOT / "deploy/chart/gate-webhook"
RELEASE: Final = "gate-webhook"
NAMESPACE: Final = "gate-system"
IMAGE: Final = "registry.example/gate/webhook@sha256:" + "1" * 64
POLICY_IMAGE: Final = "registry.example/gate/policy@sha256:" + "4" * 64
OPA_IMAGE: Final = "openpolicyagent/opa@sha256:" + "2" * 64
Values = dict[str, Any]

GOOD: Final[Values] = {
    "image": {"repository": "registry.example/gate/webhook", "digest": "sha256:" + "1" * 64},
    "configuration": {"files": {"gate.yaml": "version: 1\n", "keys/release.pub": "a public key\n"}},
    "record": {"postgres": {"existingSecret": "gate-log"}},
    "networkPolicy": {
        "apiServer": {"cidrs": ["10.0.0.0/28"]},
        "registries": [{"cidr": "203.0.113.0/24", "ports": [443]}],
        "postgres": [{"namespace": "databases", "ports": [5432]}],
    },
}
"""What has no default."""

PEM: Final = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
OPA: Final[Values] = {
    "opa": {
        "enabled": True,
        "image": {"digest": "sha256:" + "2" * 64},
        "token": {"existingSecret": "gate-opa"},
    }
}
SQLITE: Final[Values] = {"replicas": 1, "record": {"kind": "sqlite"}}
EXISTING: Final[Values] = {"certificate": {"source": "existing", "existing": {"secret": "tls", "caBundle": PEM}}}
MANAGED: Final[Values] = {"certificate": {"source": "cert-manager"}}
MANAGED_ELSEWHERE: Final[Values] = {
    "certificate": {"source": "cert-manager", "certManager": {"issuer": {"name": "house", "kind": "ClusterIssuer"}}}
}
GUARDED: Final[Values] = {"guard": {"registration": {"enabled": True, "users": ["release@example.test"]}}}
METRICS: Final[Values] = {
    "metrics": {
        "service": True,
        "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
        "prometheusRule": {"enabled": True},
    },
    "networkPolicy": {"metricsNamespaces": ["monitoring"]},
}
OPEN: Final[Values] = {"webhook": {"failurePolicy": "Ignore", "iAcceptFailOpen": True}}

COMBINATIONS: Final[Mapping[str, tuple[Values, ...]]] = {
    "what has no default": (),
    "five replicas": ({"replicas": 5, "disruption": {"maxUnavailable": 2}},),
    "one replica": ({"replicas": 1},),
    "a log in SQLite": (SQLITE,),
    "a log in SQLite on a claim": (SQLITE, {"record": {"sqlite": {"existingClaim": "log"}}}),
    "a log in SQLite on a class": (SQLITE, {"record": {"sqlite": {"storageClassName": "fast", "storage": "1Ti"}}}),
    "no log": ({"record": {"kind": "none"}, "networkPolicy": {"postgres": []}},),
    "signed checkpoints": ({"record": {"checkpointKey": {"existingSecret": "gate-log-key"}}},),
    "cert-manager": (MANAGED,),
    "cert-manager with an issuer": (MANAGED_ELSEWHERE,),
    "a certificate that is there": (EXISTING,),
    "client certificates": ({"clientAuthority": {"existingConfigMap": "api-server-authority"}},),
    "a sidecar": (OPA,),
    "the audit": ({"audit": {"enabled": True}},),
    "the audit of all kinds": ({"audit": {"enabled": True, "kinds": "all"}},),
    "the audit and a sidecar": ({"audit": {"enabled": True}}, OPA),
    "metrics": (METRICS,),
    "alerts alone": ({"metrics": {"prometheusRule": {"enabled": True}}},),
    "a guarded registration": (GUARDED,),
    "no guard": ({"guard": {"ownNamespace": False}},),
    "more images in the namespace": ({"guard": {"images": ["registry.example/db@sha256:" + "3" * 64]}},),
    "not registered": ({"webhook": {"register": False}},),
    "pods alone": ({"webhook": {"workloads": False, "custom": []}},),
    "more kinds": ({"webhook": {"custom": [{"group": "ray.io", "versions": ["v1"], "resources": ["rayclusters"]}]}},),
    "more namespaces left out": ({"webhook": {"excludedNamespaces": ["kube-system", "calico-system"]}},),
    "nothing left out": ({"webhook": {"excludedNamespaces": []}},),
    "fail open": (OPEN,),
    "a config map that is there": (
        {"configuration": {"files": None, "existingConfigMap": "gate", "items": [{"key": "a", "path": "b/c"}]}},
    ),
    "a volume of an image": ({"configuration": {"files": None, "volume": {"image": {"reference": POLICY_IMAGE}}}},),
    "binary files": ({"configuration": {"binaryFiles": {"policy.tar.gz": "H4sIAAAA"}}},),
    "credentials of registries": (
        {"registryCredentials": {"existingSecret": "registries"}, "image": {"pullSecrets": ["registries"]}},
    ),
    "places for pods": (
        {
            "nodeSelector": {"pool": "system"},
            "tolerations": [{"key": "system", "operator": "Exists"}],
            "podLabels": {"team": "security"},
            "podAnnotations": {"example.test/note": "x"},
            "priorityClassName": "",
        },
    ),
    "a tunnel": ({"networkPolicy": {"apiServer": {"cidrs": [], "namespaces": ["kube-system"]}}},),
    "more places in the network": (
        {
            "networkPolicy": {
                "dns": {"cidrs": ["169.254.20.10/32"]},
                "others": [{"cidr": "198.51.100.7/32", "ports": [443]}],
            }
        },
    ),
    "no network policy": ({"networkPolicy": {"enabled": False}},),
    "its namespace": ({"namespace": {"create": True}},),
}
"""Values that matter, by what they choose."""


def merged(*values: Mapping[str, Any]) -> Values:
    """Values over values, as Helm puts them over each other; `None` takes a value away."""
    result: Values = {}
    for layer in values:
        for key, value in layer.items():
            if isinstance(value, Mapping):
                before = result.get(key)
                result[key] = merged(before if isinstance(before, Mapping) else {}, value)
            elif value is None:
                result.pop(key, None)
            else:
                result[key] = copy.deepcopy(value)
    return result


def run(
    command: str, values: Mapping[str, Any], release: str = RELEASE, namespace: str = NAMESPACE, *, strict: bool = False
) -> subprocess.CompletedProcess[str]:
    """`helm template` or `helm lint` with these values."""
    with tempfile.TemporaryDirectory(prefix="chart-") as name:
        folder = Path(name)
        (folder / "values.yaml").write_text(yaml.safe_dump(dict(values)), "utf-8")
        arguments = [release, str(CHART)] if command == "template" else [str(CHART)]
        options = ["--strict"] if strict else []
        return helm(folder, command, *arguments, "--namespace", namespace, "--values", "values.yaml", *options)


def rendered(*values: Values, release: str = RELEASE, namespace: str = NAMESPACE) -> list[dict[str, Any]]:
    """The objects that the chart makes of the values over those that have no default."""
    done = run("template", merged(GOOD, *values), release, namespace)
    assert done.returncode == 0, done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item is not None]


def one(documents: list[dict[str, Any]], kind: str, name: str | None = None) -> dict[str, Any]:
    """The only object of a kind, or the one with this name."""
    found = [item for item in documents if item["kind"] == kind and name in {None, item["metadata"]["name"]}]
    (item,) = found
    return item
