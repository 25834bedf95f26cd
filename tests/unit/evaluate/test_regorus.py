"""The embedded engine as the gate uses it: loads the bundle or says why not, answers or says why not."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.accept import evaluate
from gate.evaluate.bundle import PolicyBundle, make_bundle
from gate.evaluate.regorus import ENGINE_VERSION, RegorusEngine, canonical_report
from gate.model.document import InputDocument
from tests.support.cases import document_of, embedded, facts_of, good_case, good_model, packaged, profile_of
from tests.support.evidence import digest_of

ROOT = Path(__file__).parents[3]
DOCUMENT = InputDocument({}, b"{}", digest_of("{}"))
CONTROL = "gate/controls/a/one/one.rego"


def policy(main: str) -> PolicyBundle:
    """A bundle whose report is a rule body of the test's choice."""
    control = 'package gate.controls.a.one\n\nstatus := "pass"\n'
    return make_bundle({CONTROL: control.encode(), "gate/main/main.rego": f"package gate.main\n\n{main}\n".encode()})


def answer(main: str, time_limit_s: float = 60) -> bytes:
    return RegorusEngine(policy(main), time_limit_s=time_limit_s).report(DOCUMENT)


def test_the_version_is_that_of_the_pinned_crate() -> None:
    pinned = tomllib.loads((ROOT / "native/Cargo.toml").read_text())["dependencies"]["regorus"]["version"]
    assert pinned == f"={ENGINE_VERSION}"
    assert (RegorusEngine.name, RegorusEngine.version) == ("regorus", ENGINE_VERSION)


def test_the_value_of_the_entrypoint_is_returned() -> None:
    assert json.loads(answer('report := {"a": 1}')) == {"a": 1}


def test_the_packaged_policy_loads_and_answers() -> None:
    found = json.loads(embedded().report(document_of(good_case())))
    assert found["schema"] == "urn:gate:report:v1"


def test_equal_input_gives_equal_bytes() -> None:
    document = document_of(good_case())
    assert RegorusEngine(packaged()).report(document) == embedded().report(document)


def test_s25_an_undefined_report_is_exit_4() -> None:
    with pytest.raises(PolicyError, match=r"data.gate.main.report is undefined") as caught:
        answer("report := 1 if input.nowhere")
    assert (caught.value.exit_code, caught.value.hint) == (4, "no decision can be made without it")


def test_s25_a_rule_that_fails_is_exit_4() -> None:
    with pytest.raises(PolicyError, match="the policy failed"):
        answer("report := 1 % count([1 | input.nowhere])")


def test_s25_a_rule_with_two_values_is_exit_4() -> None:
    with pytest.raises(PolicyError, match="the policy failed"):
        answer("report := 1\n\nreport := 2")


def test_s25_an_evaluation_that_takes_too_long_is_exit_4() -> None:
    slow = "report := count([1 | some i in numbers.range(1, 5000); some j in numbers.range(1, 5000); i + j < 0])"
    with pytest.raises(PolicyTimeout, match=r"longer than 0.05 seconds") as caught:
        answer(slow, 0.05)
    assert caught.value.exit_code == 4
    assert caught.value.hint


@pytest.mark.parametrize(
    "main",
    [
        "report := ",
        "reports := 1",
        "report := http.send({})",
        "report := opa.runtime()",
        "report := undeclared",
        "report := report",
        "report := data.gate.other",
    ],
    ids=[
        "syntax",
        "no entrypoint",
        "http",
        "runtime",
        "unsafe variable",
        "recursion",
        "no rule",
    ],
)
def test_s26_a_policy_that_does_not_load_is_exit_4(main: str) -> None:
    with pytest.raises(PolicyError) as caught:
        answer(main)
    assert caught.value.exit_code == 4


CALLS = {
    "time.now_ns": "time.now_ns()",
    "rand.intn": 'rand.intn("seed", 2)',
    "trace": 'trace("x")',
    "walk": "[path | walk(input, [path, _])]",
    "json.marshal": "json.marshal(1)",
}


@pytest.mark.parametrize("name", CALLS)
def test_s26_a_builtin_that_is_not_allowed_is_exit_4(name: str) -> None:
    with pytest.raises(PolicyError, match=rf"main\.rego:3:(?s:.)*no policy may call {name}"):
        answer(f"report := {CALLS[name]}")


def test_s26_what_the_engines_understand_differently_is_exit_4() -> None:
    with pytest.raises(PolicyError, match=r"main\.rego:3:26(?s:.)*before its members are taken") as caught:
        answer("report := [x | some x in input.xs]")
    assert caught.value.exit_code == 4


def test_s25_a_policy_without_main_does_not_load() -> None:
    bundle = make_bundle({path: data for path, data in packaged().files.items() if "/main/" not in path})
    with pytest.raises(PolicyError, match="does not load"):
        RegorusEngine(bundle)


@pytest.mark.parametrize("control", sorted(facts_of(good_model()).profile.asked))
def test_s25_a_policy_without_one_control_answers_for_none(control: str) -> None:
    """Some other control reads none of its rules, so it loads; the host misses the control."""
    family, name = control.split(".")
    gone = f"gate/controls/{family}/{name}/"
    bundle = make_bundle({path: data for path, data in packaged().files.items() if not path.startswith(gone)})
    facts, document = facts_of(good_model()), document_of(good_model())
    with pytest.raises(PolicyError):
        evaluate(RegorusEngine(bundle), bundle, facts.profile, document)


@pytest.mark.parametrize("status", ['"allow"', "true", "null", '"PASS"', '{"pass"}'])
def test_s25_a_control_with_an_unknown_status_is_exit_4(status: str) -> None:
    path = "gate/controls/artifact/signed/signed.rego"
    changed = {path: b"package gate.controls.artifact.signed\n\nstatus := " + status.encode() + b"\n"}
    bundle = make_bundle({**packaged().files, **changed})
    with pytest.raises(PolicyError):
        evaluate(RegorusEngine(bundle), bundle, profile_of(good_model()), document_of(good_model()))


def test_s25_a_control_that_is_always_true_still_needs_a_basis() -> None:
    path = "gate/controls/artifact/signed/signed.rego"
    bundle = make_bundle({**packaged().files, path: b'package gate.controls.artifact.signed\n\nstatus := "pass"\n'})
    with pytest.raises(PolicyError):
        evaluate(RegorusEngine(bundle), bundle, profile_of(good_model()), document_of(good_model()))


def test_s25_an_empty_input_is_no_reason_to_pass() -> None:
    with pytest.raises(PolicyError):
        evaluate(embedded(), packaged(), profile_of(good_model()), DOCUMENT)


def test_a_report_has_a_longest_length_in_every_engine() -> None:
    with pytest.raises(PolicyError, match="more than 16777216 bytes"):
        canonical_report(b'"' + b"x" * (16 << 20) + b'"')
