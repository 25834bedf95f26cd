"""Where pods may connect to, by the network policies that stand in the same manifests.

Network policies add to each other: a pod that one of them selects for egress reaches what any of them lets it. A
policy that may select a pod once a controller has labelled it adds its peers, but denies nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from gate.formats.workloads.fields import Fields
from gate.model.workload import Workload

UNKNOWN: Final = "unknown"
_ANY: Final = "any"
_ADDED_LABELS: Final = frozenset(
    {"pod-template-hash", "controller-uid", "controller-revision-hash", "job-name", "app", "component"}
)
_OPERATORS: Final = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A network policy that is about egress: what it selects, and what it lets through."""

    name: str
    namespace: str | None
    selector: Fields
    peers: tuple[str, ...]

    def selects(self, labels: Mapping[str, str]) -> bool | None:
        """Whether it selects pods with these labels; `None` if it may, once a controller has added some."""
        answers = [_holds(key, "In", [value], labels) for key, value in self.selector.part("matchLabels").value.items()]
        for item in self.selector.parts("matchExpressions"):
            key, operator = item.text("key") or "", item.text("operator") or ""
            answers.append(_holds(key, operator, item.texts("values"), labels))
        return False if False in answers else None if None in answers else True


def read_policy(policy: Fields, origin: str) -> NetworkPolicy | None:
    """A network policy; `None` for one that says nothing of egress. What cannot be read of it lets everything out."""
    metadata, spec = policy.part("metadata"), policy.part("spec")
    types = spec.texts("policyTypes")
    if "Egress" not in types and (types or not spec.has("egress")):
        return None
    peers = [peer for rule in spec.parts("egress") for peer in _peers(rule)]
    selector = spec.part("podSelector")
    selector.parts("matchExpressions")
    name = f"{origin}:{metadata.text('name') or ''}"
    namespace = metadata.text("namespace")
    known = tuple(sorted(set(peers)))
    return NetworkPolicy(name, namespace, selector, known if not policy.problems else (*known, UNKNOWN))


def with_egress(workload: Workload, policies: Sequence[NetworkPolicy]) -> Workload:
    """The workload with what the policies of its namespace say of it."""
    if workload.platform != "kubernetes" or workload.pod is None:
        return workload
    near = [policy for policy in policies if policy.namespace == workload.namespace]
    answers = [(policy, policy.selects(workload.labels)) for policy in near]
    selecting = sorted({policy.name for policy, answer in answers if answer})
    peers = {peer for policy, answer in answers if answer is not False for peer in policy.peers}
    return replace(workload, egress={"policies": selecting, "peers": sorted(peers)})


def _peers(rule: Fields) -> list[str]:
    """What a rule lets through: without `to`, everything."""
    if not rule.has("to") or not rule.parts("to"):
        return [_ANY]
    found = []
    for peer in rule.parts("to"):
        if peer.has("ipBlock"):
            found.append(peer.part("ipBlock").text("cidr") or UNKNOWN)
        elif peer.has("namespaceSelector"):
            names = peer.part("namespaceSelector").part("matchLabels").text("kubernetes.io/metadata.name")
            found.append(f"namespace {names}" if names else "namespaces")
        else:
            found.append("pods" if peer.has("podSelector") else UNKNOWN)
    return found


def _holds(key: str, operator: str, values: Sequence[object], labels: Mapping[str, str]) -> bool | None:
    """Whether one requirement holds; `None` if that hangs on a label that a controller may add."""
    if operator not in _OPERATORS:
        return None
    if key not in labels and ("/" in key or key in _ADDED_LABELS):
        return None
    there = key in labels
    if operator in {"Exists", "DoesNotExist"}:
        return there == (operator == "Exists")
    return (there and labels[key] in values) == (operator == "In")
