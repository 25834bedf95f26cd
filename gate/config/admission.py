"""The section `admission` of `gate.yaml`: how the webhook judges what a cluster is asked to run."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from gate.config.nodes import Source, size
from gate.config.registry import ACCESS, read_access, read_repository
from gate.formats.image_reference import parse_repository
from gate.formats.rfc3339 import parse_duration
from gate.formats.strict_yaml import Node, YamlError, suggestion
from gate.model.admission import ObjectKind
from gate.model.admission_settings import (
    AdmissionLimits,
    AdmissionMode,
    AdmissionRegistry,
    AdmissionSettings,
    BreakGlassSettings,
    Outage,
    PlacesSettings,
    Tags,
)
from gate.model.settings import TrustSettings

CLAIM: Final = "admission.break_glass"
TIMEOUT_S: Final = 10
"""Seconds for everything that is asked of a registry about one image, unless it is said."""
_KEYS: Final = (
    "mode",
    "tags",
    "registries",
    "places",
    "break_glass",
    "outage",
    "last_seen",
    "listing",
    "cache",
    "limits",
)
_LONGEST_EXCEPTION_S: Final = 24 * 3600
_LONGEST_LAST_SEEN_S: Final = 7 * 24 * 3600
_LONGEST_LISTING_S: Final = 600
_LONGEST_DEADLINE_S: Final = 29
"""An API server waits for at most 30 seconds."""
_CACHE_BYTES: Final = 1 << 20, 4 << 30
_BODY_BYTES: Final = 64 << 10, 16 << 20
_GROUP: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_VERSION: Final = re.compile(r"v[1-9][0-9]{0,3}((alpha|beta)[1-9][0-9]{0,3})?")
_KIND: Final = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_RESOURCE: Final = re.compile(r"[a-z][a-z0-9]{0,62}")
_NAMESPACE: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_STEP: Final = r"(\*|[A-Za-z_][A-Za-z0-9_-]{0,62}\??)"
_PATH: Final = re.compile(rf"{_STEP}(\.{_STEP}){{0,15}}")


def read_admission(
    node: Node | None, source: Source, trust: TrustSettings, *, is_recorded: bool
) -> AdmissionSettings | None:
    """The section; `None` without it: then nothing is served."""
    if node is None:
        return None
    fields = node.fields(*_KEYS)
    defaults = AdmissionSettings()
    outage = Outage(fields["outage"].choice(*_words(Outage))) if "outage" in fields else defaults.outage
    if "last_seen" in fields and outage is not Outage.LAST_SEEN:
        raise fields["last_seen"].error("nothing that was seen last is used, unless outage is last-seen")
    return AdmissionSettings(
        mode=AdmissionMode(fields["mode"].choice(*_words(AdmissionMode))) if "mode" in fields else defaults.mode,
        tags=Tags(fields["tags"].choice(*_words(Tags))) if "tags" in fields else defaults.tags,
        registries=_registries(fields.get("registries"), source),
        places=_places(fields["places"]) if "places" in fields else (),
        break_glass=_break_glass(fields["break_glass"], trust, is_recorded=is_recorded)
        if "break_glass" in fields
        else None,
        outage=outage,
        last_seen_s=_duration(fields.get("last_seen"), defaults.last_seen_s, 1, _LONGEST_LAST_SEEN_S),
        listing_s=_duration(fields.get("listing"), defaults.listing_s, 0, _LONGEST_LISTING_S),
        cache_bytes=_size(fields.get("cache"), defaults.cache_bytes, _CACHE_BYTES),
        limits=_limits(fields["limits"]) if "limits" in fields else defaults.limits,
    )


def _words(enum: type[AdmissionMode | Tags | Outage]) -> tuple[str, ...]:
    return tuple(item.value for item in enum)


def _registries(node: Node | None, source: Source) -> Mapping[str, AdmissionRegistry]:
    members = node.members() if node is not None else {}
    found = {name: _registry(name, item, node, source) for name, item in members.items()}
    for name, registry in found.items():
        if registry.evidence is not None and parse_repository(registry.evidence).registry not in found:
            raise (
                members[name]
                .members()["evidence"]
                .error("the registry of this repository is not one of registries, which say how it is reached")
            )
    return found


def _registry(name: str, node: Node, parent: Node | None, source: Source) -> AdmissionRegistry:
    try:
        named = parse_repository(f"{name}/a/a").registry
    except ValueError:
        named = None
    if named != name:
        line, column = (node.line, node.column) if parent is None else parent.keys[name]
        known = "" if named is None else f": what is written like that is in {named!r}"
        raise YamlError(f"{name[:120]!r} is not a registry such as registry.example:5000{known}", line, column)
    fields = node.fields(*ACCESS, "evidence")
    access = read_access(fields, source, TIMEOUT_S)
    return AdmissionRegistry(access, read_repository(fields["evidence"]) if "evidence" in fields else None)


def _places(node: Node) -> tuple[PlacesSettings, ...]:
    found: dict[ObjectKind, PlacesSettings] = {}
    for item in node.items():
        fields = item.fields("api_version", "kind", "resource", "pods", "images", "models")
        for key in ("api_version", "kind", "resource"):
            if key not in fields:
                raise item.error(f"a kind needs {key!r}")
        group, slash, version = fields["api_version"].text().partition("/")
        if not slash or not _GROUP.fullmatch(group) or not _VERSION.fullmatch(version):
            raise fields["api_version"].error("expected a group and a version, such as example.com/v1")
        kind = ObjectKind(group, version, _matching(fields["kind"], _KIND, "a kind such as RayCluster"))
        if kind in found:
            raise item.error(f"{kind} is here twice")
        resource = _matching(fields["resource"], _RESOURCE, "a resource in lower case, such as rayclusters")
        pods, images, models = (_paths(fields.get(key)) for key in ("pods", "images", "models"))
        if not pods + images + models:
            raise item.error(f"{kind} needs pods, images or models: where it carries them")
        found[kind] = PlacesSettings(kind, resource, pods, images, models)
    return tuple(found.values())


def _paths(node: Node | None) -> tuple[str, ...]:
    items = node.items() if node is not None else ()
    found = (_matching(item, _PATH, "a path such as spec.groups.*.template") for item in items)
    return tuple(dict.fromkeys(found))


def _matching(node: Node, pattern: re.Pattern[str], what: str) -> str:
    if not pattern.fullmatch(node.text()):
        raise node.error(f"{node.text()[:120]!r} is not {what}")
    return node.text()


def _break_glass(node: Node, trust: TrustSettings, *, is_recorded: bool) -> BreakGlassSettings:
    fields = node.fields("signers", "max", "namespaces")
    signers = fields["signers"].items() if "signers" in fields else ()
    if not signers:
        raise node.error("an exception needs the signers who may make it")
    for item in signers:
        _check_signer(item, trust)
    if not is_recorded:
        raise node.error("exceptions are made only where they are recorded: add the section record")
    namespaces: Collection[Node] = fields["namespaces"].items() if "namespaces" in fields else ()
    if "namespaces" in fields and not namespaces:
        raise fields["namespaces"].error("expected at least one; without the key it is all")
    return BreakGlassSettings(
        signers=tuple(dict.fromkeys(item.text() for item in signers)),
        max_s=_duration(fields.get("max"), BreakGlassSettings(()).max_s, 60, _LONGEST_EXCEPTION_S),
        namespaces=tuple(dict.fromkeys(_matching(item, _NAMESPACE, "a namespace") for item in namespaces)),
    )


def _check_signer(node: Node, trust: TrustSettings) -> None:
    signer = trust.signers.get(node.text())
    if signer is None:
        raise node.error(f"no signer {node.text()[:80]!r}{suggestion(node.text(), sorted(trust.signers))}")
    if not signer.may_claim(CLAIM):
        raise node.error(f"the signer {signer.name!r} may not speak for {CLAIM}")


def _limits(node: Node) -> AdmissionLimits:
    fields = node.fields("body", "images", "concurrent", "queue", "deadline", "connections")
    defaults = AdmissionLimits()
    return AdmissionLimits(
        body_bytes=_size(fields.get("body"), defaults.body_bytes, _BODY_BYTES),
        images=_count(fields.get("images"), defaults.images, 1, 1000),
        concurrent=_count(fields.get("concurrent"), defaults.concurrent, 1, 256),
        queue=_count(fields.get("queue"), defaults.queue, 0, 10_000),
        deadline_s=_duration(fields.get("deadline"), int(defaults.deadline_s), 1, _LONGEST_DEADLINE_S),
        connections=_count(fields.get("connections"), defaults.connections, 1, 65_536),
    )


def _count(node: Node | None, default: int, least: int, most: int) -> int:
    if node is None:
        return default
    if not isinstance(node.value, int) or isinstance(node.value, bool) or not least <= node.value <= most:
        raise node.error(f"expected a whole number from {least} to {most}")
    return node.value


def _duration(node: Node | None, default: int, least: int, most: int) -> int:
    if node is None:
        return default
    found = parse_duration(node.text())
    if found is None or not least <= found <= most:
        raise node.error(f"expected a duration such as 90s, 30m or 4h, from {least} to {most} seconds")
    return found


def _size(node: Node | None, default: int, bounds: tuple[int, int]) -> int:
    if node is None:
        return default
    found = size(node)
    least, most = bounds
    if not least <= found <= most:
        raise node.error(f"expected a size from {least} to {most} bytes")
    return found
