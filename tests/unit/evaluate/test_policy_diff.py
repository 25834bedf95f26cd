"""Differences of policies: all are found, and none that loosens is called harmless."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from gate.evaluate.bundle import make_bundle
from gate.evaluate.policy_diff import catalogue_of, diff_policies
from gate.model.control import Mode
from gate.model.policy import Change, Effect, ItemDiff, PolicyDiff, Presence

PLACE = "gate/controls/a/one/one.rego"
OTHER = "custom/a/two/two.rego"
LIBRARY = "gate/lib/x/x.rego"
PROFILE = "gate/profiles/base/data.json"
METADATA = """# METADATA
# title: One
# description: It is one.
# custom:
#   severity: high
#   claims: [prompt]
#   artifacts: [weights, adapter]
#   targets: [training, deployment]
#   waivable: false
#   fix: Do it.
#   parameters:
#     - {name: limit, type: string, default: low, meaning: the limit}
#   frameworks:
#     F: {relation: supports, ids: [A, B]}
"""
CONTROL = METADATA + "package gate.controls.a.one\n\nx := 1\n"
ASKED = {"a.one": "enforce", "custom.a.two": "warn"}


def profile(modes: Mapping[str, str], **more: Any) -> bytes:
    return json.dumps({"controls": {name: {"mode": mode} for name, mode in modes.items()}} | more).encode()


POLICY: dict[str, bytes] = {
    PLACE: CONTROL.encode(),
    OTHER: (METADATA + "package custom.a.two\n").encode(),
    LIBRARY: b"package gate.lib.x\n",
    PROFILE: profile(ASKED, parameters={"a.one": {"limit": "low"}}),
}


def diff(new: Mapping[str, bytes | None], old: Mapping[str, bytes] | None = None) -> PolicyDiff:
    files = POLICY if old is None else old
    changed = {path: data for path, data in (dict(files) | dict(new)).items() if data is not None}
    return diff_policies(make_bundle(files), make_bundle(changed))


def control(old: str, new: str) -> tuple[Change, ...]:
    """The changes of the control when a text in it is replaced; nothing else differs."""
    assert old in CONTROL
    found = diff({PLACE: CONTROL.replace(old, new).encode()})
    assert (found.profiles, found.modules) == ((), ())
    return found.controls[0].changes


def one(changes: tuple[Change, ...]) -> tuple[str, Any, Any, Effect]:
    (change,) = changes
    return change.what, change.old, change.new, change.effect


def test_equal_policies_do_not_differ() -> None:
    found = diff({})
    assert found.old == found.new
    assert (found.controls, found.profiles, found.modules) == ((), (), ())
    assert [found.count(effect) for effect in Effect] == [0, 0, 0, 0]


def test_a_note_beside_the_metadata_changes_the_policy_and_nothing_in_it() -> None:
    found = diff({PLACE: CONTROL.replace("# title", "# scope: package\n# title").encode()})
    assert found.old != found.new
    assert (found.controls, found.profiles, found.modules) == ((), (), ())


def test_the_catalogue_has_each_profile_with_what_it_extends() -> None:
    files = POLICY | {"gate/profiles/more/data.json": profile({"a.one": "warn", "custom.a.two": "enforce"})}
    found = catalogue_of(make_bundle(files))
    assert list(found.controls) == ["a.one", "custom.a.two"]
    assert found.modes("a.one") == {"base": Mode.ENFORCE, "more": Mode.WARN}
    assert found.modes("gone") == {"base": Mode.OFF, "more": Mode.OFF}


# -- controls ----------------------------------------------------------------------------------------------------------


def test_a_control_that_is_gone_loosens() -> None:
    found = diff({OTHER: None, PROFILE: profile({"a.one": "enforce"}, parameters={"a.one": {"limit": "low"}})})
    assert found.controls == (ItemDiff("custom.a.two", Presence.REMOVED, Effect.LOOSENS),)
    assert one(found.profiles[0].changes) == ("custom.a.two", "warn", "off", Effect.LOOSENS)
    assert found.count(Effect.LOOSENS) == 2


def test_a_new_control_changes_nothing_until_a_profile_asks_for_it() -> None:
    found = diff({"custom/b/new/new.rego": POLICY[OTHER]})
    assert found.controls == (ItemDiff("custom.b.new", Presence.ADDED, Effect.NONE),)
    assert found.count(Effect.NONE) == 1


@pytest.mark.parametrize(
    ("old", "new", "what", "values", "effect"),
    [
        ("title: One", "title: Uno", "title", ("One", "Uno"), Effect.NONE),
        ("It is one.", "It was.", "description", ("It is one.", "It was."), Effect.NONE),
        ("fix: Do it.", "fix: Do.", "fix", ("Do it.", "Do."), Effect.NONE),
        ("severity: high", "severity: critical", "severity", ("high", "critical"), Effect.TIGHTENS),
        ("severity: high", "severity: medium", "severity", ("high", "medium"), Effect.LOOSENS),
        ("waivable: false", "waivable: true", "waivable", (False, True), Effect.LOOSENS),
        ("claims: [prompt]", "claims: []", "claims", (["prompt"], []), Effect.LOOSENS),
        ("claims: [prompt]", "claims: [eval]", "claims", (["prompt"], ["eval"]), Effect.LOOSENS),
        ("claims: [prompt]", "claims: [prompt, eval]", "claims", (["prompt"], ["eval", "prompt"]), Effect.TIGHTENS),
        ("[weights, adapter]", "[weights]", "artifacts", (["adapter", "weights"], ["weights"]), Effect.LOOSENS),
        (
            "[training, deployment]",
            "[deployment]",
            "targets",
            (["deployment", "training"], ["deployment"]),
            Effect.LOOSENS,
        ),
        (
            "ids: [A, B]",
            "ids: [A]",
            "framework F",
            ({"relation": "supports", "ids": ["A", "B"]}, {"relation": "supports", "ids": ["A"]}),
            Effect.NONE,
        ),
        ("    F: ", "    G: ", "framework F", ({"relation": "supports", "ids": ["A", "B"]}, None), Effect.NONE),
        ("default: low", "default: high", "default of parameter limit", ("low", "high"), Effect.UNCLEAR),
        ("default: low", "default: 1", "default of parameter limit", ("low", 1), Effect.UNCLEAR),
        ("type: string", "type: string, choices: [low]", "choices of parameter limit", ([], ["low"]), Effect.UNCLEAR),
        ("meaning: the", "meaning: a", "meaning of parameter limit", ("the limit", "a limit"), Effect.NONE),
    ],
)
def test_what_metadata_says_is_compared(old: str, new: str, what: str, values: Any, effect: Effect) -> None:
    found = control(old, new)[:1]
    assert one(found) == (what, *values, effect)


def test_a_control_that_can_no_longer_be_waived_tightens() -> None:
    waivable = POLICY | {PLACE: CONTROL.replace("waivable: false", "waivable: true").encode()}
    assert one(diff({PLACE: POLICY[PLACE]}, waivable).controls[0].changes) == (
        "waivable", True, False, Effect.TIGHTENS,
    )  # fmt: skip


@pytest.mark.parametrize("same", [("[A, B]", "[B, A]"), ("[weights, adapter]", "[adapter, weights]")])
def test_the_order_of_lists_does_not_matter(same: tuple[str, str]) -> None:
    assert diff({PLACE: CONTROL.replace(*same).encode()}).controls == ()


def test_true_is_not_one() -> None:
    old = POLICY | {PLACE: CONTROL.replace("default: low", "default: true").encode()}
    new = CONTROL.replace("default: low", "default: 1").encode()
    assert one(diff({PLACE: new}, old).controls[0].changes)[1:3] == (True, 1)


def test_another_type_of_a_parameter_is_told() -> None:
    other = CONTROL.replace("type: string", "type: list, least: 1").encode()
    changes = diff({PLACE: other, PROFILE: profile(ASKED)}).controls[0].changes
    assert [(item.what, item.old, item.new, item.effect) for item in changes] == [
        ("type of parameter limit", "string", "list", Effect.NONE),
        ("least of parameter limit", None, 1, Effect.UNCLEAR),
    ]


def test_parameters_come_and_go() -> None:
    line = "#     - {name: limit, type: string, default: low, meaning: the limit}\n"
    more = line.replace("limit", "other")
    gone = diff({PLACE: CONTROL.replace("#   parameters:\n" + line, "").encode(), PROFILE: profile(ASKED)})
    value: Any = {"type": "string", "meaning": "the limit", "default": "low", "choices": [], "least": None}
    assert one(gone.controls[0].changes) == ("parameter limit", value, None, Effect.UNCLEAR)
    assert one(gone.profiles[0].changes) == ("a.one: limit", "low", None, Effect.UNCLEAR)
    value = {"type": "string", "meaning": "the other", "default": "low", "choices": [], "least": None}
    assert one(control(line, line + more)) == ("parameter other", None, value, Effect.NONE)


def test_changed_rules_have_to_be_read() -> None:
    what, old, new, effect = one(control("x := 1", "x := 2"))
    assert (what, effect) == ("Rego", Effect.UNCLEAR)
    assert old.startswith("sha256:")
    assert new.startswith("sha256:")
    assert old != new


# -- profiles and modules ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "effect"),
    [
        ("enforce", "warn", Effect.LOOSENS),
        ("enforce", "off", Effect.LOOSENS),
        ("enforce", None, Effect.LOOSENS),
        ("warn", "off", Effect.LOOSENS),
        ("warn", "enforce", Effect.TIGHTENS),
        ("off", "warn", Effect.TIGHTENS),
        (None, "enforce", Effect.TIGHTENS),
    ],
)
def test_a_mode_of_a_profile_is_ranked(old: str | None, new: str | None, effect: Effect) -> None:
    before, after = (
        profile({"custom.a.two": "enforce", **({"a.one": mode} if mode is not None else {})}) for mode in (old, new)
    )
    (item,) = diff({PROFILE: after}, POLICY | {PROFILE: before}).profiles
    assert (item.name, item.presence) == ("base", Presence.CHANGED)
    assert one(item.changes) == ("a.one", old or "off", new or "off", effect)


def test_off_and_not_named_are_the_same() -> None:
    before = POLICY | {PROFILE: profile({"a.one": "enforce", "custom.a.two": "off"})}
    assert diff({PROFILE: profile({"a.one": "enforce"})}, before).profiles == ()


def test_a_value_of_a_profile_has_to_be_read() -> None:
    new = profile(ASKED, parameters={"a.one": {"limit": "high"}})
    assert one(diff({PROFILE: new}).profiles[0].changes) == ("a.one: limit", "low", "high", Effect.UNCLEAR)


def test_a_change_reaches_the_profiles_that_extend() -> None:
    more = "gate/profiles/more/data.json"
    old = POLICY | {more: b'{"extends": "base"}'}
    found = diff({PROFILE: profile(ASKED | {"a.one": "warn", "custom.a.two": "enforce"})}, old)
    assert [item.name for item in found.profiles] == ["base", "more"]


def test_profiles_come_and_go_without_letting_anything_through() -> None:
    more = "gate/profiles/more/data.json"
    assert diff({more: POLICY[PROFILE]}).profiles == (ItemDiff("more", Presence.ADDED, Effect.NONE),)
    assert diff({PROFILE: None}).profiles == (ItemDiff("base", Presence.REMOVED, Effect.NONE),)


def test_other_modules_have_to_be_read() -> None:
    assert one(diff({LIBRARY: b"package gate.lib.x\ny := 1\n"}).modules[0].changes)[0] == "Rego"
    assert diff({LIBRARY: None}).modules == (ItemDiff(LIBRARY, Presence.REMOVED, Effect.UNCLEAR),)
    assert diff({"gate/lib/y.rego": b""}).modules == (ItemDiff("gate/lib/y.rego", Presence.ADDED, Effect.UNCLEAR),)


def test_tests_are_no_part_of_a_policy() -> None:
    found = diff({"gate/controls/a/one/one_test.rego": b"package a_test"})
    assert found.old == found.new
