"""Kubernetes objects become workloads, one for each pod or template of pods.

A document that is no object, an object of a kind that could carry pods in a way nobody knows, and a file without any
workload's object are told as workloads with a problem: what could not be judged is never left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.formats.strict_yaml import YamlError
from gate.formats.workloads import compose
from gate.formats.workloads.egress import NetworkPolicy, read_policy
from gate.formats.workloads.fields import Fields
from gate.formats.workloads.kinds import at, carries_none, group_of, inference_pods, places_of
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
            found += compose.read_compose(document, manifest.origin)
        else:
            found += _objects(document, manifest.origin, 0)
    return found


def _objects(document: JsonValue, origin: str, depth: int) -> Iterator[Workload | NetworkPolicy]:
    problems: list[str] = []
    fields = Fields(document, "", problems)
    kind, api_version = fields.text("kind"), fields.text("apiVersion")
    if not kind or not api_version or depth > _MAX_LIST:
        yield broken(origin, "; ".join([*problems, "a document in it is no object with a kind and an API version"]))
        return
    group = group_of(api_version)
    if kind.endswith("List") and isinstance(fields.value.get("items"), list):
        items = fields.value["items"]
        for item in items if isinstance(items, list) else ():
            yield from _objects(item, origin, depth + 1)
        return
    if kind == "NetworkPolicy" and carries_none(group, kind):
        policy = read_policy(fields, origin)
        if policy is not None:
            yield policy
    if carries_none(group, kind):
        return
    metadata = fields.part("metadata")
    name, namespace = metadata.text("name") or metadata.text("generateName"), metadata.text("namespace")
    place = f"{origin}:{kind}/{name}" if namespace is None else f"{origin}:{kind}/{namespace}/{name}"
    paths = places_of(group, kind)
    if paths is None:
        problem = f"objects of the kind {api_version} {kind} could carry pods, and the gate does not know where"
        yield Workload(place, origin, kind, namespace, name, problems=(*problems, problem))
        return
    templates = [template for path in paths for template in at(fields, path)]
    templates += inference_pods(fields) if kind == "InferenceService" else []
    if not templates:
        yield Workload(place, origin, kind, namespace, name, problems=(*problems, "it has no template of a pod"))
    for template in templates:
        own: list[str] = []
        part = Fields(template.value, template.place, own)
        pod_metadata = part.part("metadata")
        pod, containers = read_pod(part.part("spec"), pod_metadata.part("annotations"))
        labels = {key: value for key, value in pod_metadata.part("labels").value.items() if isinstance(value, str)}
        yield Workload(
            place,
            origin,
            kind,
            namespace,
            name,
            labels=labels,
            pod=pod,
            containers=containers,
            problems=tuple(dict.fromkeys([*problems, *own])),
        )
