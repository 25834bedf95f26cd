"""`gate recall`: what rests on a key, an identity, a piece of evidence or an artifact, trusted or not.

Evidence and decisions are read one after the other, and of each no more is kept than the search needs. Everything is
read twice: what rests on what is known after the first time, and who else stands behind it is asked then.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gate.app.gather import Counting, silent
from gate.app.recall_artifact import recalled_artifact
from gate.app.recall_reading import Said, read_said
from gate.app.recall_search import Field, also_called, resting_decision, resting_statements, signed_by
from gate.app.recall_target import Asked, Prepared, prepare
from gate.app.workspace import Request, configured_trust, root_of
from gate.collect.directory import each_evidence
from gate.collect.layout import read_layout
from gate.collect.saved import each_saved
from gate.errors import ConfigError, EvidenceError, LimitError
from gate.formats.bundle import BundleError
from gate.formats.image_reference import LayoutReference, parse_layout
from gate.formats.predicates import PLAIN, Reading
from gate.formats.saved_decision import SavedDecisionError, UnreadableDecisionError, read_saved_decision
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence
from gate.model.path import path_text
from gate.model.recall import Counted, Recall, Record, RestingDecision, SavedDecision, Searched
from gate.model.settings import Limits, Settings
from gate.normalize.origins import subject_digests, words
from gate.verify.containers import Opened, open_container, prove, signed_payload
from gate.verify.recall import without
from gate.verify.trust import Proven, TrustStore, Untrusted, build_trust_store

DECISION_BYTES: Final = 64 << 20
MAX_WORDS: Final = 4_000_000
"""Digests that are kept of all evidence together."""
_COUNT: Final = 1_000_000
_REGISTRY: Final = "evidence of {} in its registry was not searched: `gate pull` it and name the folder"
_UNKNOWN: Final = "the public key is not known, so no signature could be checked: give the key itself with --key FILE"
_VAGUE: Final = "{} verification summaries name attestations without a SHA-256: these cannot be compared"
_UNTRUSTED: Final = "gate.yaml was not used, so nothing says who else stands behind what is listed: {}"


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder of evidence: as it is called, and where it lies."""

    shown: str
    root: Path
    name: str
    is_legacy: bool = False


