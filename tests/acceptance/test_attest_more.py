"""`docs/how-to/attest-more.md` is true: its examples, in their order, make statements that the gate accepts."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest

from gate.formats.strict_json import loads_object
from tests.acceptance.world import ENVIRONMENT, gate, within
from tests.support.evidence import digest_of
from tests.unit.formats.predicates.reading import SLSA_V1, read
from tools.scenario_evidence import safetensors

ROOT: Final = Path(__file__).resolve().parents[2]
PAGE: Final = (ROOT / "docs" / "how-to" / "attest-more.md").read_text()
BLOCK: Final = re.compile(r"```(\w+) ?(\S*)\n(.*?)```", re.DOTALL)
TYPES: Final = (
    *("dataset", "training-provenance", "model-card", "plugin", "approval", "review", "waiver", "break-glass", "scan"),
)
CONFIG: Final = """\
version: 1
target: deployment
environment: production
profile: own.yaml
artifacts:
  summarizer: {kind: weights, path: models/summarizer}
evidence: [{directory: .gate/attestations}]
"""
PROFILE: Final = "controls: {scan.malware: {mode: enforce}, scan.coverage: {mode: enforce}}\n"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    files = {
        "models/base/model.safetensors": safetensors("base"),
        "models/summarizer/model.safetensors": safetensors("summarizer"),
        "models/summarizer/config.json": b"{}",
        "models/CARD.md": b"# Summarizer\n",
        "data/tickets/2026.jsonl": b"{}\n",
        "plugins/search.json": b'{"name": "search"}',
        "app/system.txt": b"Be brief.\n",
        "reports/clamav.txt": b"Infected files: 0\n",
    }
    for path, data in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def run_page(place: Path) -> None:
    for kind, name, block in BLOCK.findall(PAGE):
        if name:
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(block)
        for line in block.splitlines() if kind == "sh" else ():
            program, *arguments = shlex.split(line)
            done = within(*arguments, cwd=place)
            assert (program, done.code, done.err) == ("gate", 0, ""), (line, done)


def statements(place: Path) -> dict[str, Any]:
    return {path.stem: json.loads(path.read_bytes()) for path in (place / ".gate" / "statements").iterdir()}


@pytest.mark.no_cover
def test_the_page_works_as_written(place: Path) -> None:
    run_page(place)
    found = statements(place)
    assert sorted(found) == sorted(TYPES)
    assert len(list((place / ".gate" / "attestations").iterdir())) == len(TYPES)
    trust = [block for kind, _, block in BLOCK.findall(PAGE) if kind == "yaml" and block.startswith("trust:")]
    (place / "gate.yaml").write_text(CONFIG + trust[0])
    (place / "own.yaml").write_text(PROFILE)
    done = within("check", "--format", "json", cwd=place)
    assert done.decision["verdict"] == "allow", done.text
    assert done.decision["evidence"]["rejected"] == []
    assert {item["claim"] for item in done.decision["evidence"]["verified"]} == {
        *("dataset", "training.provenance", "model.card", "plugin", "approval", "review", "waiver", "scan.report"),
        "admission.break_glass",
    }
    assert [waiver["id"] for waiver in done.decision["waivers"]] == ["W-12"]
    value = json.loads(within("input", cwd=place).out)
    facts = {item["claim"]: item["facts"] for item in value["attestations"].values()}
    digest = value["artifacts"]["summarizer"]["digest"]
    assert facts["scan.report"]["artifact"] == facts["waiver"]["artifact"] == digest
    assert facts["dataset"]["sources"]["interviews"] is None
    assert facts["plugin"]["tools"]["search"]["permissions"] == ["network"]
    assert all(fact["collected"] for fact in facts.values())
    assert {scan["basis"] for scan in value["scans"].values()} == {"attested", "inspected"}


def test_a_changed_file_is_seen_by_each_statement_about_it(place: Path) -> None:
    run_page(place)
    trust = [block for kind, _, block in BLOCK.findall(PAGE) if kind == "yaml" and block.startswith("trust:")]
    (place / "gate.yaml").write_text(CONFIG + trust[0])
    (place / "own.yaml").write_text(PROFILE)
    (place / "models/summarizer/added.bin").write_bytes(b"x")
    done = within("check", "--format", "json", cwd=place)
    assert done.code == 12
    claimed = {item["claimed"] for item in done.decision["evidence"]["rejected"]}
    assert {"training.provenance", "model.card", "scan.report"} <= claimed


def test_the_same_input_gives_the_same_bytes(place: Path) -> None:
    run_page(place)
    first = {path.name: path.read_bytes() for path in (place / ".gate" / "statements").iterdir()}
    run_page_again = [name for kind, name, _ in BLOCK.findall(PAGE) if kind == "yaml" and name]
    for config in run_page_again:
        word = Path(config).stem
        done = gate("attest", "create", "--type", word, "--config", config, "--determinism-check", "2", cwd=place)
        assert done.code == 0, done.text
    assert first == {path.name: path.read_bytes() for path in (place / ".gate" / "statements").iterdir()}


def test_the_build_type_is_documented_as_it_is_read() -> None:
    page = (ROOT / "docs" / "explanation" / "training-provenance.md").read_text()
    (example,) = (block for kind, _, block in BLOCK.findall(page) if kind == "json")
    found = read(SLSA_V1, loads_object(example.encode()))
    assert found.claim == "training.provenance"
    assert found.facts["base"] == {"base": "sha256:" + "1" * 64}


@pytest.fixture
def plugin(place: Path) -> dict[str, str]:
    """The distribution of the page, built and installed into a folder of its own; the environment that finds it."""
    blocks = {name: block for _, name, block in BLOCK.findall(PAGE)}
    wheel = place / "acme_gate-1.0-py3-none-any.whl"
    project = tomllib.loads(blocks["pyproject.toml"])["project"]
    entries = "".join(f"{name} = {value}\n" for name, value in project["entry-points"]["gate.claims"].items())
    members = {
        "acme_gate.py": blocks["acme_gate.py"],
        "acme_gate-1.0.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n",
        "acme_gate-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "acme_gate-1.0.dist-info/entry_points.txt": f"[gate.claims]\n{entries}",
    }
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in members.items():
            archive.writestr(name, text)
        record = "".join(f"{name},,\n" for name in (*members, "acme_gate-1.0.dist-info/RECORD"))
        archive.writestr("acme_gate-1.0.dist-info/RECORD", record)
    site = place / "site"
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--isolated",
        "--disable-pip-version-check",
        "install",
        "--no-index",
        "--no-deps",
    ]
    subprocess.run([*pip, "--target", str(site), str(wheel)], check=True, capture_output=True, env=ENVIRONMENT)
    return {"PYTHONPATH": str(site)}


def with_energy(place: Path, plugin: dict[str, str], predicate: str = '{"kwh": 1200}') -> None:
    """A signed statement of the plugin's claim, and a configuration that trusts its signer for it."""
    assert within("keygen", "--out", "keys/release", "--no-passphrase", cwd=place).code == 0
    weights = place / "models/summarizer/model.safetensors"
    subject = {
        "name": "model.safetensors",
        "digest": {"sha256": digest_of(weights.read_bytes()).removeprefix("sha256:")},
    }
    kind = "https://acme.example/energy/v1"
    value = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": kind}
    (place / "energy.json").write_text(json.dumps({**value, "predicate": json.loads(predicate)}))
    done = gate("sign", "energy.json", "--key", "keys/release.key", cwd=place, environment=plugin)
    assert done.code == 0, done.text
    claims = "trust: {signers: {release: {key: keys/release.pub, claims: ['x.acme.*']}}}\n"
    (place / "gate.yaml").write_text(CONFIG + claims)
    (place / "own.yaml").write_text(PROFILE)


