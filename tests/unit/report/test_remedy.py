"""Every refusal that the library can make says what helps; none is without a way out, or a reason why there is none."""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gate.app.controls import catalogue
from gate.cli.main import main
from gate.formats.strict_yaml import YamlError
from gate.formats.waivers import parse_waivers
from gate.model.control import ControlInfo, Mode, Violation
from gate.model.decision import ControlDecision, DecidedViolation, Decision, Outcome
from gate.model.evidence import Stage
from gate.report.explain import Explainer
from gate.report.interface import render
from gate.report.refusal import refusal_json, refusal_text
from gate.report.remedy import WAIVED_DAYS, Place, claims_of, command, expected, stanza
from gate.resources import rego_files
from tests.support.decisions import DAY_S, NOON, NOON_S, control, decision, digest, info, rejected, statement

CONTROLS = catalogue()
CODE = re.compile(r'"([a-z]+(?:\.[a-z_]+)+)"')
OTHERS = {"cosign", "docker", "find", "git", "gitleaks", "uv"}
"""Programs of others that a command may call."""
ARTIFACTS: dict[str, dict[str, Any]] = {
    "model": {"kind": "weights", "digest": digest("model"), "path": "models/summarizer"},
    "image": {"kind": "container", "digest": digest("image"), "path": None},
    "odd": {"kind": "weights", "digest": digest("odd"), "path": "models/$(reboot) x"},
}
SUBJECT = {"artifacts": ARTIFACTS, "change": {"status": "everything"}}
PLACES = [
    ("model", None),
    ("model", "weights.bin"),
    ("image", None),
    ("odd", None),
    (None, "app/prompt.txt"),
    (None, None),
]


def codes() -> Iterator[tuple[str, str]]:
    """Every code that a rule of the library can report, by control."""
    files = rego_files()
    for name in CONTROLS:
        text = files[f"gate/controls/{name.replace('.', '/')}/{name.rpartition('.')[2]}.rego"].decode()
        yield from ((name, code) for code in sorted(set(CODE.findall(text))) if code.startswith(f"{name}."))


CODES = sorted(codes())


def test_the_library_has_codes_of_every_control() -> None:
    assert {name for name, _ in CODES} == set(CONTROLS)
    assert len(CODES) > 120


def refusal_of(item: ControlInfo, code: str, artifact: str | None, file: str | None) -> Decision:
    violation = Violation(code, "something is wrong with it", artifact, file, ())
    about = ARTIFACTS[artifact]["digest"] if artifact is not None else digest(file) if file is not None else None
    entry = DecidedViolation(violation, None, None, about)
    refused = ControlDecision(item, Mode.ENFORCE, Outcome.FAIL, (entry,), (), None)
    return decision(refused, exit_code=13, subject=SUBJECT)


@pytest.mark.parametrize(("name", "code"), CODES)
def test_every_violation_has_all_parts(name: str, code: str) -> None:
    for artifact, file in PLACES:
        made = refusal_of(CONTROLS[name], code, artifact, file)
        [entry] = made.controls[name].violations
        remedy = Explainer(made, 3).remedy(made.controls[name], entry)
        assert remedy.expected
        assert remedy.nearest
        assert all(remedy.nearest)
        assert_runs(remedy.command)
        assert "reboot" not in remedy.command
        assert (remedy.stanza is not None) is (CONTROLS[name].waivable and entry.digest is not None)
        shown = " ".join(render("text", made).split())
        assert "expected: " in shown
        assert "fix: " in shown
        assert f"run: {remedy.command}" in shown
        assert (f"artifact: {entry.digest}, finding: {code}" in shown) is (remedy.stanza is not None)
        assert (f"  artifact: {entry.digest}\n  finding: {code}\n" in render("markdown", made)) is bool(remedy.stanza)
        assert remedy.expected in refusal_text(made, made.controls[name])


def assert_runs(text: str) -> None:
    """Each command is one of ours with options that it has, or a known one of others."""
    for part in re.split(r" && | > \S+", text):
        words = shlex.split(part)
        if not words or words[0] in OTHERS:
            continue
        assert words[0] == "gate", text
        found: click.Command = main
        with click.Context(main) as context:
            while isinstance(found, click.Group):
                words = words[1:]
                below = found.get_command(context, words[0])
                assert below is not None, text
                found = below
        options = {name: item for item in found.params if isinstance(item, click.Option) for name in item.opts}
        for word, after in zip(words, [*words[1:], ""], strict=True):
            if word.startswith("--"):
                assert word in options, text
                choices = getattr(options[word].type, "choices", None)
                assert choices is None or after in choices, text


