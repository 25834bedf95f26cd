"""A whole case from evidence to decision, without files: verify, normalize, evaluate (embedded engine), decide.

`good_case()` is allowed. Tests change one thing and look at the exit code.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gate.app.case import Circumstances
from gate.app.case import case_of as made_from
from gate.decide import Case, decide
from gate.evaluate.accept import evaluate
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.evaluate.catalogue import load_profile
from gate.evaluate.interface import Engine
from gate.evaluate.regorus import RegorusEngine
from gate.formats.rfc3339 import format_time
from gate.model.artifact import Artifact
from gate.model.change import ChangeSet, ChangeSource, ChangeStatus, FileChange, FileSide
from gate.model.control import Evaluation, Profile
from gate.model.decision import Decision
from gate.model.digest import Digest
from gate.model.document import InputDocument
from gate.model.evidence import Evidence, VerifiedSet
from gate.model.policy import JudgingPolicy
from gate.model.scan import Basis, Coverage, Scan, ScanStatus
from gate.model.settings import ArtifactSettings, GateSettings, Limits, Settings, SignerSettings, Target, TrustSettings
from gate.model.waiver import Waiver
from gate.normalize.document import Facts, build_document
from gate.verify.pipeline import verify_evidence
from gate.verify.trust import build_trust_store
from tests.support.evidence import (
    NOW_S,
    bundle,
    digest_of,
    digests,
    folder,
    make_key,
    model_signature,
    no_other_digest,
    provenance,
    signer,
    statement,
    trust_settings,
)

DAY_S: Final = 86_400
MODEL: Final = {"config.json": '{"architectures": []}', "model.safetensors": "weights"}
SYSTEM: Final = "You are a helpful summarizer."
TOOLS: Final = "search: allowed"
PROMPT_PATHS: Final = {"app/system.txt": SYSTEM, "app/tools.txt": TOOLS}
GATE: Final = GateSettings("G001", ("app/**",), ("prompt", "eval"), "Prompt changes need a prompt and an eval.")


@functools.cache
def packaged() -> PolicyBundle:
    return packaged_bundle()


@functools.cache
def embedded() -> RegorusEngine:
    return RegorusEngine(packaged())


def side(content: str | None, mode: str = "100644") -> FileSide | None:
    return None if content is None else FileSide(mode, digest_of(content))


def change_of(
    *,
    added: Mapping[str, str] | None = None,
    modified: Mapping[str, tuple[str, str]] | None = None,
    deleted: Mapping[str, str] | None = None,
    folders: Mapping[str, frozenset[Digest]] | None = None,
    source: ChangeSource = ChangeSource.COLLECTED,
    dirty: bool = False,
) -> ChangeSet:
    """A change set of text files."""
    files = {path: FileChange(ChangeStatus.ADDED, None, side(new)) for path, new in (added or {}).items()}
    files |= {
        path: FileChange(ChangeStatus.MODIFIED, side(old), side(new)) for path, (old, new) in (modified or {}).items()
    }
    files |= {path: FileChange(ChangeStatus.DELETED, side(old), None) for path, old in (deleted or {}).items()}
    base, head = ("a" * 40, "b" * 40) if source is ChangeSource.COLLECTED else (None, None)
    return ChangeSet(source, base, base, head, head, dirty, files, dict(folders or {}))


def inspection(artifact: Artifact) -> Scan:
    """A complete inspection of an artifact that found nothing."""
    found = digests(artifact)
    coverage = Coverage(len(artifact.files), found)
    return Scan("gate", "1", Basis.INSPECTED, artifact.name, None, ScanStatus.COMPLETE, coverage)


@dataclass(frozen=True)
class Scene:
    """Everything a decision is made from. `replace` gives a changed copy."""

    evidence: tuple[bytes, ...]
    artifacts: tuple[Artifact, ...] = ()
    change: ChangeSet = field(default_factory=change_of)
    gates: tuple[GateSettings, ...] = (GATE,)
    trust: TrustSettings = field(default_factory=lambda: trust_settings(*signers()))
    scans: tuple[Scan, ...] | None = None
    waivers: tuple[Waiver, ...] = ()
    profile: str = "baseline"
    parameters: Mapping[str, Mapping[str, str | int | bool]] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    allow_empty_diff: bool = False
    environment: str = "production"
    now_s: int = NOW_S

    def replace(self, **changes: object) -> Scene:
        return dataclasses.replace(self, **changes)  # type: ignore[arg-type]

    def plus(self, *more: bytes) -> Scene:
        return self.replace(evidence=(*self.evidence, *more))

    def without(self, index: int) -> Scene:
        return self.replace(evidence=self.evidence[:index] + self.evidence[index + 1 :])


def signers() -> tuple[SignerSettings, ...]:
    return (
        signer("release", claims=("artifact.signature", "prompt", "eval", "test.result")),
        signer("builder", claims=("build.*",)),
        signer("approver", claims=("approval",)),
        signer("second", claims=("approval",)),
    )


def settings_of(scene: Scene) -> Settings:
    return Settings(
        path="gate.yaml",
        source="worktree",
        digest=digest_of("gate.yaml"),
        target=Target.DEPLOYMENT,
        environment=scene.environment,
        profile=scene.profile,
        artifacts={
            item.name: ArtifactSettings(item.name, item.kind, item.path, item.reference, None)
            for item in scene.artifacts
        },
        evidence_directories=(".gate/attestations",),
        reports=(),
        gates={item.id: item for item in scene.gates},
        trust=scene.trust,
        parameters=scene.parameters,
        waivers_path="waivers.yaml" if scene.waivers else None,
        waivers=None,
        allow_empty_diff=scene.allow_empty_diff,
        limits=scene.limits,
        profile_text=None,
    )


def profile_of(scene: Scene) -> Profile:
    return load_profile(
        scene.profile,
        packaged().profiles[scene.profile],
        packaged().catalogue,
        scene.parameters,
        allow_empty_diff=scene.allow_empty_diff,
    )


def verified_set(scene: Scene) -> VerifiedSet:
    settings = settings_of(scene)
    protected = {
        path: entry.new.digest if entry.new is not None else None
        for path, entry in scene.change.files.items()
        if path.startswith("app/") or path in settings.steering
    }
    return verify_evidence(
        [Evidence(f"{number}.json", data) for number, data in enumerate(scene.evidence)],
        build_trust_store(scene.trust, scene.now_s),
        {item.name: item for item in scene.artifacts},
        protected,
        limit=settings.limits.evidence_bytes,
        other_digest=no_other_digest,
    )


def facts_of(scene: Scene, evidence: VerifiedSet | None = None) -> Facts:
    scans = scene.scans if scene.scans is not None else tuple(inspection(item) for item in scene.artifacts)
    return Facts(
        settings=settings_of(scene),
        profile=profile_of(scene),
        artifacts={item.name: item for item in scene.artifacts},
        change=scene.change,
        evidence=evidence if evidence is not None else verified_set(scene),
        scans=scans,
        waivers={item.id: item for item in scene.waivers},
        now_s=scene.now_s,
    )


def document_of(scene: Scene) -> InputDocument:
    return build_document(facts_of(scene))


def case_of(scene: Scene, document: InputDocument, evaluation: Evaluation) -> Case:
    """The case as `gate check` makes it: from the document."""
    settings = settings_of(scene)
    how = Circumstances(
        identity="01TEST",
        configuration=settings.digest,
        configuration_source=settings.source,
        trust=settings.trust.digest,
        rules=digest_of("rules"),
        policy=JudgingPolicy(),
        gate_version="0",
        dry_run=False,
    )
    return made_from(document, packaged().catalogue, evaluation, how)


def judge(scene: Scene, engine: Engine | None = None) -> Decision:
    """The whole way."""
    facts = facts_of(scene)
    document = build_document(facts)
    evaluation = evaluate(engine or embedded(), packaged(), facts.profile, document)
    return decide(case_of(scene, document, evaluation))


# -- good cases --------------------------------------------------------------------------------------------------------


def at(seconds: int) -> dict[str, str]:
    return {"created_at": format_time(seconds)}


def summarizer() -> Artifact:
    return folder("summarizer", MODEL)


def good_model(artifact: Artifact | None = None) -> Scene:
    """A signed model with provenance that asks for admission; nothing is changed below a gate."""
    model = artifact or summarizer()
    files = digests(model)
    return Scene(
        evidence=(
            bundle(model_signature(files, "summarizer")),
            bundle(provenance(files), make_key("builder")),
        ),
        artifacts=(model,),
        change=change_of(added={"docs/readme.md": "text"}),
    )


def good_prompt(files: Mapping[str, str] | None = None) -> Scene:
    """A changed prompt with its attestations; no artifact asks for admission."""
    texts = dict(files or PROMPT_PATHS)
    named = {path: digest_of(text) for path, text in texts.items()}
    return Scene(
        evidence=(
            bundle(statement("prompt", named, predicate=at(NOW_S - DAY_S))),
            bundle(statement("eval", named, predicate=at(NOW_S - DAY_S))),
        ),
        change=change_of(added=texts),
    )


def good_case() -> Scene:
    """A model and a changed prompt, each with all that is asked of it."""
    model, prompt = good_model(), good_prompt()
    return model.replace(evidence=(*model.evidence, *prompt.evidence), change=prompt.change)


def waiver(**fields: object) -> Waiver:
    values: dict[str, object] = {
        "id": "W-1",
        "control": "scan.malware",
        "artifact": digest_of("x"),
        "finding": None,
        "reason": "known",
        "ticket": "T-1",
        "owner": "ann",
        "approver": "ben",
        "created_s": NOW_S - DAY_S,
        "expires_s": NOW_S + 60 * DAY_S,
    }
    return Waiver(**(values | fields))  # type: ignore[arg-type]


# -- sets of attestations: one change to the good case -----------------------------------------------------------------

Row = tuple[Scene, int]
"""A case and its exit code."""
FILES: Final = digests(summarizer())
NAMED: Final = {path: digest_of(text) for path, text in PROMPT_PATHS.items()}
SIGNATURE, PROVENANCE, PROMPT, EVAL = good_case().evidence
BUILDER, APPROVER, STRANGER = (make_key(name) for name in ("builder", "approver", "stranger"))


def prompt_of(
    files: Mapping[str, Digest], claim: str = "prompt", *, age_s: int = DAY_S, depends_on: Sequence[Digest] = ()
) -> bytes:
    """The payload of a statement that was made a while ago."""
    return statement(claim, files, predicate=at(NOW_S - age_s), depends_on=depends_on)


def evidence(*items: bytes) -> Scene:
    """The good case with other evidence."""
    return good_case().replace(evidence=items)
