"""Why a control refused: its violations in groups, the evidence that came near, and what to do about it.

All texts made here hold text from outside as it came; the form that shows them escapes them.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.rfc3339 import parse_time
from gate.model.claim import claim_matches
from gate.model.control import Violation
from gate.model.decision import ControlDecision, DecidedViolation, Decision, VerifiedItem
from gate.model.digest import Digest
from gate.model.evidence import Rejected
from gate.model.json import JsonValue
from gate.report import remedy
from gate.report.remedy import Place, Remedy, is_plain_path
from gate.report.summary import counted, day, docs_page, member, rejection_rank, short, signers

_PLACES: Final = 3
_NOT_ENOUGH: Final = ", which covers it and does not say what is wanted"
_NOTHING_READ: Final = "none; this control reads no statements, it judges what is there"
_DAY_S: Final = 86400
_COMMAND: Final = re.compile(r"`gate sign`")


@dataclass(frozen=True, slots=True)
class Reason:
    """Violations of one control with equal code and message.

    `places` are the first paths (or artifacts) it is about, `more` counts the others. `found` are sentences on
    what was expected, unless it was said before, and on the evidence that came near or that the violation is about.
    """

    message: str
    places: tuple[str, ...]
    more: int
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Reasons of one control with equal code; `more` counts those that are not among `reasons`."""

    code: str
    reasons: tuple[Reason, ...]
    more: int


