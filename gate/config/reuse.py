"""The section `reuse` of `gate.yaml`: whose verification summaries stand for evidence that is not here."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from gate.config.nodes import named
from gate.formats.rfc3339 import parse_duration
from gate.formats.strict_yaml import Node, suggestion
from gate.model.digest import Digest, parse_digest
from gate.model.reuse import CLAIM, Verifier
from gate.model.settings import ArtifactSettings, TrustSettings

_CONTROL: Final = re.compile(r"[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){1,4}")
_REQUIRED: Final = ("id", "signers", "levels", "controls", "max_age")


def read_reuse(
    node: Node | None, trust: TrustSettings, artifacts: Mapping[str, ArtifactSettings]
) -> Mapping[str, Verifier]:
    """The verifiers by name; without the section no summary stands for anything."""
    return {name: _verifier(name, item, trust, artifacts) for name, item in named(node).items()}


def _verifier(name: str, node: Node, trust: TrustSettings, artifacts: Mapping[str, ArtifactSettings]) -> Verifier:
    fields = node.fields(*_REQUIRED, "policies", "resources")
    for key in _REQUIRED:
        if key not in fields:
            raise node.error(f"verifier {name!r} needs {key!r}")
    for item in _some(fields["signers"]):
        _check_signer(item, trust)
    for item in _some(fields["controls"]):
        if not _CONTROL.fullmatch(item.text()):
            raise item.error(f"{item.text()[:80]!r} is not the id of a control")
    _some(fields["levels"])
    return Verifier(
        name=name,
        id=_uri(fields["id"]),
        signers=frozenset(fields["signers"].texts()),
        policies=frozenset(_digest(item) for item in fields["policies"].items())
        if "policies" in fields
        else frozenset(),
        levels=tuple(dict.fromkeys(fields["levels"].texts())),
        controls=tuple(sorted(set(fields["controls"].texts()))),
        resources=_resources(fields.get("resources"), artifacts),
        max_age_s=_age(fields["max_age"]),
    )


def _check_signer(node: Node, trust: TrustSettings) -> None:
    signer = trust.signers.get(node.text())
    if signer is None:
        raise node.error(f"no signer {node.text()[:80]!r}{suggestion(node.text(), sorted(trust.signers))}")
    if not signer.may_claim(CLAIM):
        raise node.error(f"the signer {signer.name!r} may not speak for {CLAIM}")


def _some(node: Node) -> Collection[Node]:
    if not node.items():
        raise node.error("expected at least one")
    return node.items()


def _uri(node: Node) -> str:
    if ":" not in node.text():
        raise node.error("expected the URI by which the verifier names itself")
    return node.text()


def _digest(node: Node) -> Digest:
    digest = parse_digest(node.text())
    if digest is None:
        raise node.error("expected sha256:<hex>, the digest of rules")
    return digest


def _resources(node: Node | None, artifacts: Mapping[str, ArtifactSettings]) -> Mapping[str, str]:
    members = node.members() if node is not None else {}
    for name, item in members.items():
        if name not in artifacts:
            raise item.error(f"no artifact {name[:80]!r}{suggestion(name, sorted(artifacts))}")
    return {name: item.text() for name, item in members.items()}


def _age(node: Node) -> int:
    seconds = parse_duration(node.text())
    if seconds is None:
        raise node.error("expected a duration such as 30d, 12h or 90m")
    return seconds
