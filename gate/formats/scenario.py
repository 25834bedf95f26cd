"""`scenario.json` and `scenarios.json` (`urn:gate:scenario:v1`, `urn:gate:scenario-set:v1`): bytes become typed values.

The form is meant for every gate: what is said to this one alone is apart, in `expect.gate`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

from gate.formats import schema
from gate.formats.rfc3339 import parse_time
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.scenario import NO_THREAT, Expected, Impossible, OwnWords, Scenario, ScenarioSet, Threat

SET_FILE: Final = "scenarios.json"
SCENARIO_FILE: Final = "scenario.json"
_BYTES: Final = 1 << 20
_NAME: Final = re.compile(r"(?:allow|deny|error|unseen)/[a-z0-9][a-z0-9_-]{0,99}")


class ScenarioError(ValueError):
    """The files are no scenario, or no set of them; the text names the file."""


def read_set(files: Mapping[str, bytes]) -> ScenarioSet:
    """The set that the files below a folder make, by their paths; raises `ScenarioError`."""
    if SET_FILE not in files:
        raise ScenarioError(f"there is no {SET_FILE}")
    told = _object(SET_FILE, "scenario-set.json", files[SET_FILE])
    names = sorted({_scenario_of(path, files) for path in files if "/" in path})
    found = [read_scenario(name, files[f"{name}/{SCENARIO_FILE}"]) for name in names]
    matrix = told["matrix"]
    made = ScenarioSet(
        title=told["title"],
        threats={name: Threat(one["title"], one["description"]) for name, one in told["threats"].items()},
        kinds=tuple(matrix["kinds"]),
        threats_crossed=tuple(matrix["threats"]),
        targets=tuple(matrix["targets"]),
        impossible=tuple(Impossible(**one) for one in told["impossible"]),
        scenarios=tuple(found),
        digest=_digest(files),
    )
    _check(made)
    return made


def _scenario_of(path: str, files: Mapping[str, bytes]) -> str:
    """The folder of the scenario that a file belongs to: one that nobody plays would look like one that was played."""
    name = "/".join(path.split("/")[:2])
    if f"{name}/{SCENARIO_FILE}" not in files:
        raise ScenarioError(f"{path} belongs to no scenario: there is no {name}/{SCENARIO_FILE}")
    if not _NAME.fullmatch(name):
        raise ScenarioError(f"{name!r} is no name of a scenario: lower case, digits, - and _")
    return name


def read_scenario(name: str, data: bytes) -> Scenario:
    """The scenario of a folder, which is named by what has to come out of it; raises `ScenarioError`."""
    place = f"{name}/{SCENARIO_FILE}"
    told = _object(place, "scenario.json", data)
    change, expect = told["change"], told["expect"]
    own, now_s = expect["gate"], parse_time(told["now"])
    if now_s is None:
        raise ScenarioError(f"{place}: now: {told['now']!r} is no time")
    if name.partition("/")[0] != expect["decision"]:
        raise ScenarioError(f"{place}: the folder says {name.partition('/')[0]}, and it says {expect['decision']}")
    if (expect["decision"] == Expected.UNSEEN.value) != (expect["because"] is not None):
        raise ScenarioError(f"{place}: expect.because belongs to what is unseen, and to nothing else")
    if (expect["decision"] == Expected.UNSEEN.value) != bool(expect["seen_by"]):
        raise ScenarioError(f"{place}: expect.seen_by names at least one scenario for what is unseen, and else none")
    if (told["threat"] == NO_THREAT) != (expect["decision"] == Expected.ALLOW.value):
        raise ScenarioError(f"{place}: a threat belongs to what is not allowed, and to nothing else")
    return Scenario(
        name=name,
        title=told["title"],
        threat=told["threat"],
        kind=told["kind"],
        target=told["target"],
        profile=told["profile"],
        twin=told["twin"],
        now_s=now_s,
        against=change["against"],
        expected=Expected(expect["decision"]),
        because=expect["because"],
        seen_by=tuple(expect["seen_by"]),
        own=OwnWords(own["exit_code"], *(tuple(own[member]) for member in ("failing", "passing", "waived", "words"))),
        base_executable=tuple(told["base"]["executable"]),
        executable=tuple(change["executable"]),
        deleted=tuple(change["deleted"]),
        links=dict(change["links"]),
        artifacts=tuple(one["kind"] for one in told["artifacts"]),
    )


def _check(found: ScenarioSet) -> None:
    """What one file alone cannot tell: that names lead somewhere, and to what they are said to be."""
    threats = {one.name: one.threat for one in found.scenarios}
    for one in found.scenarios:
        place = f"{one.name}/{SCENARIO_FILE}"
        if one.threat not in {NO_THREAT, *found.threats}:
            raise ScenarioError(f"{place}: {SET_FILE} knows no threat {one.threat!r}")
        for name in (*((one.twin,) if one.twin is not None else ()), *one.seen_by):
            if name not in threats:
                raise ScenarioError(f"{place}: there is no scenario {name!r}")
        if one.twin is not None and not one.twin.startswith(f"{Expected.ALLOW.value}/"):
            raise ScenarioError(f"{place}: twin: {one.twin!r} is no good change, so it is no twin")
        for name in one.seen_by:
            if threats[name] != one.threat or not name.startswith(f"{Expected.DENY.value}/"):
                raise ScenarioError(f"{place}: expect.seen_by: {name!r} is no refused attack of threat {one.threat!r}")
    for threat in found.threats_crossed:
        if threat not in found.threats:
            raise ScenarioError(f"{SET_FILE}: matrix: there is no threat {threat!r}")


def _object(place: str, name: str, data: bytes) -> Any:
    try:
        value = loads_object(data, limit=_BYTES)
    except StrictJsonError as error:
        raise ScenarioError(f"{place}: {error}") from None
    problem = schema.problem(name, value)
    if problem is not None:
        raise ScenarioError(f"{place}: {problem}")
    return value


def _digest(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the lines of `sha256sum`, in the order of the paths."""
    lines = (f"{hashlib.sha256(data).hexdigest()}  {path}\n" for path, data in sorted(files.items()))
    return "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
