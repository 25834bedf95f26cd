"""`gate check`: from a request to a decision; and the document on the way there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gate import __version__
from gate.app.case import Circumstances, case_of
from gate.app.engines import open_engine
from gate.app.gather import Counting, Gathered, gather, silent
from gate.app.policy import judging_policy, rules_digest
from gate.app.workspace import Request, Workspace, open_workspace
from gate.decide import decide
from gate.evaluate.accept import evaluate
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.evaluate.loaded import asking
from gate.formats.predicates.waiver import signed_waiver
from gate.model.artifact import Artifact
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.reuse import Setting, Summary, summaries
from gate.model.settings import EngineSettings
from gate.model.waiver import Waiver, combine
from gate.normalize.document import Facts, build_document

EVALUATING: Final = "evaluating the policy"
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
EngineFactory = Callable[[EngineSettings, PolicyBundle], Engine]
Gathering = Callable[[Workspace, Counting], Gathered]
Recording = Callable[[Workspace, Decision, InputDocument], None]
"""Has a decision recorded and synced, or raises a `GateError`: then it may not be given."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A decision with the document and the artifacts it was made from."""

    decision: Decision
    document: InputDocument
    artifacts: Mapping[str, Artifact]


def check(
    request: Request,
    *,
    dry_run: bool = False,
    progress: Counting = silent,
    engine: EngineFactory = open_engine,
    is_recorded: bool = True,
) -> Judged:
    """Judges; raises a `GateError` when no decision can be made. See `judge`."""
    workspace = open_workspace(request)
    return judge(workspace, dry_run=dry_run, progress=progress, engine=engine, is_recorded=is_recorded)


def judge(
    workspace: Workspace,
    *,
    dry_run: bool = False,
    progress: Counting = silent,
    engine: EngineFactory = open_engine,
    is_recorded: bool = True,
    gathering: Gathering | None = None,
    recording: Recording | None = None,
) -> Judged:
    """Judges an opened workspace; raises like `check`, also when the decision cannot be recorded (SECURITY 36).

    One that `is_recorded` not, whatever is configured, is for being looked at and may not be given as an answer.
    `gathering` reads and verifies what is judged, `recording` keeps the decision where the configuration wants it.
    """
    gathered = (gather if gathering is None else gathering)(workspace, progress)
    waivers, reuse = _waivers(workspace, gathered), _summaries(workspace, gathered)
    document = _document(workspace, gathered, waivers, reuse)
    with progress(EVALUATING):
        bundle, settings = workspace.bundle, workspace.settings
        loading = asking(bundle, workspace.profile.asked)
        evaluation = evaluate(engine(settings.engine, loading), bundle, workspace.profile, document)
    how = Circumstances(
        identity=new_id(workspace.now_s),
        configuration=settings.digest,
        configuration_source=settings.source,
        trust=settings.trust.digest,
        rules=rules_digest(bundle, workspace.profile, settings),
        policy=judging_policy(settings.policy, bundle),
        gate_version=__version__,
        dry_run=dry_run,
    )
    decision = decide(case_of(document, bundle.catalogue, evaluation, how))
    if is_recorded and settings.record is not None:
        (recording or _record)(workspace, decision, document)
    return Judged(decision, document, gathered.artifacts)


def _record(workspace: Workspace, decision: Decision, document: InputDocument) -> None:
    """Appends to the log that is configured, which is opened for that."""
    from gate.app.record import record_decision

    if workspace.settings.record is not None:
        place = (workspace.root, workspace.repository)
        bundle, at_s = workspace.bundle, int(time.time())
        record_decision(workspace.settings.record, *place, bundle, decision, document, at_s)


def input_document(request: Request, progress: Counting = silent) -> InputDocument:
    """The document that `check` would judge."""
    workspace = open_workspace(request)
    gathered = gather(workspace, progress)
    return _document(workspace, gathered, _waivers(workspace, gathered), _summaries(workspace, gathered))


def _waivers(workspace: Workspace, gathered: Gathered) -> Mapping[str, Waiver]:
    """The waivers of the configured file, and those that verified statements make."""
    signed = (signed_waiver(item) for item in gathered.evidence.verified)
    return combine([*workspace.waivers.values(), *(waiver for waiver in signed if waiver is not None)])


def _summaries(workspace: Workspace, gathered: Gathered) -> tuple[Summary, ...]:
    """What the verification summaries of trusted verifiers are good for."""
    settings = workspace.settings
    setting = Setting(
        verifiers=settings.reuse,
        artifacts=gathered.artifacts,
        rules=rules_digest(workspace.bundle, workspace.profile, settings),
        revoked=settings.trust.revoked.evidence,
        now_s=workspace.now_s,
    )
    return summaries(gathered.evidence.verified, gathered.evidence.rejected, setting)


def _document(
    workspace: Workspace, gathered: Gathered, waivers: Mapping[str, Waiver], reuse: tuple[Summary, ...]
) -> InputDocument:
    return build_document(
        Facts(
            settings=workspace.settings,
            profile=workspace.profile,
            artifacts=gathered.artifacts,
            change=gathered.change,
            evidence=gathered.evidence,
            scans=gathered.scans,
            dependencies=gathered.dependencies,
            workloads=gathered.workloads,
            signals=gathered.signals,
            waivers=waivers,
            reuse=reuse,
            now_s=workspace.now_s,
            admission=gathered.admission,
        )
    )


def new_id(now_s: int) -> str:
    """A ULID: the time in milliseconds and 80 random bits, in Crockford's base 32."""
    number = (now_s * 1000) << 80 | int.from_bytes(os.urandom(10), "big")
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
