"""The states of a waiver, to the second."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gate.model.digest import sha256_digest
from gate.model.waiver import EXPIRING_S, MAX_WAIVER_S, Waiver, WaiverState, can_be_told_apart, combine, is_same_person

DAY = 86400
WAIVER = Waiver("W-1", "scan.malware", sha256_digest(b"m"), None, "r", "T-1", "ann", "ben", 100 * DAY, 160 * DAY)


@pytest.mark.parametrize(
    ("now_s", "state"),
    [
        (0, WaiverState.PENDING),
        (100 * DAY - 1, WaiverState.PENDING),
        (100 * DAY, WaiverState.ACTIVE),
        (146 * DAY - 1, WaiverState.ACTIVE),
        (146 * DAY, WaiverState.EXPIRING),
        (160 * DAY - 1, WaiverState.EXPIRING),
        (160 * DAY, WaiverState.EXPIRED),
        (10**12, WaiverState.EXPIRED),
    ],
)
def test_s29_a_waiver_counts_from_its_first_second_and_not_at_its_end(now_s: int, state: WaiverState) -> None:
    assert WAIVER.state(now_s) is state


def test_s29_the_periods_are_those_documented() -> None:
    assert (MAX_WAIVER_S, EXPIRING_S) == (90 * DAY, 14 * DAY)


def test_s29_an_invalid_waiver_never_counts() -> None:
    assert replace(WAIVER, problem="no").state(120 * DAY) is WaiverState.INVALID


def test_s29_the_same_waiver_twice_is_one() -> None:
    assert combine([WAIVER, replace(WAIVER)]) == {"W-1": WAIVER}
    assert combine([WAIVER, replace(WAIVER, problem="only its owner signed")]) == {"W-1": WAIVER}
    other = replace(WAIVER, id="W-0")
    assert list(combine([WAIVER, other])) == ["W-0", "W-1"]


def test_s29_two_that_differ_are_invalid_in_whatever_order() -> None:
    waivers = [WAIVER, replace(WAIVER, approver="eve"), replace(WAIVER, problem="x")]
    first = combine(waivers)
    assert first == combine(reversed(waivers))
    assert first["W-1"].problem == "3 waivers with this id differ"


def test_s29_people_are_compared_as_people_see_them() -> None:
    assert is_same_person("Ann", " ann\u200b")
    assert not is_same_person("ann", "anna")
    assert is_same_person("Jos\u00e9", "jose\u034f")
    assert is_same_person("\u0130nci", "inc\u0131")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann B.", "ben-2@example.org"),
        ("J\u00fcrgen", "Bob"),
        ("\u0430\u043d\u043d\u0430", "\u0431\u043e\u0440\u0438\u0441"),
        ("\u7530\u4e2d", "\u9234\u6728\u3072\u308d"),
        ("\u0930\u093e\u092e", "\u0938\u0940\u0924\u093e"),
        ("7", "ann"),
    ],
)
def test_s29_names_in_one_script_are_told_apart(one: str, other: str) -> None:
    assert not is_same_person(one, other)
    assert can_be_told_apart(one, other)


@pytest.mark.parametrize(
    "name",
    [
        "\u0430nn",  # a Cyrillic letter first
        "\u0430\u0441\u0435",  # Cyrillic letters that spell ace
        "\u0251nn",  # a letter of phonetics
        "ann\u2013",  # a dash
        "ann\u0489",  # a mark of another script
        "ann\ue000",  # private use
    ],
)
def test_s29_names_that_look_alike_are_not(name: str) -> None:
    assert not can_be_told_apart("ace", name)
    assert not can_be_told_apart(name, "ace")
