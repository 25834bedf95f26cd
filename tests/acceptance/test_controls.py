"""`gate controls` as a compliance lead and an author of controls use it."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from gate.formats.schema import problem
from tests.acceptance.world import gate, inside

REGO = Path(__file__).resolve().parents[2] / "rego"
NEVER = re.compile("(?i)" + "|".join(("compl" + "ies", "complia" + "nt", "certif" + "ied", "satisf" + "ies")))
LADDER = ["ladder-1-hashes", "ladder-2-signatures", "ladder-3-provenance"]
ALL = json.loads(inside("controls", "list", "--format", "json").out)
OWN = """# METADATA
# title: Own
# description: "\\e]0;owned\\a"
# custom:
#   severity: low
#   claims: []
#   artifacts: [weights]
#   targets: [deployment]
#   waivable: true
#   fix: =1+1
#   frameworks:
#     ACME-1: {relation: supports, ids: [A-1]}
package custom.team.own

default status := "error"
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder with one control of a team."""
    place = tmp_path / "policy" / "custom" / "team" / "own"
    place.mkdir(parents=True)
    (place / "own.rego").write_text(OWN)
    return tmp_path / "policy"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the whole library."""
    return Path(shutil.copytree(REGO, tmp_path / "copy"))


def ids(*arguments: str) -> list[str]:
    done = inside("controls", "list", "--format", "json", *arguments)
    assert done.code == 0, done.err
    return [item["id"] for item in json.loads(done.out)]


# -- list and show -----------------------------------------------------------------------------------------------------


def test_the_list_is_filtered() -> None:
    everything = ids()
    assert ids("--family", "scan") == [name for name in everything if name.startswith("scan.")]
    assert ids("--target", "training") == [item["id"] for item in ALL if "training" in item["targets"]]
    assert ids("--framework", "S2C2F") == [item["id"] for item in ALL if "S2C2F" in item["frameworks"]]
    assert ids("--profile", "baseline") == [item["id"] for item in ALL if item["profiles"]["baseline"] != "off"]
    assert ids("--family", "scan", "--framework", "NIST-800-218A") == ["scan.coverage", "scan.vulnerabilities"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--framework", "NIST-800-218"], "there is no framework 'NIST-800-218'; did you mean 'NIST-800-218A'?"),
        (["--family", "scans"], "there is no family 'scans'; did you mean 'scan'?"),
        (["--profile", "basline"], "there is no profile 'basline'; did you mean 'baseline'?"),
        (["--target", "production"], "'production' is not one of"),
        (["--policy", "nowhere"], "there is no policy folder 'nowhere'"),
        (["--format", "xml"], "'xml' is not one of"),
    ],
)
def test_an_unknown_name_is_exit_2(arguments: list[str], words: str) -> None:
    done = inside("controls", "list", *arguments)
    assert (done.code, done.out) == (2, "")
    assert words in done.err


def test_a_profile_is_the_only_column_when_it_is_asked_for() -> None:
    done = inside("controls", "list", "--profile", "strict")
    assert done.out.splitlines()[0].split() == ["control", "severity", "strict", "title"]


def test_the_list_as_csv_and_markdown() -> None:
    rows = list(csv.DictReader(io.StringIO(inside("controls", "list", "--format", "csv").out, newline="")))
    assert [row["control"] for row in rows] == [item["id"] for item in ALL]
    table = inside("controls", "list", "--format", "markdown").out.splitlines()
    columns = [column.strip(" `") for column in table[0].split("|")[1:-1]]
    assert columns[:3] == ["control", "title", "severity"]
    assert columns[3:9] == ["baseline", *LADDER, "llm-application", "strict"]
    assert len(table) == len(ALL) + 2


