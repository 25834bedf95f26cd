"""Kubernetes objects become workloads, one for each pod or template of pods.

A document that is no object, an object of a kind that could carry pods in a way nobody knows, and a file without any
workload's object are told as workloads with a problem: what could not be judged is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gate.formats.strict_yaml import YamlError
from gate.formats.workloads import compose
from gate.formats.workloads.egress import POLICY, NetworkPolicy, read_policy
from gate.formats.workloads.fields import Fields
from gate.formats.workloads.kinds import (
    added_containers,
    at,
    carries_none,
    group_of,
    host_volumes,
    inline_pods,
    loose_labels,
    places_of,
    with_names,
)
from gate.formats.workloads.manifest_yaml import load_documents
from gate.formats.workloads.pod import read_pod
from gate.model.json import JsonValue
from gate.model.workload import Manifest, Workload, broken

_MAX_LIST: Final = 8
"""Lists in lists."""


def read_manifest(manifest: Manifest) -> list[Workload | NetworkPolicy]:
    """The workloads and network policies of a file; what could not be read is a workload with a problem.

    Never raises.
    """
    if manifest.data is None:
        return [broken(manifest.origin, manifest.problem or "it could not be read")]
    try:
        documents = load_documents(manifest.data)
    except YamlError as error:
        hint = "; a chart or an overlay is rendered first" if b"{{" in manifest.data else ""
        return [broken(manifest.origin, f"{error.line}:{error.column}: {error}{hint}")]
    found: list[Workload | NetworkPolicy] = []
    for document in documents:
        if compose.is_compose(document):
            found += compose.read_compose(document, manifest.origin, len(documents))
        else:
            found += _objects(document, manifest.origin, 0)
    return found


def read_object(document: JsonValue, origin: str) -> list[Workload]:
    """The workloads of one object, or of the objects in a list; network policies are left out. Never raises."""
    return [item for item in _objects(document, origin, 0) if isinstance(item, Workload)]


def templates_of(fields: Fields, group: str, kind: str) -> list[Fields] | None:
    """What has `metadata` and `spec` of a pod in an object; `None` for a kind that is not known."""
    paths = places_of(group, kind)
    if paths is None:
        return None
    return [*(template for path in paths for template in at(fields, path)), *inline_pods(group, kind, fields)]


def _objects(document: JsonValue, origin: str, depth: int) -> Iterator[Workload | NetworkPolicy]:
    problems: list[str] = []
    fields = Fields(document, "", problems)
    kind, api_version = fields.text("kind"), fields.text("apiVersion")
    if not kind or not api_version or depth > _MAX_LIST:
        yield broken(origin, "; ".join([*problems, "a document in it is no object with a kind and an API version"]))
        return
    owner = owner_of(fields, origin)
    place, name, namespace = owner.id, owner.name, owner.namespace
    items = fields.value.get("items")
    if kind.endswith("List") and isinstance(items, list):
        for item in items:
            yield from _objects(item, origin, depth + 1)
    elif "items" in fields.value:
        problem = f"the {kind} {name} has items, so clients take it for a list and nothing else"
        yield Workload(place, origin, kind, namespace, name, problems=(problem,))
    elif (api_version, kind) == POLICY:
        yield read_policy(fields, origin)
    elif kind == POLICY[1]:
        problem = f"it is of the API version {api_version}, and network policies are of {POLICY[0]}"
        yield Workload(place, origin, kind, namespace, name, problems=(problem,))
    elif (paths_of_host := host_volumes(kind, fields)) and group_of(api_version) == "":
        yield Workload(place, origin, kind, namespace, name, problems=paths_of_host)
    elif not carries_none(group_of(api_version), kind):
        yield from _pods(fields, replace(owner, problems=tuple(problems)), group_of(api_version))


def owner_of(fields: Fields, origin: str) -> Workload:
    """What the workloads of an object have in common."""
    kind, metadata = fields.text("kind"), fields.part("metadata")
    name, namespace = metadata.text("name") or metadata.text("generateName"), metadata.text("namespace")
    place = f"{origin}:{kind}/{name}" if namespace is None else f"{origin}:{kind}/{namespace}/{name}"
    return Workload(place, origin, kind, namespace, name)


def workload_of(owner: Workload, template: Fields, group: str = "") -> Workload:
    """The workload of one template of a pod; its problems are its own and those of its owner."""
    own: list[str] = []
    part = Fields(template.value, template.place, own)
    metadata = part.part("metadata")
    pod, containers = read_pod(with_names(group, part.part("spec")), metadata.part("annotations"))
    labels = {key: value for key, value in metadata.part("labels").value.items() if isinstance(value, str)}
    problems = tuple(dict.fromkeys([*owner.problems, *own]))
    return replace(owner, labels=labels, pod=pod, containers=containers, problems=problems)


def _pods(fields: Fields, owner: Workload, group: str) -> Iterator[Workload]:
    """A workload for each template of a pod in an object; `owner` is what they have in common."""
    kind = owner.kind or ""
    templates = templates_of(fields, group, kind)
    if templates is None:
        version = fields.text("apiVersion")
        problem = f"objects of the kind {version} {kind} could carry pods, and the gate does not know where"
        yield replace(owner, problems=(*owner.problems, problem))
        return
    problems = [*fields.problems, *added_containers(group, fields)]
    loose = loose_labels(group, fields.value, templates)
    if not templates:
        yield replace(owner, problems=(*problems, "it has no template of a pod"))
    owner = replace(owner, loose_labels=loose, problems=tuple(problems))
    for template in templates:
        yield workload_of(owner, template, group)