def test_commands_of_every_claim_can_be_run() -> None:
    from gate.model.claim import CLAIMS

    for claim in sorted(CLAIMS):
        assert_runs(command(info("own.control", claims=(claim,)), violation("x"), Place("a", "a", None)))


def violation(message: str, code: str = "own.control.missing") -> Violation:
    return Violation(code, message, None, "a", ())


def test_a_command_names_what_is_signed() -> None:
    signed = info("artifact.signed", claims=("artifact.signature",))
    made = refusal_of(signed, "artifact.signed.missing", "model", "weights.bin")
    assert Explainer(made, 1).commands(made.controls["artifact.signed"]) == ("gate sign models/summarizer --key KEY",)
    made = refusal_of(signed, "artifact.signed.missing", None, "models/summarizer/weights.bin")
    assert Explainer(made, 1).commands(made.controls["artifact.signed"]) == ("gate sign models/summarizer --key KEY",)
    made = refusal_of(signed, "artifact.signed.missing", "image", None)
    wanted = f"cosign sign --key KEY IMAGE@{digest('image')}"
    assert Explainer(made, 1).commands(made.controls["artifact.signed"]) == (wanted,)


def test_the_claim_that_the_message_names_decides() -> None:
    both = info("a.b", claims=("build.*", "training.provenance"))
    assert claims_of(both, violation("no training.provenance")) == ("training.provenance",)
    assert claims_of(both, violation("a link to a prompt")) == both.claims
    none = info("a.b", claims=())
    assert claims_of(none, violation("no statement of prompt covers it")) == ("prompt",)
    assert claims_of(none, violation("a link", "a.b.link")) == ()
    assert expected(none, violation("no statement of prompt"), None).endswith("covers what was judged")
    assert expected(none, violation("a link", "a.b.link"), "x") == none.title
    assert "--claim build.provenance" in command(both, violation("build"), Place("x", "x", None))


def test_what_no_command_makes_is_explained() -> None:
    own = info("own.control", claims=("source.summary",))
    assert command(own, violation("x"), Place(None, None, None)).endswith("gate explain own.control --input input.json")
    odd = info("own.$(reboot)", claims=())
    assert "reboot" not in command(odd, violation("x"), Place(None, None, None))


def test_advice_that_is_a_command_is_not_followed_by_another() -> None:
    whole = info("artifact.signed", claims=("artifact.signature",), fix="`gate sign`")
    made = refusal_of(whole, "artifact.signed.missing", "model", None)
    assert Explainer(made, 1).commands(made.controls["artifact.signed"]) == ()
    assert "fix: gate sign models/summarizer" in render("text", made)


# --- the waiver to ask for -------------------------------------------------------------------------------------------


def refused_with(**changes: Any) -> tuple[ControlDecision, DecidedViolation]:
    entry = DecidedViolation(Violation("a.b.bad", "m", "model", None, ()), None, None, digest("model"))
    entry = dataclasses.replace(entry, **{k: v for k, v in changes.items() if k in {"waiver", "digest", "violation"}})
    kept = {k: v for k, v in changes.items() if k not in {"waiver", "digest", "violation", "outcome"}}
    made = control("a.b", Outcome.FAIL, entry, **kept)
    return dataclasses.replace(made, outcome=changes.get("outcome", Outcome.FAIL)), entry


def test_a_stanza_is_a_waiver_once_two_people_stand_in_it() -> None:
    text = stanza(*refused_with(), NOON)
    assert text is not None
    with pytest.raises(YamlError, match="the approver must be somebody else than the owner"):
        parse_waivers(f"version: 1\nwaivers:\n{text}\n".encode())
    filled = text.replace("owner: NAME", "owner: ann").replace("approver: NAME", "approver: bob")
    for form in (filled, flow(filled)):
        [waiver] = parse_waivers(f"version: 1\nwaivers:\n{form}\n".encode()).values()
        assert (waiver.control, waiver.artifact, waiver.finding) == ("a.b", digest("model"), "a.b.bad")
        assert waiver.created_s <= NOON_S
        assert waiver.expires_s - waiver.created_s == WAIVED_DAYS * DAY_S
        assert WAIVED_DAYS <= 90


def flow(text: str) -> str:
    """As the text report shows it, wrapped."""
    members = ", ".join(line.lstrip("- ") for line in text.splitlines())
    return f"- {{{members}}}".replace(", reason", ",\n    reason").replace(", expires", ",\n    expires")


