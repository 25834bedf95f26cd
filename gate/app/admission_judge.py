"""One review, judged: the use case behind a webhook, and behind the audit of what runs already."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Final, Protocol

from gate.app.admission_answer import Decided, Undecided, answer_of
from gate.app.admission_facts import READING, VERIFYING, AdmissionGathering, Holdings, Uses, resolved_uses, settings_for
from gate.app.check import EVALUATING, judge
from gate.app.recorder import Recorder
from gate.app.workspace import Workspace
from gate.collect.admission import TagError, UnknownRegistryError
from gate.errors import ClockError, ConfigError, EvidenceError, GateError, PolicyError, RecordError, UnavailableError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.formats.workloads.reviewed import read_reviewed
from gate.model.admission import Answer, Cause, Review, Reviewed, Role
from gate.model.admission_settings import AdmissionMode, AdmissionSettings
from gate.model.decision import Decision
from gate.model.document import InputDocument
from gate.model.settings import EngineSettings, Settings

MARGIN_S: Final = 0.25
"""What is kept of the time for judging, when registries are asked."""
_PROBLEMS: Final = 3
# A container that becomes one of other objects' pods, which are asked for by themselves.
_PODLESS: Final = frozenset({"ClusterStorageContainer"})
_CAUSES: Final[tuple[tuple[type[GateError], Cause], ...]] = (
    (UnknownRegistryError, Cause.REFERENCE),
    (TagError, Cause.REFERENCE),
    (UnavailableError, Cause.REGISTRY),
    (EvidenceError, Cause.EVIDENCE),
    (PolicyError, Cause.POLICY),
    (RecordError, Cause.RECORD),
    (ClockError, Cause.CLOCK),
    (ConfigError, Cause.CONFIGURATION),
)
"""The cause of an error is that of the first class that it is of."""
_STAGES: Final = {READING: "registry", VERIFYING: "verify", EVALUATING: "evaluate"}


class State(Holdings, Protocol):
    """What reviews are judged with."""

    @property
    def settings(self) -> Settings:
        """The configuration."""

    @property
    def engine(self) -> Engine:
        """The policy, loaded."""

    @property
    def recorder(self) -> Recorder | None:
        """The decision log, where one is configured."""

    def now_s(self) -> int:
        """The time of a decision; raises `ClockError`."""

    def at(self, now_s: int) -> Workspace:
        """The workspace for a decision at a time."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to a review, and the decision that it rests on, if one was made."""

    decision: Decision | None
    answer: Answer


@dataclass(slots=True)
class Stages:
    """How long each stage took, in seconds, by a closed set of words."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Times what is done in it."""
        begin = time.monotonic()
        try:
            yield
        finally:
            self.seconds[name] = self.seconds.get(name, 0.0) + time.monotonic() - begin

    def __call__(self, what: str, _items: int = 0, /) -> AbstractContextManager[None]:
        """The same for what a use case says that it does."""
        return self.stage(_STAGES.get(what, "other"))


def judge_review(
    state: State, review: Review, ends_at: float, *, is_recorded: bool = True, stages: Stages | None = None
) -> Judgement:
    """The answer to a review, before `ends_at` on the monotonic clock as far as others answer in time.

    Errors of the gate are answers too. A decision that `is_recorded` not, whatever is configured, is for being looked
    at and may not be given to an API server.
    """
    stages = stages or Stages()
    with stages.stage("read"):
        reviewed = read_reviewed(review, state.admission.places, state.admission.limits.images)
    return judge_object(state, review, reviewed, ends_at, is_recorded=is_recorded, stages=stages)


