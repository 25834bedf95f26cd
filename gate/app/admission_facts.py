"""From what an object asks for to what is judged: its images as artifacts, and what is attached to each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Final, Protocol

from gate.app.admission_glass import Asking, read_break_glass
from gate.app.gather import Counting, Gathered, named_here, root_notes
from gate.app.workspace import Workspace
from gate.collect.admission import Fetched, Registries, Resolved
from gate.errors import EvidenceError, LimitError
from gate.model.admission import AdmissionFacts, Asked, ImageUse, Review, Reviewed, Role
from gate.model.admission_settings import AdmissionSettings
from gate.model.artifact import Artifact, ArtifactKind
from gate.model.change import ChangeSet, ChangeSource
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Evidence, VerifiedSet
from gate.model.registry import OciEvidence
from gate.model.settings import ArtifactSettings, Settings
from gate.verify.pipeline import admit_evidence

_AT_ONCE: Final = 8
READING: Final = "reading what is attached to the images"
VERIFYING: Final = "verifying it"


class Holdings(Protocol):
    """What of a state is needed here: registries, and the evidence of the configured folders."""

    @property
    def admission(self) -> AdmissionSettings:
        """The section of the configuration."""

    @property
    def registries(self) -> Registries:
        """Where images and what is attached to them lie."""

    @property
    def evidence(self) -> Sequence[Evidence]:
        """What the configured folders held."""

    @property
    def skipped(self) -> Mapping[str, str]:
        """What was left out there, and why."""


@dataclass(frozen=True, slots=True)
class Image:
    """An artifact of the decision: an image in one kind of use."""

    name: str
    kind: ArtifactKind
    resolved: Resolved

    @property
    def artifact(self) -> Artifact:
        """As the input document has it."""
        reference, digest = self.resolved.reference, self.resolved.digest
        return Artifact(self.name, self.kind, None, reference, False, None, digest, {})


@dataclass(frozen=True, slots=True)
class Uses:
    """The images of an object: each artifact once, and by place what stands there."""

    images: tuple[Image, ...]
    places: Mapping[str, ImageUse]
    tags: tuple[Asked, ...]

    @property
    def digests(self) -> frozenset[Digest]:
        """Of all images."""
        return frozenset(image.resolved.digest for image in self.images)


def resolved_uses(asked: Sequence[Asked], registries: Registries, ends_at: float) -> Uses:
    """The images that are meant, each reference looked up once; raises `EvidenceError`, for one of them too."""
    found = {text: registries.resolve(text, ends_at) for text in dict.fromkeys(item.reference for item in asked)}
    contained = {found[item.reference].reference for item in asked if item.role is Role.CONTAINER}
    images: dict[str, Image] = {}
    places: dict[str, ImageUse] = {}
    for item in asked:
        resolved = found[item.reference]
        is_both = item.role is not Role.CONTAINER and resolved.reference in contained
        name = f"{resolved.reference} ({item.role.kind.value})" if is_both else resolved.reference
        images[name] = Image(name, item.role.kind, resolved)
        places[item.place] = ImageUse(item.reference, item.role, name)
    if len(places) < len(asked):
        raise EvidenceError("two images stand at one place of the object")
    tags = tuple(item for item in asked if found[item.reference].was_tag)
    return Uses(tuple(images[name] for name in sorted(images)), places, tags)


def settings_for(settings: Settings, uses: Uses, admission: AdmissionSettings) -> Settings:
    """The configuration as `gate check` would have it for these images alone.

    What is configured of a repository is not judged: artifacts, gates, reports, manifests and signals. Whom to trust,
    the policy, the profile and the waivers stay as they are.
    """
    artifacts = {
        image.name: ArtifactSettings(image.name, image.kind, None, image.resolved.reference, None)
        for image in uses.images
    }
    registries = tuple(_source(image, admission) for image in uses.images)
    return replace(
        settings,
        artifacts=artifacts,
        evidence_registries=registries,
        reports=(),
        manifests=(),
        signals=(),
        gates={},
    )


def _source(image: Image, admission: AdmissionSettings) -> OciEvidence:
    registry = admission.registries.get(image.resolved.repository.registry)
    return OciEvidence(image.name) if registry is None else OciEvidence(image.name, registry.evidence, registry.access)


@dataclass(frozen=True, slots=True)
class AdmissionGathering:
    """Reads and verifies for one review; what `gather` is for a check."""

    held: Holdings
    review: Review
    reviewed: Reviewed
    uses: Uses
    ends_at: float

    def __call__(self, workspace: Workspace, progress: Counting) -> Gathered:
        """Raises `EvidenceError` for an image of which something cannot be read, unless an exception excuses that."""
        facts = self._facts(workspace)
        excused = facts.break_glass is not None and facts.break_glass.holds
        with progress(READING):
            fetched, unread = self._fetched(excused=excused)
        items, skipped = self._together(fetched, root_notes(workspace))
        if len(items) > workspace.settings.limits.evidence_count:
            raise LimitError(f"{len(items)} pieces of evidence are too many", hint="limits.evidence_count in gate.yaml")
        with progress(VERIFYING):
            artifacts = {image.name: image.artifact for image in self.uses.images}
            evidence = self._verified(workspace, items, artifacts)
        last_seen = tuple(name for name, found in fetched.items() if found.is_last_seen)
        return Gathered(
            artifacts=artifacts,
            change=ChangeSet(ChangeSource.EVERYTHING, None, None, None, None, False, {}, {}),
            evidence=replace(evidence, skipped={**evidence.skipped, **skipped}),
            scans=(),
            dependencies={},
            signals=(),
            workloads=self.reviewed.workloads,
            admission=replace(facts, last_seen=last_seen, unread=unread),
        )

    def _facts(self, workspace: Workspace) -> AdmissionFacts:
        review, text = self.review, self.reviewed.break_glass
        is_recorded = workspace.settings.record is not None
        asking = Asking(review.namespace, self.uses.digests, workspace.now_s, is_recorded)
        settings = self.held.admission.break_glass
        return AdmissionFacts(
            operation=review.operation,
            kind=review.kind,
            resource=review.resource,
            sub_resource=review.sub_resource,
            namespace=review.namespace,
            name=review.name,
            dry_run=review.dry_run,
            images=self.uses.places,
            break_glass=None if text is None else read_break_glass(text, settings, workspace.trust, asking),
        )

    def _fetched(self, *, excused: bool) -> tuple[Mapping[str, Fetched], Mapping[str, str]]:
        """What is attached, by artifact, and why nothing of one could be read where that is excused."""
        one_each = {image.resolved.reference: image.resolved for image in self.uses.images}
        found: dict[str, Fetched | EvidenceError] = {}
        if len(one_each) == 1:
            found = {reference: self._one(resolved) for reference, resolved in one_each.items()}
        else:
            with ThreadPoolExecutor(min(len(one_each), _AT_ONCE), "registry") as threads:
                found = dict(zip(one_each, threads.map(self._one, one_each.values()), strict=True))
        read: dict[str, Fetched] = {}
        unread: dict[str, str] = {}
        for image in self.uses.images:
            answer = found[image.resolved.reference]
            if isinstance(answer, Fetched):
                read[image.name] = answer
            elif excused:
                unread[image.name] = str(answer)
            else:
                raise answer
        return read, unread

    def _one(self, resolved: Resolved) -> Fetched | EvidenceError:
        try:
            return self.held.registries.fetched(resolved, self.ends_at)
        except EvidenceError as error:
            return error

    def _together(
        self, fetched: Mapping[str, Fetched], notes: Mapping[str, str]
    ) -> tuple[list[Evidence], dict[str, str]]:
        """All evidence. What is attached to several images is the same evidence, and not there twice."""
        items = list(self.held.evidence)
        skipped = {**notes, **self.held.skipped}
        known = {sha256_digest(item.data) for item in items}
        read: set[str] = set()
        for image in self.uses.images:
            answer = fetched.get(image.name)
            if answer is None or image.resolved.reference in read:
                continue
            read.add(image.resolved.reference)
            new = [(sha256_digest(item.data), item) for item in answer.items]
            items += [item for digest, item in new if digest not in known]
            known |= {digest for digest, _ in new}
            skipped |= answer.skipped
        return items, skipped

    def _verified(
        self, workspace: Workspace, items: Sequence[Evidence], artifacts: Mapping[str, Artifact]
    ) -> VerifiedSet:
        admission = admit_evidence(items, workspace.trust, limit=workspace.settings.limits.evidence_bytes)
        named = named_here(workspace, admission, artifacts)
        return admission.settle(artifacts, {}, lambda _digest, _algorithm: None, named)
