"""Waivers: only complete, bounded ones that two people stand behind are read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gate.formats import schema
from gate.formats.strict_yaml import YamlError
from gate.formats.waivers import parse_waivers
from gate.model.digest import sha256_digest
from gate.model.waiver import Waiver

DIGEST = sha256_digest(b"model")
GOOD = {
    "id": "W-12",
    "control": "scan.vulnerabilities",
    "artifact": DIGEST,
    "finding": "scan.vulnerabilities.open",
    "reason": "The vulnerable function is not called.",
    "ticket": "SEC-431",
    "owner": "ann",
    "approver": "ben",
    "created": "2026-11-01",
    "expires": "2027-01-30",
}
DAY = 86400
CREATED = 1793491200


def document(*waivers: Any, version: Any = 1) -> bytes:
    """JSON is YAML, so its writer does for one line per waiver."""
    return f"version: {json.dumps(version)}\nwaivers:\n".encode() + b"".join(
        f"- {json.dumps(w)}\n".encode() for w in waivers
    )


def waiver(**changes: Any) -> dict[str, Any]:
    """A good waiver with some fields replaced, or left out where the change is `...`."""
    return {key: value for key, value in (GOOD | changes).items() if value is not ...}


def refused(data: bytes) -> YamlError:
    with pytest.raises(YamlError) as caught:
        parse_waivers(data)
    return caught.value


def test_s29_a_complete_waiver_is_read() -> None:
    expected = Waiver(
        "W-12",
        "scan.vulnerabilities",
        DIGEST,
        "scan.vulnerabilities.open",
        "The vulnerable function is not called.",
        "SEC-431",
        "ann",
        "ben",
        CREATED,
        CREATED + 90 * DAY,
    )
    assert parse_waivers(document(waiver())) == {"W-12": expected}


def test_s29_several_waivers_of_one_control_are_fine() -> None:
    assert list(parse_waivers(document(waiver(id="a"), waiver(id="b", finding=...)))) == ["a", "b"]


@pytest.mark.parametrize("data", [b"version: 1\nwaivers: []\n", b"version: 1\n"])
def test_s29_there_may_be_none(data: bytes) -> None:
    assert parse_waivers(data) == {}


@pytest.mark.parametrize("name", [name for name in GOOD if name != "finding"])
def test_s29_every_field_but_the_finding_is_needed(name: str) -> None:
    error = refused(document(waiver(**{name: ...})))
    assert str(error) == f"a waiver needs {name!r}"
    assert (error.line, error.column) == (3, 3)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("value", [None, "", "   ", 1, True, [], ["x"], {}, {"a": "b"}], ids=str)
def test_s29_a_field_without_text_is_refused(name: str, value: Any) -> None:
    assert "expected text" in str(refused(document(waiver(**{name: value}))))


@pytest.mark.parametrize("name", GOOD)
def test_s29_a_misspelt_field_is_refused_with_the_right_name(name: str) -> None:
    misspelt = name[:-1] + "_"
    error = refused(document(waiver(**{name: ..., misspelt: GOOD[name]})))
    assert f"unknown key {misspelt!r}; " in str(error)
    assert name in str(error)
    assert error.line == 3


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"control": "*"}, "control"),
        ({"control": "scan.*"}, "control"),
        ({"finding": "*"}, "finding"),
        ({"finding": "scan.vulnerabilities.*"}, "finding"),
        ({"artifact": "*"}, "artifact"),
        ({"artifact": "sha256:*"}, "artifact"),
        ({"artifact": "models/summarizer"}, "artifact"),
        ({"artifact": DIGEST.upper()}, "artifact"),
        ({"artifact": DIGEST.removeprefix("sha256:")}, "artifact"),
        ({"artifact": DIGEST + " "}, "artifact"),
        ({"artifact": DIGEST[:-1]}, "artifact"),
        ({"artifact": "sha512:" + "0" * 128}, "artifact"),
        ({"id": "*"}, "id"),
        ({"id": "a b"}, "id"),
        ({"id": "-a"}, "id"),
        ({"id": "a/b"}, "id"),
        ({"id": "a\n"}, "id"),
        ({"id": "a" * 65}, "id"),
        ({"id": "\u00e9"}, "id"),
        ({"id": "W-\u0661"}, "id"),
        ({"expires": "2026-11-01"}, "expires"),
        ({"expires": "2026-10-31"}, "expires"),
        ({"expires": "2027-01-31"}, "expires"),
        ({"expires": "2027-01-30T00:00:01Z"}, "expires"),
        ({"expires": "2126-11-01"}, "expires"),
        ({"expires": "9999-12-31"}, "expires"),
        ({"expires": "never"}, "expires"),
        ({"expires": "2026-11-31"}, "expires"),
        ({"expires": "30d"}, "expires"),
        ({"expires": "2026-12-01T12:00"}, "expires"),
        ({"expires": "2026-12-01 12:00:00Z"}, "expires"),
        ({"expires": "Tomorrow"}, "expires"),
        ({"created": "2027-01-30"}, "expires"),
        ({"created": "2027-02-01"}, "expires"),
        ({"created": "2026-10-31"}, "expires"),
        ({"created": "1969-12-31"}, "created"),
        ({"created": "today"}, "created"),
        ({"created": "2026-11-01T00:00:00"}, "created"),
    ],
    ids=lambda value: ascii(value)[:50],
)
def test_s29_wildcards_and_endless_waivers_are_refused_at_their_place(changes: dict[str, str], field: str) -> None:
    data = document(waiver(**changes))
    error = refused(data)
    line = data.decode().splitlines()[error.line - 1]
    assert line[: error.column - 1].endswith(f'"{field}": ')


@pytest.mark.parametrize(
    ("owner", "approver"),
    [
        ("ann", "ann"),
        ("ann", "Ann"),
        ("ann", "ANN"),
        ("ann", "ann "),
        (" ann", "ann"),
        ("ann", "a nn"),
        ("ann", "ann\t"),
        ("ann", "ann\u00a0"),
        ("ann", "ann\u200b"),
        ("ann", "a\u00adnn"),
        ("ann", "\u202eann"),
        ("ann", "\ufeffann"),
        ("ann", "\uff41\uff4e\uff4e"),
        ("stra\u00dfe", "STRASSE"),
        ("zo\u00eb", "zoe\u0308"),
    ],
    ids=ascii,
)
def test_s29_nobody_approves_their_own_waiver(owner: str, approver: str) -> None:
    assert "somebody else" in str(refused(document(waiver(owner=owner, approver=approver))))


@pytest.mark.parametrize("approver", ["\u0430nn", "\u0430\u043d\u043d\u0430", "b\u2010n"], ids=ascii)
def test_s29_an_approver_who_could_look_like_the_owner_is_refused(approver: str) -> None:
    assert "letters of one script" in str(refused(document(waiver(approver=approver))))


@pytest.mark.parametrize(
    ("created", "expires", "seconds"),
    [
        ("2026-11-01", "2026-11-02", DAY),
        ("2026-11-01", "2027-01-30", 90 * DAY),
        ("2026-11-01", "2026-11-01T00:00:01Z", 1),
        ("2026-11-01T02:00:00+02:00", "2026-11-01T00:30:00-01:00", 5400),
    ],
)
def test_s29_a_waiver_lasts_up_to_ninety_days(created: str, expires: str, seconds: int) -> None:
    (found,) = parse_waivers(document(waiver(created=created, expires=expires))).values()
    assert (found.created_s, found.expires_s - found.created_s) == (CREATED, seconds)


def test_s29_an_id_that_occurs_twice_refuses_the_file() -> None:
    error = refused(document(waiver(), waiver(control="scan.malware")))
    assert "occurs twice" in str(error)
    assert error.line == 4


@pytest.mark.parametrize("version", [None, 0, 2, -1, "1", True, [1], {}], ids=str)
def test_s18_the_version_is_the_number_one(version: Any) -> None:
    assert str(refused(document(waiver(), version=version))) == "version must be 1"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"- id: x",
        b"waivers: []",
        b"version: 1\nwaivers:",
        b"version: 1\nwaivers: {W-1: {}}",
        b"version: 1\nwaivers: none",
        b"version: 1\nwaivers: [~]",
        b"version: 1\nwaivers: [text]",
        b"version: 1\nwaivers: [[]]",
        b"version: 1\nwaiver: []",
        b"version: 1\nwaivers: []\nwaivers: []",
        b"version: 1\nwaivers: &a []",
        b"version: 1\n---\nwaivers: []",
        b"version: 1\n# nothing to see here\rwaivers: []",
        b"\xff",
    ],
)
def test_s18_a_file_of_another_shape_is_refused_as_a_whole(data: bytes) -> None:
    refused(data)


class TestSchemaOfTheWaivers:
    @staticmethod
    def fits(*waivers: Any, version: Any = 1) -> bool:
        return schema.problem("waivers.json", {"version": version, "waivers": list(waivers)}) is None

    def test_the_loader_and_the_schema_read_the_same_good_waivers(self) -> None:
        for good in (waiver(), waiver(finding=...), waiver(created="2026-11-01T02:00:00+02:00"), waiver(id="a.b_c-D9")):
            assert self.fits(good)
            assert parse_waivers(document(good))

    @pytest.mark.parametrize("name", GOOD)
    @pytest.mark.parametrize(
        "value", [None, "", "   ", 1, True, [], {}, "*", "a*", "never", "sha256:*", "a b\n", ...], ids=str
    )
    def test_the_loader_and_the_schema_refuse_the_same_bad_waivers(self, name: str, value: Any) -> None:
        changed = waiver(**{name: value})
        try:
            parse_waivers(document(changed))
            is_good = True
        except YamlError:
            is_good = False
        assert self.fits(changed) == is_good

    @pytest.mark.parametrize("version", [None, 0, 2, "1", True, [1]], ids=str)
    def test_another_version_does_not_fit(self, version: Any) -> None:
        assert not self.fits(version=version)
        assert not self.fits(waiver(extra="x"))