def judge_object(
    state: State,
    review: Review,
    reviewed: Reviewed,
    ends_at: float,
    *,
    is_recorded: bool = True,
    stages: Stages | None = None,
) -> Judgement:
    """The same for an object that was read."""
    mode = state.admission.mode
    problem = _problem_of(review, reviewed, state.admission)
    if problem is not None:
        return Judgement(None, answer_of(review.uid, mode, Undecided(Cause.OBJECT, problem)))
    try:
        found = _decided(state, _Case(review, reviewed, ends_at, is_recorded), stages or Stages())
    except GateError as error:
        cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), Cause.BUG)
        return Judgement(None, answer_of(review.uid, mode, Undecided(cause, str(error), error.hint)))
    decision = found.decision if isinstance(found, Decided) else None
    return Judgement(decision, answer_of(review.uid, mode, found))


def _problem_of(review: Review, reviewed: Reviewed, admission: AdmissionSettings) -> str | None:
    """Why an object is refused before anything is asked: it is not wholly understood, or asks for nothing."""
    if reviewed.problems:
        shown, left = reviewed.problems[:_PROBLEMS], len(reviewed.problems) - _PROBLEMS
        return "; ".join(shown) + (f"; and {left} more" if left > 0 else "")
    if not reviewed.asked:
        return "the object asks for no image, so there is nothing to judge"
    if len(reviewed.asked) > admission.limits.images:
        most = admission.limits.images
        return f"the object asks for {len(reviewed.asked)} images, admission.limits.images allows {most}"
    runs = any(item.role is Role.CONTAINER for item in reviewed.asked)
    podless = review.kind.kind in _PODLESS or any(item.kind == review.kind for item in admission.places)
    if runs and not reviewed.workloads and not podless:
        return "nothing is known of the pods that its containers are of"
    return None


@dataclass(frozen=True, slots=True)
class _Case:
    """One review as it was read."""

    review: Review
    reviewed: Reviewed
    ends_at: float
    is_recorded: bool


def _decided(state: State, case: _Case, stages: Stages) -> Decided | Undecided:
    """Raises a `GateError` where no decision can be made, or none that may be given."""
    settings, recorder = state.settings, state.recorder
    now_s = state.now_s()
    wanted = case.is_recorded and settings.record is not None
    if wanted and recorder is None:
        raise RecordError("decisions are to be recorded, and no log is open")
    if wanted and recorder is not None:
        recorder.check()
    asked_until = case.ends_at - MARGIN_S
    with stages.stage("registry"):
        uses = resolved_uses(case.reviewed.asked, state.registries, asked_until)
    workspace = _with(state.at(now_s), settings_for(settings, uses, state.admission))
    records: list[object] = []

    def recording(at: Workspace, decision: Decision, document: InputDocument) -> None:
        if recorder is not None:
            with stages.stage("record"):
                records.append(recorder.record(at.bundle, decision, document, state.now_s(), case.ends_at))

    def engine(_settings: EngineSettings, _bundle: PolicyBundle) -> Engine:
        if time.monotonic() >= case.ends_at:
            raise _LateError("there was no time left to judge")
        return state.engine

    try:
        judged = judge(
            workspace,
            dry_run=state.admission.mode is AdmissionMode.DRY_RUN,
            progress=stages,
            engine=engine,
            is_recorded=case.is_recorded,
            gathering=AdmissionGathering(state, case.review, case.reviewed, uses, asked_until),
            recording=recording,
        )
    except _LateError as error:
        return Undecided(Cause.DEADLINE, str(error))
    if wanted and not records:
        raise RecordError("the decision was not recorded")
    return Decided(judged.decision, bool(records), tuple(_tag_notes(uses)))


class _LateError(Exception):
    """The time for an answer is over."""


def _with(workspace: Workspace, settings: Settings) -> Workspace:
    """The workspace with other settings, and without the repository that it may lie in: no change is judged."""
    return replace(workspace, settings=settings, repository=None, range=None, jobs=1)


def _tag_notes(uses: Uses) -> Iterator[str]:
    for item in uses.tags:
        name = uses.places[item.place].artifact
        yield f"{item.place}: {item.reference} has no digest; {name} was judged, and another image may run: name it so"