@dataclass(slots=True)
class _Search:
    """A recall on its way. Without `settings`, `problem` says why."""

    asked: Asked
    settings: Settings | None
    reading: Reading
    problem: str
    now_s: int
    root: Path
    folders: tuple[_Folder, ...]
    layouts: Mapping[str, LayoutReference]
    registries: tuple[str, ...]
    progress: Counting
    skipped: dict[str, str] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    count: int = 0
    kept: int = 0
    decisions: int = 0
    vague: int = 0

    # -- reading ---------------------------------------------------------------------------------------------------

    def evidence(self) -> Iterator[Evidence]:
        """All evidence: what is attached in layouts, then folder by folder."""
        limits = replace(self._limits, evidence_count=max(_COUNT, self._limits.evidence_count))
        for shown, image in self.layouts.items():
            try:
                found, left_out = read_layout(self.root, image, limits)
            except EvidenceError as error:
                self.unread[shown] = str(error)
                continue
            yield from found
            self.skipped |= left_out
        for folder in self.folders:
            skipped: dict[str, str] = {}
            for item in each_evidence(folder.root, folder.name, limits, skipped):
                yield replace(item, origin=folder.shown + item.origin[len(folder.name) :], is_legacy=folder.is_legacy)
            if folder.name in skipped and self.asked.directories:
                raise EvidenceError(f"--directory: there is no folder {folder.shown!r}")
            self.skipped |= {folder.shown + path[len(folder.name) :]: reason for path, reason in skipped.items()}

    def opened(self) -> Iterator[tuple[Evidence, Opened]]:
        """All containers; what is none is noted."""
        for item in self.evidence():
            try:
                yield item, open_container(item, self.limit)
            except BundleError as error:
                self.unread[item.origin] = str(error)

    def saved(self) -> Iterator[SavedDecision]:
        """All decisions; what is none is noted in a folder, and an error where it was named."""
        for given in self.asked.decisions:
            for place, data in each_saved(given, DECISION_BYTES):
                try:
                    yield read_saved_decision(place, data, limit=DECISION_BYTES)
                except SavedDecisionError as error:
                    if place == str(given):
                        raise EvidenceError(f"--decisions: {place!r} is no decision: {error}") from None
                    told = self.unread if isinstance(error, UnreadableDecisionError) else self.skipped
                    told[place] = f"no decision: {error}"

    @property
    def _limits(self) -> Limits:
        return self.settings.limits if self.settings is not None else Limits()

    @property
    def limit(self) -> int:
        """The most bytes of one piece of evidence."""
        return self._limits.evidence_bytes

    # -- the search ------------------------------------------------------------------------------------------------

    def run(self) -> Recall:
        prepared = self._prepared()
        with self.progress("reading evidence"):
            found = Field(self._records(prepared))
        recorded: dict[Digest, Counted] = {}
        with self.progress("reading decisions"):
            for saved in self.saved():
                self.decisions += 1
                prepared = replace(prepared, target=also_called(prepared.target, saved))
                signed = (item for item in saved.verified if signed_by(prepared.target, item))
                recorded |= {item.payload: item for item in signed}
        if not self.count and not self.decisions and not self.unread:
            raise EvidenceError(
                "there is nothing to search: no evidence and no decision was found",
                hint="name folders with --directory, saved decisions with --decisions",
            )
        statements = resting_statements(found, prepared.target, recorded, None)
        stands = self._stands(prepared, {place.evidence for item in statements for place in item.places}, found)
        if stands is not None:
            statements = resting_statements(found, prepared.target, recorded, stands)
        decisions: list[RestingDecision] = []
        for saved in self.saved():
            resting = resting_decision(prepared.target, statements, saved)
            decisions += [resting] if resting is not None else []
        decisions.sort(key=lambda item: (item.decided_at, item.id, item.place))
        if prepared.is_unknown and not statements and not decisions:
            raise EvidenceError(
                f"nothing names the key {prepared.target.label}, and without the public key nothing can be checked",
                hint="give the key itself: --key FILE; an old one is in the history of the repository",
            )
        searched = Searched(
            (*self.layouts, *(folder.shown for folder in self.folders)),
            self.count,
            self.decisions,
            dict(sorted(self.unread.items())),
            dict(sorted(self.skipped.items())),
            self._notes(prepared),
        )
        return Recall(prepared.target, searched, statements, tuple(decisions))

    def _prepared(self) -> Prepared:
        if self.asked.artifact is None:
            containers = (container for _, container in self.opened())
            return prepare(self.asked, self.settings, self.now_s, containers, self.limit)
        root = self.root if self.settings is not None else None
        with self.progress("hashing what is recalled"):
            found = recalled_artifact(
                self.asked.artifact, self.settings, root, lambda: (self._read(*item) for item in self.opened())
            )
        self.unread |= found.unread
        return Prepared(found.target, recipes=found.recipes, notes=found.notes)

    def _records(self, prepared: Prepared) -> Iterator[Record]:
        for item in self.opened():
            record = self._record(*item, prepared)
            self.count += 1
            self.kept += len(record.about) + len(record.inputs) + len(record.depends_on)
            if self.kept > MAX_WORDS:
                raise LimitError(
                    f"the evidence names more than {MAX_WORDS} digests", hint="recall folder by folder: --directory"
                )
            yield record

    def _record(self, item: Evidence, container: Opened, prepared: Prepared) -> Record:
        """What an item says, and whether what is recalled signed it."""
        match = prepared.matcher.match(item.data, container) if prepared.matcher is not None else None
        signed, note = (None, "") if match is None else (match.standing, match.note)
        said = self._read(item, container)
        self.vague += said.is_vague
        named = [(subject.name, words(subject_digests(subject))) for subject in said.subjects]
        return Record(
            payload=sha256_digest(signed_payload(container)),
            evidence=sha256_digest(item.data),
            origin=item.origin,
            claim=said.claim,
            subjects=tuple((name, found[0]) for name, found in named if found),
            about=frozenset({*said.subject_words(), *said.resource_words(prepared.recipes), *said.wholes()}),
            inputs=said.inputs,
            depends_on=said.depends_on,
            signed=signed,
            note=note,
        )

    def _read(self, item: Evidence, container: Opened) -> Said:
        said = read_said(item, container, self.limit, self.reading)
        if said.problem:
            self.unread[item.origin] = said.problem
        return said

    def _stands(
        self, prepared: Prepared, wanted: Collection[Digest], found: Field
    ) -> Mapping[Digest, tuple[str, ...]] | None:
        """Who stands behind each statement without what is recalled, and is enough for its claim."""
        if self.settings is None:
            return None
        store = build_trust_store(without(self.settings.trust, prepared.target), self.now_s)
        proven: dict[Digest, set[Proven]] = {}
        with self.progress("asking who else signed"):
            for item in self.evidence():
                evidence = sha256_digest(item.data)
                if evidence in wanted:
                    container = open_container(item, self.limit)
                    payload = sha256_digest(signed_payload(container))
                    if not store.is_revoked_evidence(evidence, payload):
                        proven.setdefault(payload, set()).update(_proven(container, store))
        return {payload: _enough(store, frozenset(who), found.claim(payload)) for payload, who in proven.items()}

    def _notes(self, prepared: Prepared) -> tuple[str, ...]:
        notes = [_UNKNOWN] if prepared.is_unknown else []
        notes += [*prepared.notes, *([_VAGUE.format(self.vague)] if self.vague else [])]
        if self.settings is None:
            return (*notes, _UNTRUSTED.format(self.problem))
        return (*notes, *(_REGISTRY.format(name) for name in self.registries))


