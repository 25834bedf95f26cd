"""An answer of the library that is not complete, consistent and about this input is no answer (SECURITY 25)."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.accept import accept_report, evaluate
from gate.model.control import Mode, Profile, Status
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from tests.support.cases import Scene, document_of, embedded, facts_of, good_case, packaged, profile_of
from tests.support.evidence import bundle, digest_of, make_key, statement

PROFILE = Profile("p", {"a.one": Mode.ENFORCE, "a.two": Mode.WARN, "a.off": Mode.OFF}, {})
FORGED = bundle(statement("prompt", {"elsewhere": digest_of("e")}), make_key("stranger"))
SCENE: Scene = good_case().plus(FORGED)
DOCUMENT: InputDocument = document_of(SCENE)
KNOWN = facts_of(SCENE).evidence.verified[0].payload


def control(status: str = "pass", **more: Any) -> dict[str, Any]:
    return {"status": status, "violations": [], "evidence": [], "reason": "a basis"} | more


def violation(code: str = "a.one.bad", **more: Any) -> dict[str, Any]:
    return {"code": code, "message": "m", "artifact": None, "file": None, "evidence": []} | more


def report(one: Any = None, two: Any = None, **more: Any) -> dict[str, Any]:
    return {"schema": "urn:gate:report:v1", "controls": {"a.one": one or control(), "a.two": two or control()}} | more


def accepted(value: Any) -> Any:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return accept_report(data, PROFILE, DOCUMENT)


def assert_exit_4(value: Any, match: str = "not acceptable") -> None:
    with pytest.raises(PolicyError, match=match) as caught:
        accepted(value)
    assert caught.value.exit_code == 4
    assert caught.value.hint


def test_a_complete_report_is_accepted() -> None:
    failing = control("fail", violations=[violation("a.two.b"), violation("a.two.a")], reason=None)
    found = accepted(report(two=failing))
    assert list(found) == ["a.one", "a.two"]
    assert found["a.one"].status is Status.PASS
    assert [item.code for item in found["a.two"].violations] == ["a.two.a", "a.two.b"]


@pytest.mark.parametrize(
    "one",
    [
        control("pass", evidence=[KNOWN], reason=None),
        control("pass", reason="a basis"),
        control("not_applicable", reason="no such artifact"),
        control("error", reason=None),
        control("error", violations=[violation()], reason=None),
        control("fail", violations=[violation()], reason=None),
        control("fail", violations=[violation(evidence=[sha256_digest(FORGED)])], reason=None),
    ],
)
def test_each_status_with_what_belongs_to_it_is_accepted(one: dict[str, Any]) -> None:
    assert accepted(report(one=one))["a.one"].status.value == one["status"]


@pytest.mark.parametrize("missing", ["a.one", "a.two"])
def test_s25_a_missing_control_is_refused(missing: str) -> None:
    value = report()
    del value["controls"][missing]
    assert_exit_4(value, f"no status for {missing}")


def test_s25_an_empty_report_is_refused() -> None:
    assert_exit_4({"schema": "urn:gate:report:v1", "controls": {}}, "no status for a.one, a.two")


@pytest.mark.parametrize("extra", ["a.off", "a.three", "", "A.one"])
def test_s25_an_extra_control_is_refused(extra: str) -> None:
    value = report()
    value["controls"][extra] = control()
    assert_exit_4(value, "a status nobody asked for")


@pytest.mark.parametrize("status", ["PASS", "ok", "", None, True, 1, "waived", "allow", ["pass"]])
def test_s25_an_unknown_status_is_refused(status: Any) -> None:
    assert_exit_4(report(one=control(status)))


@pytest.mark.parametrize("reason", [None, ""])
def test_s25_a_pass_without_evidence_and_basis_is_refused(reason: str | None) -> None:
    assert_exit_4(report(one=control(reason=reason)), "a.one passes without evidence or basis: give its rule")


def test_s25_a_pass_with_a_violation_is_refused() -> None:
    assert_exit_4(report(one=control(violations=[violation()])), "a.one passes with a violation")


def test_s25_a_refusal_without_a_violation_is_refused() -> None:
    assert_exit_4(report(one=control("fail")), "a.one fails without saying why")


@pytest.mark.parametrize("more", [{"reason": None}, {"reason": ""}, {"violations": [violation()]}])
def test_s25_not_applicable_without_a_reason_or_with_a_violation_is_refused(more: dict[str, Any]) -> None:
    assert_exit_4(report(one=control("not_applicable", **more)), "a.one is not applicable without a reason")


@pytest.mark.parametrize(
    "code", ["a.two.bad", "a.onex.bad", "b.one.bad", "a.one", "a.one.", "x", "", "a.one.bad.more", "A.one.bad"]
)
def test_s25_a_violation_code_of_another_control_is_refused(code: str) -> None:
    assert_exit_4(report(one=control("fail", violations=[violation(code)])))


@pytest.mark.parametrize("digest", [digest_of("nowhere"), "sha256:", "", KNOWN.upper(), KNOWN[7:]])
def test_s25_an_unknown_digest_is_refused(digest: str) -> None:
    assert_exit_4(report(one=control(evidence=[digest])), "a.one rests on")
    assert_exit_4(report(one=control("fail", violations=[violation(evidence=[digest])])), "a.one.bad names")


def test_s25_a_pass_that_rests_on_rejected_evidence_is_refused() -> None:
    assert_exit_4(report(one=control(evidence=[sha256_digest(FORGED)])), "a.one rests on")


def test_a_digest_inside_a_predicate_is_not_known() -> None:
    """What a statement says about digests does not make them evidence."""
    hidden = digest_of("hidden")
    document = document_of(good_case().plus(bundle(statement("eval", {"n": digest_of("n")}, predicate={"d": hidden}))))
    assert hidden in document.canonical.decode()
    with pytest.raises(PolicyError):
        accept_report(json.dumps(report(one=control(evidence=[hidden]))).encode(), PROFILE, document)


MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "text": b"undefined",
    "null": b"null",
    "true": b"true",
    "list": b"[]",
    "empty object": b"{}",
    "half": json.dumps(report()).encode()[:-1],
    "two values": json.dumps(report()).encode() * 2,
    "nan": json.dumps(report()).replace('"a basis"', "NaN").encode(),
    "infinity": json.dumps(report()).replace('"a basis"', "-Infinity").encode(),
    "utf-16": json.dumps(report()).encode("utf-16"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(report()).encode(),
    "surrogate": json.dumps(report()).replace("a basis", "\\ud800").encode(),
    "bytes": b"\xff",
    "deep": b"[" * 100_000,
    "duplicate control": json.dumps(report()).replace('"a.two"', '"a.one"').encode(),
    "duplicate status": json.dumps(report()).replace('"status": "pass"', '"status": "fail", "status": "pass"').encode(),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_s25_malformed_json_nan_and_duplicate_keys_are_refused(name: str) -> None:
    assert_exit_4(MALFORMED[name])


@pytest.mark.parametrize(
    "value",
    [
        report(schema="urn:gate:report:v2"),
        report(schema=None),
        report(extra=1),
        report(allow=True),
        report(controls=[]),
        report(controls=None),
        report(one=control(allow=True)),
        report(one=control(violations={})),
        report(one=control(violations=None)),
        report(one=control(evidence=KNOWN)),
        report(one=control(evidence=[None])),
        report(one=control(reason=1)),
        report(one="pass"),
        report(one=control("fail", violations=["a.one.bad"])),
        report(one=control("fail", violations=[violation(message="")])),
        report(one=control("fail", violations=[violation(artifact=1)])),
        report(one=control("fail", violations=[violation(extra=1)])),
    ],
)
def test_s25_another_shape_is_refused(value: dict[str, Any]) -> None:
    assert_exit_4(value)


@pytest.mark.parametrize("member", ["status", "violations", "evidence", "reason"])
def test_s25_a_control_that_lacks_a_member_is_refused(member: str) -> None:
    value = report()
    del value["controls"]["a.one"][member]
    assert_exit_4(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["pass", "fail", "", KNOWN, "a.one.bad"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a.one", "status"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(["schema", "controls", "a.one", "status", "violations", "evidence", "reason"])), JSON)
def test_s25_no_replaced_part_is_accepted_as_an_inconsistent_pass(path: list[str], value: Any) -> None:
    broken: Any = copy.deepcopy(report())
    place = broken
    for key in path[:-1]:
        place = place.get(key, place) if isinstance(place, dict) and isinstance(place.get(key), dict) else place
    if path:
        place[path[-1]] = value
    try:
        found = accepted(broken)
    except PolicyError:
        return
    assert set(found) == {"a.one", "a.two"}
    for result in found.values():
        assert result.status is not Status.PASS or (not result.violations and (result.evidence or result.reason))
        assert result.status is not Status.FAIL or result.violations


# -- the engine behind it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answering:
    """An engine that says what it is told to."""

    answer: bytes | Exception
    name: str = "scripted"
    version: str = "1"

    def report(self, document: InputDocument) -> bytes:
        assert document.canonical
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.mark.parametrize("error", [PolicyError("undefined"), PolicyTimeout("too long")])
def test_s25_an_engine_that_fails_or_times_out_is_exit_4(error: PolicyError) -> None:
    with pytest.raises(type(error)) as caught:
        evaluate(Answering(error), packaged(), PROFILE, DOCUMENT)
    assert caught.value.exit_code == 4


def test_an_unforeseen_fault_of_the_engine_is_not_swallowed() -> None:
    with pytest.raises(RuntimeError):
        evaluate(Answering(RuntimeError("crash")), packaged(), PROFILE, DOCUMENT)


def test_an_evaluation_names_engine_policy_and_input() -> None:
    found = evaluate(Answering(json.dumps(report()).encode()), packaged(), PROFILE, DOCUMENT)
    assert (found.engine, found.engine_version) == ("scripted", "1")
    assert (found.policy, found.input) == (packaged().digest, DOCUMENT.digest)


@pytest.mark.parametrize("name", ["baseline", "strict"])
def test_the_packaged_policy_gives_an_acceptable_report(name: str) -> None:
    scene = good_case().replace(profile=name)
    profile = profile_of(scene)
    found = evaluate(embedded(), packaged(), profile, document_of(scene))
    assert found.results.keys() == profile.asked