@pytest.mark.parametrize(
    "changes",
    [
        {"waivable": False},
        {"digest": None},
        {"waiver": "W-1"},
        {"outcome": Outcome.ERROR},
        {"violation": Violation("a.b.bad\nowner: me", "m", None, None, ())},
    ],
    ids=["not waivable", "no digest", "waived", "not judged", "odd code"],
)
def test_there_is_no_stanza_where_no_waiver_helps(changes: dict[str, Any]) -> None:
    assert stanza(*refused_with(**changes), NOON) is None


@pytest.mark.parametrize("time", ["", "now", "9999-12-30T00:00:00Z"])
def test_there_is_no_stanza_without_a_date(time: str) -> None:
    assert stanza(*refused_with(), time) is None


def test_equal_violations_ask_for_one_waiver_and_many_are_counted() -> None:
    entries = [
        DecidedViolation(Violation(f"a.b.c{n % 5}", str(n), "model", None, ()), None, None, digest("model"))
        for n in range(9)
    ]
    made = decision(control("a.b", Outcome.FAIL, *entries), subject=SUBJECT)
    assert len(Explainer(made, 3).stanzas(made.controls["a.b"])) == 5
    assert "... and 4 more; gate explain CONTROL --decision FILE lists all" in render("text", made)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_text_from_outside_gets_into_a_command_or_a_stanza(path: str, code: str, name: str) -> None:
    artifacts = {"model": {"kind": "weights", "digest": digest("model"), "path": path}}
    entry = DecidedViolation(Violation(code, name, "model", None, ()), None, None, digest("model"))
    made = decision(
        control("a.b", Outcome.FAIL, entry, claims=("artifact.signature",)), subject={"artifacts": artifacts}
    )
    found = Explainer(made, 1)
    [text] = found.commands(made.controls["a.b"])
    assert re.fullmatch(r"gate sign [A-Za-z0-9_][A-Za-z0-9._/@+-]* --key KEY", text)
    for item in found.stanzas(made.controls["a.b"]):
        assert re.fullmatch(r"[ -]*finding: [a-z0-9][a-z0-9._-]*", item.splitlines()[3])
        assert len(item.splitlines()) == 10


# --- one control in full ---------------------------------------------------------------------------------------------


def test_a_refusal_in_full_tells_the_nearest_each_time() -> None:
    item = rejected(Stage.SUBJECT, "subject.mismatch", claimed="artifact.signature", artifacts=("model",))
    entries = [
        DecidedViolation(Violation(f"a.b.{word}", f"no {word}", "model", None, ()), None, None, digest("model"))
        for word in ("missing", "also_missing")
    ]
    about = DecidedViolation(Violation("a.b.bad", "bad", "model", None, (item.evidence,)), None, None, None)
    refused = control("a.b", Outcome.FAIL, *entries, about, claims=("artifact.signature",))
    made = decision(refused, subject=SUBJECT, rejected=(item,), verified=(statement("prompt", "ann"),))
    found = json.loads(refusal_json(made, refused))
    near = f"artifact.signature in {item.origin}, rejected (subject.mismatch): {item.detail}"
    assert [one["nearest"] for one in found["violations"][:2]] == [[near], [near]]
    assert found["violations"][2]["nearest"] == [f"subject.mismatch in {item.origin}: {item.detail}"]
    assert len(found["stanzas"]) == 2
    text = refusal_text(made, refused)
    assert text.count(near) == 2
    assert "2 waivers to ask for" in text


def test_a_control_in_full_whatever_became_of_it() -> None:
    passed = control("a.b", reason="all is well")
    made = decision(passed)
    assert "rests on all is well" in refusal_text(made, passed)
    broken = control("a.b", Outcome.ERROR, waivable=False)
    assert "No waiver can accept this." in refusal_text(decision(broken), broken)
    nothing = control("a.b", Outcome.FAIL, DecidedViolation(Violation("a.b.bad", "m", None, None, ()), None))
    assert "this is about none" in refusal_text(decision(nothing), nothing)
    covered = [
        DecidedViolation(Violation("a.b.bad", "m", "model", None, ()), "W-1", None, digest("model")),
        DecidedViolation(Violation("a.b.missing", "m", "model", None, ()), None, digest("summary"), digest("model")),
    ]
    waived = control("a.b", Outcome.WAIVED, *covered)
    text = refusal_text(decision(waived, subject=SUBJECT), waived)
    assert "accepted by waiver W-1" in text
    assert f"verified before: {digest('summary')}" in text
    assert "to ask for" not in text


def test_a_control_in_full_counts_what_it_leaves_out() -> None:
    entries = [DecidedViolation(Violation("a.b.bad", str(n), None, f"f{n}", ()), None) for n in range(60)]
    many = control("a.b", Outcome.FAIL, *entries)
    assert "... and 10 violations more" in refusal_text(decision(many), many)
