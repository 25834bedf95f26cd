"""`gate replay`: a decision made again from its record, and compared byte by byte.

The input document and the policy give the verdict (ARCHITECTURE 2, rule 4). What else a decision tells of how it was
made (its id, who configured and trusted what, which gate it was) is taken from the recorded one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from gate import __version__
from gate.app.case import Circumstances, case_of
from gate.app.diff import diff_decisions
from gate.app.engines import open_engine
from gate.decide import decide
from gate.errors import PolicyError
from gate.evaluate.accept import evaluate
from gate.evaluate.bundle import PolicyBundle, make_bundle, packaged_bundle
from gate.formats.case_file import CaseFile
from gate.formats.input_document import InputFacts
from gate.formats.json_diff import differences
from gate.model.decision import ControlDecision, Decision
from gate.model.difference import Difference, Replayed
from gate.model.json import JsonValue
from gate.model.settings import EngineSettings
from gate.report.json import recorded_json

_INPUT: Final = "the input document is {}, the decision was made from {}"
_NO_POLICY: Final = "the files of the policy are no policy"
_POLICY: Final = "the policy is {}, the decision was made by {}"


def replay(case: CaseFile) -> Replayed:
    """The decision made again; raises `PolicyError` where the recorded policy cannot be evaluated.

    Nothing is evaluated unless input document and policy are those that the decision names. A policy that is not the
    installed one is nobody's: it gets a process of its own.
    """
    recorded = case.decision
    bundle = _bundle(case)
    problems = tuple(_problems(case, bundle))
    if problems or bundle is None:
        return Replayed(recorded.id, recorded.verdict.value, problems, None)
    made = _decided(case, bundle)
    # Whoever made it says nothing about the verdict: it is told apart, and compared as recorded.
    alike = replace(
        made,
        engine=recorded.engine,
        engine_version=recorded.engine_version,
        controls={name: _as_told(item, recorded.controls.get(name)) for name, item in made.controls.items()},
    )
    return Replayed(
        recorded.id,
        recorded.verdict.value,
        (),
        diff_decisions(recorded, alike, ("recorded", "replayed")),
        tuple(_makers(recorded, made)),
        is_same_bytes=recorded_json(alike).data == case.recorded,
    )


def _as_told(made: ControlDecision, recorded: ControlDecision | None) -> ControlDecision:
    """Without what an older gate did not tell."""
    return replace(made, judges=None) if recorded is not None and recorded.judges is None else made


def _bundle(case: CaseFile) -> PolicyBundle | None:
    """The recorded policy; `None` when its files are none."""
    said = case.decision.policy
    try:
        return make_bundle(case.files, said.own, said.replaced, serial=said.serial)
    except PolicyError:
        return None


def _problems(case: CaseFile, bundle: PolicyBundle | None) -> Iterator[str]:
    digests = case.decision.digests
    if case.document.digest != digests.input:
        yield _INPUT.format(case.document.digest, digests.input)
    if bundle is None:
        yield _NO_POLICY
    elif bundle.digest != digests.policy:
        yield _POLICY.format(bundle.digest, digests.policy)


def _decided(case: CaseFile, bundle: PolicyBundle) -> Decision:
    recorded, document = case.decision, case.document
    engine = open_engine(EngineSettings(isolated=bundle.digest != packaged_bundle().digest), bundle)
    evaluation = evaluate(engine, bundle, InputFacts(document).profile, document)
    how = Circumstances(
        identity=recorded.id,
        configuration=recorded.digests.configuration,
        configuration_source=str(recorded.context.get("configuration_from")),
        trust=recorded.digests.trust,
        rules=recorded.digests.rules,
        policy=recorded.policy,
        gate_version=recorded.gate_version,
        dry_run=recorded.dry_run,
    )
    return decide(case_of(document, bundle.catalogue, evaluation, how))


def _makers(recorded: Decision, made: Decision) -> Iterator[Difference]:
    old: JsonValue = {"engine": _engine(recorded), "gate": recorded.gate_version}
    return differences(old, {"engine": _engine(made), "gate": __version__})


def _engine(decision: Decision) -> str:
    return f"{decision.engine} {decision.engine_version}"
