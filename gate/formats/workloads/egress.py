"""Where pods may connect to, by the network policies that stand in the same manifests.

Network policies add to each other: a pod that one of them selects for egress reaches what any of them lets it. A
policy that may select a pod once a controller has labelled it adds its peers, but denies nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_network
from typing import Final

from gate.formats.workloads.fields import Fields
from gate.model.workload import Workload

POLICY: Final = ("networking.k8s.io/v1", "NetworkPolicy")
UNKNOWN: Final = "unknown"
_ANY: Final = "any"
_REPLACED_LABELS: Final = frozenset(
    {"controller-revision-hash", "controller-uid", "job-name", "pod-template-hash", "rollouts-pod-template-hash"}
)
_ADDED_LABELS: Final = frozenset({"app", "component"})
_OPERATORS: Final = frozenset({"In", "NotIn", "Exists", "DoesNotExist"})
_SPEC: Final = frozenset({"egress", "ingress", "podSelector", "policyTypes"})
_SELECTOR: Final = frozenset({"matchExpressions", "matchLabels"})
_TYPES: Final = frozenset({"Egress", "Ingress"})


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """A network policy: what it selects, and what it lets out; `peers` is `None` if it says nothing of egress."""

    origin: str
    name: str
    namespace: str | None
    selector: Fields
    peers: tuple[str, ...] | None

    def selects(self, workload: Workload) -> bool | None:
        """Whether it selects the pods of a workload; `None` if it may, once a controller has added some labels."""
        answers = [
            _holds(key, "In", [value], workload) for key, value in self.selector.part("matchLabels").value.items()
        ]
        for item in self.selector.parts("matchExpressions"):
            key, operator = item.text("key") or "", item.text("operator") or ""
            answers.append(_holds(key, operator, item.texts("values"), workload))
        return False if False in answers else None if None in answers else True


def read_policy(policy: Fields, origin: str) -> NetworkPolicy:
    """A network policy. What a cluster would refuse of it lets everything out, since it is then not there."""
    metadata, spec = policy.part("metadata"), policy.part("spec")
    selector, types = spec.part("podSelector"), spec.texts("policyTypes")
    rules = spec.parts("egress")
    peers = sorted({peer for rule in rules for peer in _peers(rule)}) if "Egress" in types or rules else []
    name = metadata.text("name") or ""
    namespace = metadata.text("namespace")
    if "Egress" not in types and (types or not (rules or policy.problems)):
        return NetworkPolicy(origin, name, namespace, selector, None)
    sound = _is_sound(spec, types) and (name or metadata.has("generateName")) and not policy.problems
    return NetworkPolicy(origin, name, namespace, selector, tuple(peers) if sound else (*peers, UNKNOWN))


def settled(policies: Sequence[NetworkPolicy]) -> list[NetworkPolicy]:
    """Those that say something of egress. Of several with one name a cluster keeps one, and nobody knows which."""
    told: dict[tuple[str | None, str], set[str]] = {}
    for policy in policies:
        facts = repr((policy.selector.value, policy.peers))
        told.setdefault((policy.namespace, policy.name), set()).add(facts)
    return [
        replace(policy, peers=(*policy.peers, UNKNOWN))
        if policy.name and len(told[policy.namespace, policy.name]) > 1
        else policy
        for policy in policies
        if policy.peers is not None
    ]


def with_egress(workload: Workload, policies: Sequence[NetworkPolicy]) -> Workload:
    """The workload with what the policies of its namespace, which are settled, say of it."""
    if workload.platform != "kubernetes" or workload.pod is None:
        return workload
    near = [policy for policy in policies if policy.namespace == workload.namespace]
    answers = [(policy, policy.selects(workload)) for policy in near]
    selecting = sorted({f"{policy.origin}:{policy.name}" for policy, answer in answers if answer})
    peers = {peer for policy, answer in answers if answer is not False for peer in policy.peers or ()}
    return replace(workload, egress={"policies": selecting, "peers": sorted(peers)})


def _is_sound(spec: Fields, types: Sequence[str]) -> bool:
    """Whether a cluster would take it, as far as the gate does not notice elsewhere."""
    spec.parts("ingress")
    selector = spec.part("podSelector")
    labels = selector.part("matchLabels")
    for key in labels.value:
        labels.text(key)
    expressions = selector.parts("matchExpressions")
    for item in expressions:
        item.texts("values")
    return (
        spec.value.keys() <= _SPEC
        and selector.value.keys() <= _SELECTOR
        and set(types) <= _TYPES
        and all(item.text("key") and item.text("operator") in _OPERATORS for item in expressions)
    )


def _peers(rule: Fields) -> list[str]:
    """What a rule lets through: without `to`, everything."""
    if not rule.has("to") or not rule.parts("to"):
        return [_ANY]
    found = []
    for peer in rule.parts("to"):
        if peer.has("ipBlock"):
            cidr = peer.part("ipBlock").text("cidr") or ""
            found.append(cidr if _is_block(cidr) and peer.value.keys() == {"ipBlock"} else UNKNOWN)
        elif peer.has("namespaceSelector"):
            names = peer.part("namespaceSelector").part("matchLabels").text("kubernetes.io/metadata.name")
            found.append(f"namespace {names}" if names else "namespaces")
        else:
            found.append("pods" if peer.has("podSelector") else UNKNOWN)
    return found


def _is_block(cidr: str) -> bool:
    try:
        ip_network(cidr, strict=False)
    except ValueError:
        return False
    return "/" in cidr


def _holds(key: str, operator: str, values: Sequence[object], workload: Workload) -> bool | None:
    """Whether one requirement holds; `None` if that hangs on a label that a controller may add or replace."""
    labels = workload.labels
    own = {labels[key]} if key in labels else set()
    if operator not in _OPERATORS or key in _REPLACED_LABELS or workload.loose_labels.get(key, own) != own:
        return None
    if key not in labels and ("/" in key or key in _ADDED_LABELS):
        return None
    there = key in labels
    if operator in {"Exists", "DoesNotExist"}:
        return there == (operator == "Exists")
    return (there and labels[key] in values) == (operator == "In")