def test_a_control_has_parameters_with_defaults_and_a_page() -> None:
    text = inside("controls", "show", "scan.malware").out
    assert "limit (string of low, medium, high, critical, default low)" in text
    assert "baseline: medium" in text
    assert "docs       docs/controls/scan/malware.md" in text
    value = json.loads(inside("controls", "show", "scan.malware", "--format", "json").out)
    assert value["parameters"][0] | {"meaning": ""} == {
        "name": "limit", "type": "string", "default": "low", "meaning": "", "least": None,
        "choices": ["low", "medium", "high", "critical"],
        "profiles": dict.fromkeys(["baseline", *LADDER, "llm-application"], "medium") | {"strict": "low"},
    }  # fmt: skip


# -- the matrix --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "csv", "markdown"])
def test_every_form_of_the_matrix_says_supports_and_promises_nothing(form: str) -> None:
    done = inside("controls", "matrix", "--framework", "NIST-800-218A", "--format", form)
    assert done.code == 0
    assert "partly supports" in done.out
    assert not NEVER.search(done.out)


def test_the_matrix_of_one_framework_has_all_its_requirements() -> None:
    value = json.loads(inside("controls", "matrix", "--framework", "NIST-800-218A", "--format", "json").out)
    assert problem("controls-matrix.json", value) is None
    (framework,) = value["frameworks"]
    assert framework["complete"]
    assert len(framework["requirements"]) == 48
    supported = {row["id"]: [item["id"] for item in row["controls"]] for row in framework["requirements"]}
    assert supported["PS.2.1"] == [
        "artifact.integrity",
        "artifact.signed",
        "artifact.transparent",
        "container.signed",
        "deploy.image_pinned",
        "sbom.signed",
    ]
    assert framework["gaps"]["requirements"] == [name for name, controls in supported.items() if not controls]
    assert "scan.malware" in framework["gaps"]["controls"]
    assert value["unmapped"] == []


def test_the_matrix_of_all_frameworks(tmp_path: Path) -> None:
    value = json.loads(gate("controls", "matrix", "--format", "json", cwd=tmp_path).out)
    assert problem("controls-matrix.json", value) is None
    assert [item["id"] for item in value["frameworks"]] == sorted(item["id"] for item in value["frameworks"])
    text = inside("controls", "matrix").out
    assert "OWASP-LLM-2025  OWASP Top 10 for Large Language Model Applications, 2025" in text
    assert "The list of requirements is not complete: mitigations AML.M0000 to AML.M0034" in text


# -- another policy ----------------------------------------------------------------------------------------------------


def test_own_controls_stand_beside_the_library(own: Path) -> None:
    assert ids("--policy", str(own)) == sorted([*ids(), "custom.team.own"])
    assert ids("--policy", str(own), "--family", "custom.team") == ["custom.team.own"]
    assert ids("--policy", str(own), "--framework", "ACME-1") == ["custom.team.own"]
    shown = inside("controls", "show", "custom.team.own", "--policy", str(own)).out
    assert "docs  " not in shown
    assert "docs/controls" in inside("controls", "show", "scan.malware", "--policy", str(own)).out
    matrix = inside("controls", "matrix", "--framework", "ACME-1", "--policy", str(own)).out
    assert "The list of requirements is not complete: the gate has no list of its requirements" in matrix
    assert "A-1  (not in the gate's list)" in matrix


def test_what_own_controls_say_of_themselves_is_escaped(own: Path) -> None:
    outputs = [
        inside("controls", "list", "--policy", str(own)).out,
        inside("controls", "show", "custom.team.own", "--policy", str(own)).out,
        inside("controls", "list", "--policy", str(own), "--format", "csv").out.replace("\r\n", "\n"),
        inside("controls", "diff", "packaged", str(own)).out,
    ]
    for out in outputs:
        assert all(line.isprintable() for line in out.split("\n"))
    assert "\\x1b]0;owned\\x07" in outputs[1]


def test_a_folder_without_controls_is_exit_2(tmp_path: Path) -> None:
    (tmp_path / "x.md").write_text("text")
    done = inside("controls", "list", "--policy", str(tmp_path))
    assert done.code == 2
    assert "holds no control" in done.err


