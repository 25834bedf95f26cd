"""What signed VEX statements say about each finding: facts only, which rules weigh.

A statement counts for a finding if its signer is trusted for the claim `vex`, it covers the finding's artifact by
digest (SECURITY 11), and one of its judgements has the finding's vulnerability and product. The product is the artifact
by its digest, the file of the finding by its digest, or the very component of the finding by its package URL with its
version; where parts of a product are named, one of them is the component. Names alone, wildcards and ranges are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import unquote

from gate.formats.members import member, text
from gate.formats.predicates.common import names_in
from gate.formats.predicates.vex import CLAIM
from gate.formats.vex.shape import STATUSES
from gate.model.artifact import Artifact
from gate.model.digest import Digest
from gate.model.evidence import Verified
from gate.model.json import JsonObject, JsonValue
from gate.model.scan import Basis, Category, Finding, Scan
from gate.normalize.sections.groups import component_of, names_of_groups

_CVE: Final = re.compile(r"CVE-[0-9]{4}-[0-9]+")
_BASES: Final = {
    Basis.ATTESTED: frozenset({Basis.ATTESTED}),
    Basis.INSPECTED: frozenset({Basis.ATTESTED, Basis.INSPECTED}),
    Basis.OBSERVED: frozenset(Basis),
}
"""The scans that may say which other names a vulnerability has: what is unsigned renames nothing that is signed."""
Judged = Mapping[tuple[int, int], JsonObject]
"""What is said about the finding of a number in the scan of a number, by payload digest."""


def judged_findings(
    scans: Sequence[Scan], verified: Sequence[Verified], artifacts: Mapping[str, Artifact], now_s: int
) -> Judged:
    """What VEX statements say about findings; those about which nothing is said are left out.

    What a statement says of a time after `now_s` hides nothing that it has said before.
    """
    speaking = [_Speech(item) for item in verified if item.statement.claim == CLAIM and item.artifacts]
    found: dict[tuple[int, int], JsonObject] = {}
    if not speaking:
        return found
    names = _Names(scans)
    for number, scan in enumerate(scans):
        for place, finding in enumerate(scan.findings):
            artifact = artifacts.get(finding.artifact or "")
            if finding.category is Category.VULNERABILITY and artifact is not None:
                target = _Target(finding, artifact, names.of(finding, scan.basis))
                words = ((speech.item.payload, target.said_by(speech, now_s)) for speech in speaking)
                said: dict[str, JsonObject] = {payload: word for payload, word in words if word is not None}
                if said:
                    found[number, place] = dict(said)
    return found


class _Names:
    """The names that a finding's vulnerability has, in capital letters."""

    def __init__(self, scans: Sequence[Scan]) -> None:
        self._groups = {
            basis: names_of_groups([item for scan in scans if scan.basis in bases for item in scan.findings])
            for basis, bases in _BASES.items()
        }

    def of(self, finding: Finding, basis: Basis) -> frozenset[str]:
        """All its names, by way of other findings too; its own rule alone where they are those of several CVEs."""
        found = self._groups[basis](finding)
        cves = {name for name in found if _CVE.fullmatch(name)}
        return found if len(cves) < 2 else frozenset({finding.rule.upper()})


class _Speech:
    """A statement, with its judgements by the names of what they are about."""

    def __init__(self, item: Verified) -> None:
        self.item: Final = item
        self._judgements: Final[dict[str, dict[int, JsonValue]]] = {}
        judgements = item.statement.facts["judgements"]
        for number, entry in enumerate(judgements if isinstance(judgements, list) else ()):
            for name in names_in(member(entry, "names")):
                self._judgements.setdefault(name.upper(), {})[number] = entry

    def about(self, names: frozenset[str]) -> Iterable[JsonValue]:
        """The judgements about a vulnerability with these names, in their order."""
        found = {number: entry for name in names for number, entry in self._judgements.get(name, {}).items()}
        return [found[number] for number in sorted(found)]


class _Target:
    """A finding, as statements may mean it."""

    def __init__(self, finding: Finding, artifact: Artifact, names: frozenset[str]) -> None:
        file = artifact.files.get(finding.file or "")
        self._artifact = artifact.name
        self._names = names
        self._purl = finding.purl
        self._digests: set[Digest | None] = {artifact.digest, None if file is None else file.digest} - {None}

    def said_by(self, speech: _Speech, now_s: int) -> JsonObject | None:
        """The last word of a statement about it, and of several at one time the gravest; `None` if it is silent.

        One from the future is it only if there is no other.
        """
        if self._artifact not in speech.item.artifacts:
            return None
        meant = [entry for entry in speech.about(self._names) if self._is_meant(entry)]
        if not meant:
            return None
        last = max(meant, key=lambda entry: _weight(entry, now_s))
        return {
            "author": " and ".join(sorted({signer.name for signer in speech.item.signers})),
            "status": text(last, "status"),
            "justification": text(last, "justification"),
            "at_s": member(last, "at_s"),
        }

    def _is_meant(self, judgement: JsonValue) -> bool:
        products = member(judgement, "products")
        return any(self._is_product(product) for product in (products if isinstance(products, list) else ()))

    def _is_product(self, product: JsonValue) -> bool:
        is_here = not self._digests.isdisjoint(names_in(member(product, "digests")))
        parts = member(product, "components")
        if parts is not None:
            return is_here and self._is_component(names_in(parts))
        return is_here or self._is_component(names_in(member(product, "purls")))

    def _is_component(self, purls: Sequence[str]) -> bool:
        return self._purl is not None and any(is_same_component(purl, self._purl) for purl in purls)


def _weight(judgement: JsonValue, now_s: int) -> tuple[bool, int, int, bool]:
    stated, status = member(judgement, "at_s"), text(judgement, "status") or ""
    at_s = stated if isinstance(stated, int) else 0
    # Of two that take it away, one without a reason is the graver.
    return (at_s <= now_s, at_s, STATUSES.index(status), text(judgement, "justification") is None)


def is_same_component(said: str, found: str) -> bool:
    """Whether a package URL that somebody wrote means the very component that a scanner found.

    Type, namespace, name and version are equal; each qualifier that is written is the found one's. One without a
    version, or with a wildcard, means no component.
    """
    one, other = _parts(said), _parts(found)
    if one is None or other is None or "*" in one[0]:
        return False
    return one[:2] == other[:2] and one[2].items() <= other[2].items()


def _parts(purl: str) -> tuple[str, str, Mapping[str, str]] | None:
    """A package URL as its decoded path with the version, its sub-path and its qualifiers; `None` without a version."""
    plain = component_of(purl) or ""
    head, at, version = plain.rpartition("@")
    if not at or not version or "/" not in head or "/" in version:
        return None
    kind, _, name = head.partition("/")
    rest, _, subpath = purl.partition("#")
    pairs = (pair.partition("=") for pair in rest.partition("?")[2].split("&") if pair)
    qualifiers = {key.lower(): unquote(value) for key, _, value in pairs if value}
    return f"{kind.lower()}/{unquote(name)}@{unquote(version)}", subpath.strip("/"), qualifiers
