"""`gate policy impact`: what past decisions would become under the policy of the work tree.

Facts stay as they were recorded, the time too: only the policy, its profile and their parameters are exchanged. What
`gate.yaml` says besides (whom it trusts, what triggers a gate) is in the facts already, and is not asked again.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import __version__
from gate.app.case import Circumstances, case_of
from gate.app.diff import turns
from gate.app.engines import open_engine
from gate.app.gather import Counting, silent
from gate.app.log import LogPlace, log_of
from gate.app.policy import judging_policy, rules_digest
from gate.app.replay_source import recorded_case
from gate.app.workspace import Request, Rules, rules_at
from gate.collect.saved import each_saved
from gate.decide import decide
from gate.errors import EvidenceError, PolicyError
from gate.evaluate.accept import evaluate
from gate.formats.case_file import CASE_SCHEMA, MAX_BYTES, CaseFileError, read_case
from gate.formats.input_document import InputDocumentError, InputFacts, read_input_document
from gate.formats.rfc3339 import format_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.decision import Decision, Verdict
from gate.model.difference import standing
from gate.model.document import INPUT_SCHEMA, InputDocument
from gate.model.impact import ControlTurn, Impact, Opinion, PastCase, Rulebook
from gate.model.record import Query
from gate.model.settings import EngineSettings
from gate.normalize.sections.profile import asked_by
from gate.record.interface import recorded, search
from gate.report.json import DECISION_SCHEMA

_ALONE: Final = "a decision without its input document: replay needs the log, or `gate replay --export`"


@dataclass(frozen=True, slots=True)
class Past:
    """A past case: where it is from, the facts, and what was decided then."""

    place: str
    document: InputDocument
    recorded: str | None = None


@dataclass(frozen=True, slots=True)
class Unread:
    """What could not be judged again, and why."""

    place: str
    why: str


class _Judge:
    """One of the two policies, loaded once. What it cannot evaluate is an opinion too."""

    def __init__(self, rules: Rules) -> None:
        settings = rules.settings.engine
        isolated = settings.isolated if settings.name == "regorus" else None
        self._rules = rules
        self._engine = open_engine(EngineSettings(isolated=isolated, timeout_s=settings.timeout_s), rules.bundle)
        self._how = Circumstances(
            identity="",
            configuration=rules.settings.digest,
            configuration_source=rules.source,
            trust=rules.settings.trust.digest,
            rules=rules_digest(rules.bundle, rules.profile, rules.settings),
            policy=judging_policy(rules.settings.policy, rules.bundle),
            gate_version=__version__,
            dry_run=False,
        )

    @property
    def rulebook(self) -> Rulebook:
        return Rulebook(self._rules.source, self._rules.bundle.digest, self._rules.profile.name)

    def decide(self, document: InputDocument) -> Decision | PolicyError:
        try:
            asked = asked_by(document, self._rules.profile)
            evaluation = evaluate(self._engine, self._rules.bundle, self._rules.profile, asked)
            return decide(case_of(asked, self._rules.bundle.catalogue, evaluation, self._how))
        except PolicyError as error:
            return error


def impact(request: Request, base: str, past: Iterable[Past | Unread], progress: Counting = silent) -> Impact:
    """What cases become under the policy of the work tree, compared with that of a commit.

    Raises `ConfigError`, `HistoryError` or `PolicyError` when one of the two policies cannot be read, and
    `EvidenceError` when there is no case.
    """
    old, new = _Judge(rules_at(request, base)), _Judge(rules_at(request, None))
    cases: list[PastCase] = []
    unread: dict[str, str] = {}
    # An evaluation leaves the interpreter to others, so both policies are asked at once.
    with progress("judging past decisions again"), ThreadPoolExecutor(1) as other:
        for item in past:
            if isinstance(item, Unread):
                unread[item.place] = item.why
            else:
                before = other.submit(old.decide, item.document)
                after = new.decide(item.document)
                cases.append(_case(item, before.result(), after))
    if not cases and not unread:
        raise EvidenceError("there is no past decision to judge again", hint="name a folder of input documents")
    return Impact(old.rulebook, new.rulebook, tuple(cases), dict(sorted(unread.items())))


def _case(past: Past, before: Decision | PolicyError, after: Decision | PolicyError) -> PastCase:
    facts = InputFacts(past.document)
    return PastCase(
        place=past.place,
        at=format_time(facts.now_s),
        artifacts=tuple(sorted(facts.artifacts)),
        recorded=past.recorded,
        asked_by=facts.profile.name,
        old=_opinion(before),
        new=_opinion(after),
        turns=tuple(_turned(before, after)),
    )


def _opinion(found: Decision | PolicyError) -> Opinion:
    if isinstance(found, Decision):
        return Opinion(found.verdict.value)
    return Opinion(Verdict.ERROR.value, str(found).partition("\n")[0])


def _turned(old: Decision | PolicyError, new: Decision | PolicyError) -> Iterator[ControlTurn]:
    """The controls whose outcome or mode is another one; that they refuse for other reasons is no turn."""
    if isinstance(old, Decision) and isinstance(new, Decision):
        for turn in turns(old, new):
            before, after = standing(turn.old), standing(turn.new)
            if before != after:
                yield ControlTurn(turn.control, before, after, turn.refuses_now, turn.refuses_no_more)


# -- past cases --------------------------------------------------------------------------------------------------------


def saved_cases(paths: Iterable[Path]) -> Iterator[Past | Unread]:
    """Input documents and exported cases: files, and the `.json` files below folders."""
    for path in paths:
        for place, data in each_saved(path, MAX_BYTES):
            yield _read(place, data)


def logged_cases(place: LogPlace, since_s: int | None, most: int | None) -> Iterator[Past | Unread]:
    """The decisions of a log, the newest first."""
    with log_of(place) as log:
        for record in itertools.islice(search(log, Query(since_s=since_s)), most):
            try:
                case = recorded_case(log, recorded(log, record))
            except EvidenceError as error:
                yield Unread(record.id, str(error))
            else:
                yield Past(record.id, case.document, case.decision.verdict.value)


def _read(place: str, data: bytes) -> Past | Unread:
    try:
        kind = loads_object(data, limit=MAX_BYTES).get("schema")
        if kind == CASE_SCHEMA:
            case = read_case(data)
            return Past(place, case.document, case.decision.verdict.value)
        if kind == INPUT_SCHEMA:
            return Past(place, read_input_document(data, limit=MAX_BYTES))
    except (StrictJsonError, CaseFileError, InputDocumentError) as error:
        return Unread(place, str(error))
    return Unread(place, _ALONE if kind == DECISION_SCHEMA else "it is no input document and no case")