def test_a_file_that_is_no_part_of_a_policy_is_exit_4(own: Path) -> None:
    (own / "stray.rego").write_text("package stray\n")
    assert inside("controls", "list", "--policy", str(own)).code == 4


def test_a_link_in_a_policy_is_not_followed(own: Path) -> None:
    (own / "custom" / "data.json").symlink_to("/etc/hostname")
    assert inside("controls", "list", "--policy", str(own)).code == 3


# -- differences -------------------------------------------------------------------------------------------------------


def difference(*arguments: str) -> Any:
    done = inside("controls", "diff", *arguments, "--format", "json")
    assert done.code == 0, done.err
    value = json.loads(done.out)
    assert problem("controls-diff.json", value) is None
    return value


def test_a_copy_is_the_same_policy(copy: Path) -> None:
    done = inside("controls", "diff", str(copy), "packaged")
    assert done.code == 0
    assert done.out.endswith("\nThe policies are the same.\n")


def test_what_loosens_is_marked_and_the_exit_code_stays_0(copy: Path) -> None:
    malware = copy / "gate/controls/scan/malware/malware.rego"
    malware.write_text(malware.read_text().replace("severity: critical", "severity: medium") + "\n# end\n")
    baseline = copy / "gate/profiles/baseline/data.json"
    profile = json.loads(baseline.read_text())
    profile["controls"]["scan.coverage"]["mode"] = "warn"
    del profile["controls"]["artifact.pinned"]
    baseline.write_text(json.dumps(profile))
    value = difference("packaged", str(copy))
    assert [item["name"] for item in value["controls"]] == ["scan.malware"]
    changes = {change["what"]: change["effect"] for change in value["controls"][0]["changes"]}
    assert changes == {"severity": "loosens", "Rego": "unclear"}
    (base,) = value["profiles"]
    assert [(change["what"], change["old"], change["new"], change["effect"]) for change in base["changes"]] == [
        ("artifact.pinned", "enforce", "off", "loosens"),
        ("scan.coverage", "enforce", "warn", "loosens"),
    ]
    assert (value["loosens"], value["unclear"]) == (3, 1)
    text = inside("controls", "diff", "packaged", str(copy)).out
    assert "      scan.coverage: enforce -> warn   [LOOSENS]\n" in text
    assert text.endswith("\n3 changes loosen the policy; 1 more may: read them.\n")


def test_own_controls_are_what_differs_from_the_library(own: Path) -> None:
    value = difference("packaged", str(own))
    assert [(item["name"], item["presence"]) for item in value["controls"]] == [("custom.team.own", "added")]
    assert (value["profiles"], value["modules"], value["loosens"]) == ([], [], 0)


def test_an_own_control_in_the_place_of_the_librarys_is_a_change(tmp_path: Path) -> None:
    place = tmp_path / "own/gate/controls/scan/malware"
    shutil.copytree(REGO / "gate/controls/scan/malware", place)
    (place / "malware.rego").write_text((place / "malware.rego").read_text() + "\n# changed\n")
    (item,) = difference("packaged", str(tmp_path / "own"))["controls"]
    assert (item["name"], [change["what"] for change in item["changes"]]) == ("scan.malware", ["Rego"])


@pytest.mark.parametrize("name", ["nowhere", "", "x" * 5000, "circle", "file", "a\0b"])
def test_a_policy_that_is_not_there_is_exit_2(name: str, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    (tmp_path / "file").write_text("")
    path = str(tmp_path / name) if name in {"circle", "file"} else name or "/dev/null"
    for arguments in (path, "packaged"), ("packaged", path):
        done = inside("controls", "diff", *arguments)
        assert (done.code, done.out) == (2, "")
        assert "there is no policy folder" in done.err
        assert "or packaged" in done.err
