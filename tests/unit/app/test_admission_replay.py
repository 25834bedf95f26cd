"""What a webhook decided is decided again from its document alone, and read back whole."""

from __future__ import annotations

import dataclasses

import pytest

from gate.app.case import Circumstances, case_of
from gate.decide import decide
from gate.evaluate.accept import evaluate
from gate.formats.decision_document import read_decision
from gate.formats.input_document import InputFacts, read_input_document
from gate.report.json import decision_json
from tests.support.admission import IMAGE, FakeRegistries, World, annotated, break_glass, pod, review
from tests.support.cases import embedded, packaged

CASES = {
    "allowed": (World(), review()),
    "refused": (World(registries=FakeRegistries({})), review()),
    "an exception": (World(registries=FakeRegistries({})), review(pod(IMAGE, annotations=annotated(break_glass())))),
    "no exception": (World(), review(pod(IMAGE, annotations={"gate/break-glass": "!"}))),
}


@pytest.mark.parametrize("name", CASES)
def test_a_decision_is_made_again_from_its_document(name: str) -> None:
    world, asked = CASES[name]
    made = world.judge(asked).decision
    assert world.recorder is not None
    document = read_input_document(world.recorder.records[-1][1].canonical)
    assert made is not None
    assert made.admission is not None
    assert InputFacts(document).admission == made.admission.facts
    evaluation = evaluate(embedded(), packaged(), InputFacts(document).profile, document)
    how = Circumstances(
        made.id,
        made.digests.configuration,
        "worktree",
        made.digests.trust,
        made.digests.rules,
        made.policy,
        made.gate_version,
        made.dry_run,
    )
    again = decide(case_of(document, packaged().catalogue, evaluation, how))
    assert decision_json(again) == decision_json(made)
    assert decision_json(read_decision(decision_json(made))) == decision_json(made)
    assert dataclasses.replace(again) == again
