"""A team's own control is the same in both engines, and one that fails is an error in both (CONTROLS 2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate._native import PolicySet
from tests.property import rego_library as library
from tests.property.engines import ERROR, REPORT, UNDEFINED, Comparison
from tests.support.opa_server import OpaServer

DOCUMENT = library.inputs()["everything"]
STATUS = 'status := "pass"\n\nviolations := set()\n\nevidence := set()\n\nreason := "always"\n\n'
READS = "import data.gate.lib.document\n\n"

SOUND = {
    "passes": STATUS,
    "fails": 'status := "fail"\n\nviolations contains {"code": x} if some x in ["b", "a"]\n',
    "is not applicable": 'status := "not_applicable"\n\nreason := "nothing there"\n',
    "has a default": 'default status := "error"\n\nstatus := "pass" if input.nowhere\n',
    "has no status": "evidence := set()\n",
    "has a status that is no text": "status := {1, 2}\n",
    "reads the library": f'{READS}status := "pass" if is_object(document.artifacts)\n\nevidence := set()\n',
    "passes without evidence": 'status := "pass"\n',
    "has functions and helpers": f"{STATUS}f(x) := x + 1\n\nhelper contains f(1)\n\nundefined if input.nowhere\n",
    "has a helper that depends on nothing": f"{STATUS}names := object.keys(input.artifacts)\n",
}
FAILING = {
    "says two things": 'status := "pass"\n\nstatus := "fail"\n',
    "has two reasons": 'status := "pass"\n\nreason := "a"\n\nreason := "b"\n',
    "has a helper with two values": f"{STATUS}helper := 1 if input\n\nhelper := 2 if input\n",
    "has a helper whose builtin fails": f'{STATUS}helper := to_number("x")\n',
    "has a status whose builtin fails": 'status := "pass" if to_number("x") == 1\n',
    "decodes what is no code": f'{STATUS}helper := hex.decode("%")\n',
}


# Where a control may lie, its id, and that of a sound one beside it.
PLACES = {
    "gate/controls/own/control": ("own.control", "own.sound"),
    "custom/own/control": ("custom.own.control", "custom.own.sound"),
}


@pytest.fixture(params=PLACES, ids=["gate", "custom"])
def place(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def ask(folder: Path, place: str, rules: str) -> Iterator[tuple[str, Comparison, str]]:
    """Asks both engines for the control, for the one beside it and for one of the library, each alone."""
    control, sound = PLACES[place]
    modules = {place: rules, place.replace("/control", "/sound"): STATUS}
    for name, text in modules.items():
        path = folder / name / f"{name.rpartition('/')[2]}.rego"
        path.parent.mkdir(parents=True)
        path.write_text(f"package {name.replace('/', '.')}\n\n{text}")
    own = {str(path): path.read_text() for path in folder.rglob("*.rego")}
    policies = PolicySet.compile(library.modules("rego") | own, "{}", [REPORT])
    with OpaServer(str(library.ROOT / "rego"), str(folder)) as opa:
        for asked in (control, sound, "artifact.signed"):
            profile = {"name": "own", "controls": {asked: {"mode": "enforce"}}, "parameters": {}}
            comparison = Comparison(opa, policies)
            yield asked, comparison, comparison.compare(DOCUMENT | {"profile": profile}, asked)


@pytest.mark.parametrize("rules", SOUND.values(), ids=SOUND)
def test_an_own_control_gives_the_same_in_both(tmp_path: Path, place: str, rules: str, record_property: Any) -> None:
    for asked, comparison, answer in ask(tmp_path, place, rules):
        record_property("differential", comparison.summary("own controls"))
        assert not comparison.examples, asked
        assert answer not in {ERROR, UNDEFINED}, asked


@pytest.mark.parametrize("rules", FAILING.values(), ids=FAILING)
def test_an_own_control_that_fails_is_an_error_in_both(
    tmp_path: Path, place: str, rules: str, record_property: Any
) -> None:
    """Also when another one of its namespace is asked for: a policy that is broken somewhere judges nothing."""
    for asked, comparison, answer in ask(tmp_path, place, rules):
        record_property("differential", comparison.summary("own controls that fail"))
        assert not comparison.examples, asked
        in_namespace = place.startswith("gate/") or asked.startswith("custom.")
        assert (answer == ERROR) == in_namespace, asked


@pytest.mark.parametrize("violations", ['"x"', "5", "null", '{"a": 1}'])
def test_violations_that_cannot_be_sorted_are_an_error_in_both(
    tmp_path: Path, place: str, violations: str, record_property: Any
) -> None:
    """Only where they are asked for: nobody sorts the others."""
    for asked, comparison, answer in ask(tmp_path, place, f'status := "fail"\n\nviolations := {violations}\n'):
        record_property("differential", comparison.summary("own controls that fail"))
        assert not comparison.examples, asked
        assert (answer == ERROR) == (asked == PLACES[place][0]), asked