class Explainer:
    """Explains the controls of one decision, one after the other; rejected evidence is described once in full.

    `limit` is how many reasons with one code are given. With `repeats` nothing is left out because it was said before.
    """

    def __init__(self, decision: Decision, limit: int, *, repeats: bool = False) -> None:
        self._decision = decision
        self._limit = limit
        self._repeats = repeats
        self._rejected = {item.evidence: item for item in decision.rejected}
        self._verified = {digest: item for item in decision.verified for digest in (item.payload, item.evidence)}
        self._artifacts = _objects(member(decision.subject, "artifacts"))
        self._now_s = parse_time(decision.decided_at)
        self._told: set[Digest] = set()

    def page(self, control: ControlDecision) -> str:
        """Where to read more about a control."""
        return docs_page(self._decision, control)

    def reasons(self, control: ControlDecision, waiver: str | None = None) -> list[Group]:
        """Why a control failed, or what a waiver accepts of it: equal violations together, in their order.

        What names rejected evidence stands first, a file that differs before the chain that breaks with it.
        """
        codes: dict[str, dict[str, list[Violation]]] = {}
        expected: set[str] | None = set() if waiver is None else None
        stages = {digest: item.stage.exit_code for digest, item in self._rejected.items()}
        for entry in sorted(control.violations, key=lambda entry: rejection_rank(entry.violation, stages)):
            if entry.waiver == waiver and entry.reuse is None:
                messages = codes.setdefault(entry.violation.code, {})
                messages.setdefault(entry.violation.message, []).append(entry.violation)
        groups = []
        for code, messages in codes.items():
            shown = tuple(self._reason(control, equal, expected) for equal in list(messages.values())[: self._limit])
            groups.append(Group(code, shown, len(messages) - len(shown)))
        return groups

    def is_told(self, item: Rejected) -> bool:
        """Whether all there is to say of a rejected item has been said already."""
        return item.evidence in self._told and not self._repeats

    def fix(self, control: ControlDecision) -> str:
        """The control's advice; `gate sign` in it gets the path to sign when it is only one."""
        paths = {self.place(entry.violation.artifact, None) for entry in control.violations if not entry.is_covered}
        path = next(iter(paths)) if len(paths) == 1 else None
        if path is None or path not in self._paths().values() or not is_plain_path(path):
            return control.info.fix
        return _COMMAND.sub(lambda _: f"`gate sign {path}`", control.info.fix)

    def commands(self, control: ControlDecision) -> tuple[str, ...]:
        """What to run against what a control refuses, each once; none where its advice is a command."""
        if remedy.WHOLE_COMMAND.fullmatch(self.fix(control)):
            return ()
        return tuple(dict.fromkeys(self._command(control, entry) for entry in _open(control)))

    def stanzas(self, control: ControlDecision) -> tuple[str, ...]:
        """The waivers to ask for, each once; none where no waiver can help."""
        found = (remedy.stanza(control, entry, self._decision.decided_at) for entry in _open(control))
        return tuple(dict.fromkeys(item for item in found if item is not None))

    def remedy(self, control: ControlDecision, entry: DecidedViolation) -> Remedy:
        """All that helps against one violation."""
        violation = entry.violation
        near = [*self._about(violation), *([] if violation.evidence else self._nearest(control, violation))]
        return Remedy(
            remedy.expected(control.info, violation, self.place(violation.artifact, violation.file)),
            tuple(sentence.partition(": ")[2] for sentence in near) or (_NOTHING_READ,),
            self._command(control, entry),
            remedy.stanza(control, entry, self._decision.decided_at),
        )

    def basis(self, control: ControlDecision) -> str:
        """What a pass rests on: its statements with their signers, or the reason it gives."""
        if not control.evidence:
            return control.reason or "no basis was given"
        names = sorted({self._name_of(digest) for digest in control.evidence})
        listed = ", ".join(names[:_PLACES]) + (", ..." if len(names) > _PLACES else "")
        return f"{counted(len(control.evidence), 'item')}: {listed}"

    def place(self, artifact: str | None, file: str | None) -> str | None:
        """The path that a violation is about, as it lies below the root; an artifact without path by its name."""
        if artifact is None:
            return file
        root = member(self._artifacts.get(artifact), "path")
        if not isinstance(root, str):
            return artifact if file is None else f"{artifact}: {file}"
        return root if file is None or posixpath.basename(root) == file else posixpath.join(root, file)

    def _paths(self) -> Mapping[str, str]:
        """The paths of the artifacts that have one, by name."""
        paths = {name: member(artifact, "path") for name, artifact in self._artifacts.items()}
        return {name: path for name, path in paths.items() if isinstance(path, str)}

    def _command(self, control: ControlDecision, entry: DecidedViolation) -> str:
        violation = entry.violation
        root = member(self._artifacts.get(violation.artifact or ""), "path")
        image = str(entry.digest or "DIGEST") if violation.artifact in self._artifacts and root is None else None
        path = None if image is not None else self.place(violation.artifact, violation.file)
        owner = self._paths().get(min(self._owners(path), default="")) if violation.artifact is None else root
        signed = owner if isinstance(owner, str) else path
        return remedy.command(control.info, violation, Place(path, signed, image))

    def _reason(self, control: ControlDecision, group: Sequence[Violation], expected: set[str] | None) -> Reason:
        first = group[0]
        places = dict.fromkeys(self.place(violation.artifact, violation.file) for violation in group)
        named = [place for place in places if place is not None]
        found = []
        wanted = remedy.expected(control.info, first, "it" if len(places) == 1 else "each")
        is_said = remedy.expected(control.info, first, "it") in first.message
        if expected is not None and wanted not in expected and not is_said:
            expected.add(wanted)
            found.append(f"expected: {wanted}")
        found += self._nearest(control, first) if first.is_missing else self._about(first)
        return Reason(first.message, tuple(named[:_PLACES]), max(len(named) - _PLACES, 0), tuple(found))

    def _about(self, violation: Violation) -> Iterator[str]:
        """The evidence that a violation points at."""
        for digest in violation.evidence:
            if digest in self._rejected:
                refusal = self._rejected[digest]
                self._told.add(digest)
                is_named = refusal.code in violation.message and refusal.origin in violation.message
                start = "" if is_named else f"{refusal.code} in {refusal.origin}: "
                yield f"found: {start}{short(refusal.detail)}"
                return
        items = {item.payload: item for digest in violation.evidence if (item := self._verified.get(digest))}
        if items:
            first = next(iter(items.values()))
            more = f", and {len(items) - 1} more" if len(items) > 1 else ""
            yield f"found: {self._story(first)}, in {first.origin}{more}"

    def _nearest(self, control: ControlDecision, violation: Violation) -> Iterator[str]:
        """The evidence that almost counted: rejected for what is missing, or about other bytes of that name."""
        claims = frozenset(remedy.claims_of(control.info, violation))
        place = self.place(violation.artifact, violation.file)
        owners = self._owners(place) if violation.artifact is None else {violation.artifact}
        for item in self._decision.rejected:
            if _is_one(item.claimed, claims) and (owners & set(item.artifacts) or _names(item.detail, place)):
                yield self._rejection(item)
                return
        for candidate in self._decision.verified:
            if _is_one(candidate.claim, claims):
                digest = _subject_named(candidate, place)
                if digest is not None or owners & set(candidate.artifacts):
                    is_covering = violation.artifact is not None and violation.artifact in candidate.artifacts
                    tail = _NOT_ENOUGH if is_covering else self._difference(digest, owners, place)
                    yield f"nearest: {self._story(candidate)}{tail}"
                    return
        if claims:
            named = " or ".join(sorted(claims))
            yield f"nearest: none; no {named} here is about it"

    def _rejection(self, item: Rejected) -> str:
        start = f"nearest: {item.claimed} in {item.origin}, rejected"
        if self.is_told(item):
            return f"{start} as above ({item.code})"
        self._told.add(item.evidence)
        return f"{start} ({item.code}): {short(item.detail)}"

    def _owners(self, place: str | None) -> set[str]:
        """The artifacts that a path belongs to."""
        roots = self._paths().items()
        return {name for name, root in roots if place and (place == root or place.startswith(f"{root}/"))}

    def _difference(self, digest: Digest | None, owners: set[str], place: str | None) -> str:
        """Which bytes a statement is about, and which those are that are here, where both are known."""
        if digest is None:
            return ", which covers no such file"
        here = {
            member(artifact, "digest")
            for name, artifact in self._artifacts.items()
            if name in owners and member(artifact, "path") == place
        }
        actual = next((value for value in here if isinstance(value, str)), None)
        return f", about {short(digest)} of that name" + (
            f"; the file is {short(actual)}" if actual is not None else ""
        )

    def _name_of(self, digest: Digest) -> str:
        item = self._verified.get(digest)
        return short(digest) if item is None else f"{item.claim} by {signers(item.signers)}"

    def _story(self, item: VerifiedItem) -> str:
        """A statement in a few words: its claim, its stated date, its signers."""
        date = ""
        if item.stated_at_s is not None:
            date = f" of {day(item.stated_at_s)}"
            age = None if self._now_s is None else (self._now_s - item.stated_at_s) // _DAY_S
            date += f" ({counted(age, 'day')} old)" if age is not None and age > 0 else ""
        return f"{item.claim}{date} by {signers(item.signers)}"


def _is_one(claim: str | None, wanted: Iterable[str]) -> bool:
    return claim is not None and any(claim_matches(pattern, claim) for pattern in wanted)


def _open(control: ControlDecision) -> list[DecidedViolation]:
    return [entry for entry in control.violations if not entry.is_covered]


def _names(detail: str, place: str | None) -> bool:
    """Whether a rejection's detail speaks of a path, in full or by its last segment, in quotes as `repr` writes."""
    return place is not None and any(repr(name) in detail for name in (place, posixpath.basename(place)))


def _subject_named(item: VerifiedItem, place: str | None) -> Digest | None:
    """The digest that a statement gives for a path: by the whole of it, else by its last segment."""
    if place is None:
        return None
    return item.subjects.get(place, item.subjects.get(posixpath.basename(place)))


def _objects(value: JsonValue) -> Mapping[str, JsonValue]:
    return value if isinstance(value, Mapping) else {}