def recall(request: Request, asked: Asked, progress: Counting = silent) -> Recall:
    """What rests on what is asked for.

    Raises `ConfigError` for a key that is none, `EvidenceError` for what cannot be read, and when nothing was searched.
    """
    settings, reading, problem = None, PLAIN, ""
    try:
        settings, trust = configured_trust(request)
        reading = trust.reading
    except ConfigError as error:
        # A recall needs no trust, but it has to be told where to look.
        if not asked.directories and not asked.decisions:
            raise
        problem = str(error)
    layouts, registries = _images(settings)
    return _Search(
        asked=asked,
        settings=settings,
        reading=reading,
        problem=problem,
        now_s=request.now_s,
        root=root_of(request) if settings is not None else request.start,
        folders=tuple(_folders(request, asked, settings)),
        layouts=layouts,
        registries=registries,
        progress=progress,
    ).run()


def _folders(request: Request, asked: Asked, settings: Settings | None) -> Iterator[_Folder]:
    """Those that a person named, from where that person is, or those of gate.yaml."""
    for given in asked.directories:
        path = Path(os.path.realpath(given))
        yield _Folder(path_text(os.fsencode(given)), path.parent, path.name)
    if settings is not None and not asked.directories:
        for name in settings.evidence_directories:
            yield _Folder(name, root_of(request), name, name in settings.legacy_directories)


def _images(settings: Settings | None) -> tuple[Mapping[str, LayoutReference], tuple[str, ...]]:
    """The layouts that evidence of images lies in, by name, and the artifacts whose evidence is in registries."""
    layouts: dict[str, LayoutReference] = {}
    registries: list[str] = []
    for source in settings.evidence_registries if settings is not None else ():
        image = settings.artifacts[source.artifact].image or "" if settings is not None else ""
        layout = parse_layout(image) if source.repository is None else None
        if layout is None:
            registries.append(source.artifact)
        else:
            layouts[image] = layout
    return layouts, tuple(registries)


def _proven(container: Opened, store: TrustStore) -> frozenset[Proven]:
    try:
        return prove(container, store).proven
    except Untrusted:
        return frozenset()


def _enough(store: TrustStore, proven: frozenset[Proven], claim: str | None) -> tuple[str, ...]:
    """The signers who may speak for the claim, if they are as many as it needs."""
    try:
        return tuple(signer.name for signer in store.authorised(proven, claim or ""))
    except Untrusted:
        return ()
