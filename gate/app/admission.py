"""What is behind a webhook: from the bytes of a request to the answer, and what it is made of."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Protocol, Self

from gate.app.admission_answer import refusing_controls, unread
from gate.app.admission_held import Health, Held, Reloaded
from gate.app.admission_judge import Judgement, Stages, State, judge_review
from gate.app.workspace import Request
from gate.formats.admission_review import ReviewError, read_review, uid_of
from gate.model.admission import Answer, Cause, Review, refusal
from gate.model.admission_settings import AdmissionLimits

_BUG: Final = "refused by gate, bug: it failed in a way that it should not; the log of the webhook says more"


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, and what is told of it in logs and metrics.

    `controls` refuse. `seconds` are those of each stage. `trace` is for developers, and there for a bug alone.
    """

    answer: Answer
    decision_id: str | None = None
    verdict: str | None = None
    controls: tuple[str, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    trace: str | None = None


class Holder(Protocol):
    """What holds the state that judges now; `Held` is one."""

    def current(self) -> State:
        """The state that judges now."""

    def reload(self) -> Reloaded:
        """Looks at the files again."""

    def health(self) -> Health:
        """Whether the webhook can answer."""

    def notes(self) -> Sequence[str]:
        """What is wrong with the log and keeps nobody from answering."""

    def counts(self) -> Mapping[str, int]:
        """What happened since the start."""

    def close(self) -> None:
        """Gives back what is held."""


class Judging(Protocol):
    """What answers a review; `judge_review` does."""

    def __call__(self, state: State, review: Review, ends_at: float, /, *, stages: Stages) -> Judgement:
        """The answer."""


class Admitter:
    """Answers reviews, for many threads at a time."""

    def __init__(self, held: Holder, judging: Judging = judge_review) -> None:
        self._held = held
        self._judging = judging

    def answer(self, body: bytes, ends_at: float) -> Answered:
        """The answer to the body of a request, before `ends_at` on the monotonic clock. Raises nothing.

        Who began with a state goes on with it, whatever is loaded meanwhile.
        """
        stages = Stages()
        uid: str | None = None
        try:
            state = self._held.current()
            with stages.stage("read"):
                review = read_review(body, state.admission.limits.body_bytes)
            uid = review.uid
            return _answered(self._judging(state, review, ends_at, stages=stages), stages)
        except ReviewError as error:
            found = refusal(error.uid or "", Cause.REVIEW, f"refused by gate, review: {error}", error.code)
            return Answered(found, seconds=stages.seconds)
        except Exception:  # noqa: BLE001 - whatever it is, nothing is let in and the API server is told
            found = unread(uid or uid_of(body), Cause.BUG, _BUG)
            return Answered(found, seconds=stages.seconds, trace=traceback.format_exc())

    @property
    def limits(self) -> AdmissionLimits:
        """How much is taken on, as the configuration says now."""
        return self._held.current().admission.limits

    def ready(self) -> Sequence[str]:
        """Why it cannot do its work now; empty when it can."""
        return self._held.health().problems

    def notes(self) -> Sequence[str]:
        """What is wrong and keeps nobody from answering, such as checkpoints that cannot be signed."""
        return self._held.notes()

    def reload(self) -> Reloaded:
        """Looks for changes of policy, configuration and trust."""
        return self._held.reload()

    def figures(self) -> Mapping[str, float]:
        """Counters and sizes for metrics, by names from a closed set."""
        return self._held.counts()

    def close(self) -> None:
        """Gives back what is held. Nothing is asked afterwards."""
        self._held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.close()


def _answered(judged: Judgement, stages: Stages) -> Answered:
    decision = judged.decision
    if decision is None:
        return Answered(judged.answer, seconds=stages.seconds)
    controls = refusing_controls(decision)
    return Answered(judged.answer, decision.id, decision.verdict.value, controls, stages.seconds)


def open_admitter(request: Request) -> Admitter:
    """What `gate webhook serve` judges with; raises a `GateError` for what cannot judge well."""
    return Admitter(Held(request))
