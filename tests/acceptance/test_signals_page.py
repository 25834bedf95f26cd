"""The page about runtime signals, run as it stands, with a plugin that is installed beside the gate."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gate.app.check import check
from gate.app.workspace import Request
from gate.collect import signals
from gate.model.decision import Decision, Outcome, Verdict

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/how-to/signals.md").read_text()
BLOCKS = dict(re.findall(r"^```[a-z]+ (\S+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE))
IMAGE = "sha256:" + "b2" * 32
TEN = 1795168800
NOW = TEN + 3600


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A repository as on the page; the worker finds the distribution of the page."""
    site, root = tmp_path / "site", tmp_path / "root"
    info = site / "acme_gate-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "acme_gate.py").write_text(BLOCKS["acme_gate.py"])
    entries = tomllib.loads(BLOCKS["pyproject.toml"])["project"]["entry-points"]["gate.signals"]
    lines = "".join(f"{name} = {value}\n" for name, value in entries.items())
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-gate\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[gate.signals]\n{lines}")
    monkeypatch.syspath_prepend(str(site))
    start = f"import sys; sys.path.insert(0, {str(site)!r}); {signals._START}"
    monkeypatch.setattr(signals, "_OPTIONS", ("-I", "-B", "-c", start))
    (root / "runtime").mkdir(parents=True)
    for name in ("gate.yaml", "profile.yaml"):
        (root / name).write_text(BLOCKS[name])
    falco = (ROOT / "tests/vectors/signals/falco.jsonl").read_text().replace('"scap.n_drops": 9', '"scap.n_drops": 7')
    kept = [line for line in falco.splitlines() if "syscall event drop" not in line]
    (root / "runtime/falco.jsonl").write_text("".join(f"{line}\n" for line in kept))
    write_sensor(root)
    yield root
    shutil.rmtree(site)


def write_sensor(root: Path, **changes: Any) -> None:
    events = [{"image": IMAGE, "rule": "start", "severity": "low"}]
    value = {"from": TEN, "to": TEN + 3000, "finished": True, "events": events, **changes}
    (root / "runtime/a.sensor").write_text(json.dumps(value))


def decide(root: Path) -> Decision:
    return check(Request(root, root, "gate.yaml", None, config_from_worktree=False, now_s=NOW)).decision


def said(decision: Decision) -> set[str]:
    return {entry.violation.message for entry in decision.controls["runtime.quiet"].violations}


def test_the_page_ends_with_an_image_that_was_quiet(place: Path) -> None:
    decision = decide(place)
    assert said(decision) == set()
    assert decision.controls["runtime.quiet"].outcome is Outcome.PASS
    assert decision.verdict is Verdict.ALLOW


def test_what_the_plugin_of_the_page_tells_is_judged(place: Path) -> None:
    write_sensor(place, events=[{"image": IMAGE, "rule": "miner", "severity": "critical"}])
    assert said(decide(place)) == {"acme.sensor saw miner (critical, 1 times)"}
    write_sensor(place, finished=False)
    assert said(decide(place)) == {"what it did is not known from runtime/a.sensor: the sensor did not finish"}
    write_sensor(place, events=[{"image": IMAGE}])
    [message] = said(decide(place))
    assert message.endswith("the plugin acme.sensor did not read it: KeyError: 'rule'")


def test_a_log_shows_quiet_only_where_the_profile_says_so(place: Path) -> None:
    profile = place / "profile.yaml"
    profile.write_text(profile.read_text().replace("observed: true", "observed: false"))
    assert said(decide(place)) == {"nothing that counts shows what happened while it ran"}
    write_sensor(place, events=[{"image": IMAGE, "rule": "miner", "severity": "critical"}])
    assert "acme.sensor saw miner (critical, 1 times)" in said(decide(place))


def test_a_log_that_is_gone_is_not_quiet(place: Path) -> None:
    (place / "runtime/falco.jsonl").unlink()
    (place / "runtime/a.sensor").unlink()
    assert said(decide(place)) == {
        "what it did is not known from runtime/falco.jsonl: it does not exist",
        "what it did is not known from runtime/*.sensor: no file matches",
        "it was not watched for as long, as lately and with as few gaps as is asked",
    }
