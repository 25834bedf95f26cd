"""What turns a refusal into a yes, as one table: reviews and evidence, and for each whether it is let in and why.

It is quick and needs no fixtures, so that every mutant of the modules behind an answer can be judged by it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Final

import pytest

from gate.errors import (
    ClockError,
    ConfigError,
    EvidenceError,
    GateError,
    LimitError,
)
from gate.formats.rfc3339 import format_time
from gate.model.admission import Cause, Review
from gate.model.admission_settings import AdmissionMode
from gate.model.decision import Verdict
from gate.model.evidence import Evidence
from tests.support.admission import (
    APP,
    BUILDER,
    HOUR,
    IMAGE,
    OTHER,
    OTHER_IMAGE,
    FakeRecorder,
    World,
    break_glass,
    build_provenance,
    good,
    image_signature,
    pod,
    review,
    trust,
)
from tests.support.admission_worlds import (
    BOTH,
    DOWN,
    DRY,
    FULL,
    GLASS,
    GLASSES,
    NO_EVIDENCE,
    ONLY_SIGNED,
    TAG,
    WORLD,
    YES,
    Failing,
    admitting,
    asks,
    at_most,
    beside,
    dry,
    excused,
    mounted,
    world,
)
from tests.support.evidence import NOW_S, digest_of, make_key

HELD: Final = tuple(Evidence(f"folder/{number}", data) for number, data in enumerate(good()))
EXPIRED: Final = break_glass(created=format_time(NOW_S - HOUR), expires=format_time(NOW_S))
Row = tuple[World, Review, Cause, str]
TABLE: Final[dict[str, Callable[[], Row]]] = {
    "good": lambda: (world({APP: good()}), asks(IMAGE), YES, ""),
    "good, in a dry run": lambda: (dry(world({APP: good()})), asks(IMAGE), YES, ""),
    "good, from folders": lambda: (world(evidence=HELD), asks(IMAGE), YES, ""),
    "good, there and in folders": lambda: (world({APP: good()}, evidence=HELD), asks(IMAGE), YES, ""),
    "two": lambda: (world(BOTH), asks(IMAGE, OTHER_IMAGE), YES, ""),
    "nothing attached": lambda: (world(), asks(IMAGE), Cause.REFUSED, "container.signed"),
    "nothing, in a dry run": lambda: (dry(world()), asks(IMAGE), DRY, "container.signed"),
    "no provenance": lambda: (world({APP: (image_signature(),)}), asks(IMAGE), Cause.REFUSED, "container.provenance"),
    "no signature": lambda: (world({APP: (build_provenance(),)}), asks(IMAGE), Cause.REFUSED, "container.signed"),
    "of another digest": lambda: (world({APP: good(OTHER)}), asks(IMAGE), Cause.REFUSED, "container.signed"),
    "by a stranger": lambda: (
        world({APP: (image_signature(key=make_key("stranger")), build_provenance())}),
        asks(IMAGE),
        Cause.REFUSED,
        "container.signed",
    ),
    "by the wrong one": lambda: (
        world({APP: (image_signature(key=BUILDER), build_provenance())}),
        asks(IMAGE),
        Cause.REFUSED,
        "container.signed",
    ),
    "twice the same": lambda: (world({APP: (*good(), good()[0])}), asks(IMAGE), Cause.REFUSED, "duplicate"),
    "revoked": lambda: (
        world({APP: good()}, trust=trust(revoked_evidence=[digest_of(good()[0])])),
        asks(IMAGE),
        Cause.REFUSED,
        "revoked",
    ),
    "first of two": lambda: (world({APP: good()}), asks(IMAGE, OTHER_IMAGE), Cause.REFUSED, OTHER),
    "second of two": lambda: (world({OTHER: good(OTHER)}), asks(IMAGE, OTHER_IMAGE), Cause.REFUSED, APP),
    "init container": lambda: (world({APP: good()}), beside("initContainers"), Cause.REFUSED, OTHER),
    "debug container": lambda: (world({APP: good()}), beside("ephemeralContainers"), Cause.REFUSED, OTHER),
    "volume": lambda: (world({APP: good()}, controls=ONLY_SIGNED), mounted(), Cause.REFUSED, "weights"),
    "tag": lambda: (world({APP: good()}), asks(TAG), Cause.REFERENCE, TAG),
    "tag beside": lambda: (world({APP: good()}), asks(IMAGE, TAG), Cause.REFERENCE, TAG),
    "tag, in a dry run": lambda: (dry(world({APP: good()})), asks(TAG), DRY, TAG),
    "tag of another": lambda: (
        world({APP: good()}, tags={TAG: OTHER}, controls=ONLY_SIGNED),
        asks(TAG),
        Cause.REFUSED,
        OTHER,
    ),
    "unknown registry": lambda: (world({APP: good()}), asks(IMAGE, f"x.test/a@{APP}"), Cause.REFERENCE, "x.test"),
    "no image": lambda: (world(), asks(), Cause.OBJECT, ""),
    "no name": lambda: (world(), review({**pod(IMAGE), "spec": {"containers": [{}]}}), Cause.OBJECT, ""),
    "status": lambda: (world({APP: good()}), review(sub_resource="status"), Cause.OBJECT, ""),
    "status, in a dry run": lambda: (dry(world({APP: good()})), review(sub_resource="status"), DRY, ""),
    "too many": lambda: (at_most(1), asks(IMAGE, IMAGE), Cause.OBJECT, "2"),
    "just as many": lambda: (at_most(2), asks(IMAGE, IMAGE), YES, ""),
    "down": lambda: (world(error=DOWN), asks(IMAGE), Cause.REGISTRY, "down"),
    "one down": lambda: (world(BOTH, errors={OTHER: DOWN}), asks(IMAGE, OTHER_IMAGE), Cause.REGISTRY, "down"),
    "down, no control minds": lambda: (
        world(error=DOWN, controls=NO_EVIDENCE),
        asks(IMAGE),
        Cause.REGISTRY,
        "down",
    ),
    "other bytes": lambda: (world(error=EvidenceError("other")), asks(IMAGE), Cause.EVIDENCE, "other"),
    "too large": lambda: (world(error=LimitError("large")), asks(IMAGE), Cause.EVIDENCE, "large"),
    "no ca": lambda: (world(error=ConfigError("ca")), asks(IMAGE), Cause.CONFIGURATION, "ca"),
    "no ca, in a dry run": lambda: (dry(world(error=ConfigError("ca"))), asks(IMAGE), Cause.CONFIGURATION, "ca"),
    "unforeseen": lambda: (world(error=GateError("x")), asks(IMAGE), Cause.BUG, "x"),
    "policy": lambda: (world({APP: good()}, engine=Failing()), asks(IMAGE), Cause.POLICY, "no"),
    "clock": lambda: (world({APP: good()}, clock_error=ClockError("jump")), asks(IMAGE), Cause.CLOCK, "jump"),
    "clock, in a dry run": lambda: (
        dry(world({APP: good()}, clock_error=ClockError("jump"))),
        asks(IMAGE),
        Cause.CLOCK,
        "jump",
    ),
    "no log": lambda: (world({APP: good()}, recorder=None), asks(IMAGE), Cause.RECORD, "no log"),
    "full log": lambda: (world({APP: good()}, recorder=FakeRecorder(error=FULL)), asks(IMAGE), Cause.RECORD, "full"),
    "broken log": lambda: (world({APP: good()}, recorder=FakeRecorder(known=FULL)), asks(IMAGE), Cause.RECORD, "full"),
    "no log, in a dry run": lambda: (dry(world(recorder=None)), asks(IMAGE), Cause.RECORD, "no log"),
    "nothing recorded": lambda: (world({APP: good()}, recorder=None, record=None), asks(IMAGE), YES, ""),
    "nothing judges it": lambda: (
        world({APP: good()}, controls={"evidence.accepted": "enforce"}),
        asks(IMAGE),
        Cause.REFUSED,
        "no enforced control",
    ),
    "only a warning judges it": lambda: (
        world({APP: good()}, controls={"evidence.accepted": "enforce", "container.signed": "warn"}),
        asks(IMAGE),
        Cause.REFUSED,
        "no enforced control",
    ),
    "one kind is judged": lambda: (
        world({APP: good()}, controls={"container.signed": "enforce", "container.provenance": "enforce"}),
        mounted(),
        Cause.REFUSED,
        "no enforced control",
    ),
    "only warned": lambda: (
        world(controls={"artifact.pinned": "enforce", "container.signed": "warn"}),
        asks(IMAGE),
        YES,
        "",
    ),
    "excused": lambda: (world(), excused(), GLASSES, "INC-7"),
    "excused, in a dry run": lambda: (dry(world()), excused(), GLASSES, "INC-7"),
    "good and excused": lambda: (world({APP: good()}), excused(), YES, ""),
    "down and excused": lambda: (world(error=DOWN), excused(), GLASSES, "INC-7"),
    "down and excused, no control minds": lambda: (
        world(error=DOWN, controls=NO_EVIDENCE),
        excused(),
        GLASSES,
        "INC-7",
    ),
    "down and wrongly excused": lambda: (world(error=DOWN), excused(data=EXPIRED), Cause.REGISTRY, "down"),
    "wrongly excused": lambda: (world(), excused(data=EXPIRED), Cause.REFUSED, "it ended"),
    "half excused": lambda: (world(), excused(IMAGE, OTHER_IMAGE), Cause.REFUSED, "does not hold"),
    "other half excused": lambda: (
        world(),
        excused(IMAGE, OTHER_IMAGE, data=break_glass((OTHER,))),
        Cause.REFUSED,
        "does not hold",
    ),
    "both excused": lambda: (world(), excused(IMAGE, OTHER_IMAGE, data=break_glass((APP, OTHER))), GLASSES, "INC-7"),
    "excused in another namespace": lambda: (
        world(),
        dataclasses.replace(excused(), namespace="shop"),
        Cause.REFUSED,
        "namespace",
    ),
    "excused where nothing is": lambda: (
        admitting(world(), break_glass=None),
        excused(),
        Cause.REFUSED,
        "allows no exceptions",
    ),
    "excused, not recorded": lambda: (world(record=None, recorder=None), excused(), Cause.REFUSED, "not recorded"),
    "excused, no log": lambda: (world(recorder=None), excused(), Cause.RECORD, "no log"),
    "excused, full log": lambda: (world(recorder=FakeRecorder(error=FULL)), excused(), Cause.RECORD, "full"),
    "attached exception": lambda: (world({APP: (GLASS,)}), asks(IMAGE), Cause.REFUSED, "container.signed"),
    "policy, excused": lambda: (world(engine=Failing()), excused(), Cause.POLICY, "no"),
}


@pytest.mark.parametrize("name", TABLE)
def test_only_what_is_good_or_excused_is_let_in(name: str) -> None:
    found, asked, cause, word = TABLE[name]()
    judged = found.judge(asked)
    assert judged.answer.allowed is (cause in {YES, GLASSES, DRY})
    assert judged.answer.cause is cause
    assert judged.answer.uid == "u-1"
    assert word in judged.answer.message
    is_judged = cause in {YES, GLASSES, Cause.REFUSED} or (judged.decision is not None and cause is DRY)
    assert (judged.decision is not None) is is_judged
    if judged.decision is None:
        return
    is_allow = cause is YES
    assert (judged.decision.verdict is Verdict.ALLOW) is is_allow
    assert judged.decision.dry_run is (found.admission.mode is AdmissionMode.DRY_RUN)
    if found.record is not None:
        assert found.recorder is not None
        assert [decision.id for decision, _ in found.recorder.records] == [judged.decision.id]


@pytest.mark.parametrize(
    ("controls", "verdict", "code"), [(WORLD.controls, Verdict.DENY, 10), (NO_EVIDENCE, Verdict.ERROR, 4)]
)
def test_what_was_not_read_is_denied_or_not_judged(controls: Mapping[str, str], verdict: Verdict, code: int) -> None:
    decision = world(error=DOWN, controls=controls).judge(excused()).decision
    assert decision is not None
    assert (decision.verdict, decision.exit_code) == (verdict, code)