def test_the_plugin_of_the_page_is_read_once_it_is_installed(place: Path, plugin: dict[str, str]) -> None:
    with_energy(place, plugin)
    done = gate("input", cwd=place, environment=plugin)
    assert done.code == 0, done.text
    (item,) = json.loads(done.out)["attestations"].values()
    assert item["claim"] == "x.acme.energy"
    assert item["facts"]["kwh"] == 1200
    absent = gate("input", cwd=place)
    assert absent.code == 2
    assert "'x.acme.*' is not a claim of an installed plugin; installed: none" in absent.err


@pytest.mark.parametrize(
    ("code", "word"),
    [("import nothing_like_it", "ModuleNotFoundError"), ("ENERGY = 1", "is a int"), ("raise SystemError('no')", "no")],
)
def test_a_broken_plugin_stops_the_gate(place: Path, plugin: dict[str, str], code: str, word: str) -> None:
    with_energy(place, plugin)
    (Path(plugin["PYTHONPATH"]) / "acme_gate.py").write_text(code)
    done = gate("check", "--format", "json", cwd=place, environment=plugin)
    assert done.code == 2
    assert "the plugin 'x.acme.energy' of acme-gate 1.0 cannot be used" in done.err
    assert word in done.err
    # Nobody who does not name such a claim is kept from working, as long as no trusted statement is of that type.
    (place / "gate.yaml").write_text(CONFIG)
    assert gate("check", "--format", "json", cwd=place, environment=plugin).code in {10, 11, 13}
