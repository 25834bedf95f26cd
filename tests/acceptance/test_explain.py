"""Every refusal leads on: what was expected and found, what came nearest, what to run, whom to ask for a waiver."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest

from gate.app.check import check
from gate.app.engines import open_engine
from gate.app.scenario_lay import lay
from gate.app.scenarios import Work, load_set
from gate.app.workspace import Request
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.evaluate.interface import Engine
from gate.formats.waivers import parse_waivers
from gate.model.decision import Decision, Verdict
from gate.model.settings import EngineSettings
from gate.report import summary
from gate.report.explain import Explainer
from gate.report.interface import render
from gate.report.refusal import refusal_text
from tests.acceptance.world import NOW, World, inside
from tests.support.pages import run_page

ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def packaged(settings: EngineSettings) -> Engine:
    return open_engine(settings, packaged_bundle())


def engine(settings: EngineSettings, bundle: PolicyBundle) -> Engine:
    same = bundle.digest == packaged_bundle().digest
    return packaged(settings) if same else open_engine(settings, bundle)


def covering() -> dict[str, Work]:
    """As few scenarios as have every control refuse that refuses in any."""
    left = {work.scenario.name: work for work in load_set(ROOT / "fixtures/scenarios")[1]}
    found: dict[str, Work] = {}
    seen: set[str] = set()
    while left:
        name = max(left, key=lambda name: (len(set(left[name].scenario.own.failing) - seen), name))
        work = left.pop(name)
        if set(work.scenario.own.failing) <= seen:
            break
        found[name] = work
        seen.update(work.scenario.own.failing)
    return found


WORKS = covering()


def decided(work: Work, root: Path) -> Decision:
    lay(work.scenario, work.files, root)
    request = Request(root, root, "gate.yaml", work.scenario.against, False, work.scenario.now_s)
    return check(request, engine=engine).decision


def test_most_controls_refuse_in_some_scenario() -> None:
    assert len({name for work in WORKS.values() for name in work.scenario.own.failing}) >= 40


@pytest.mark.parametrize("name", WORKS)
def test_every_refused_violation_has_all_parts(name: str, tmp_path: Path) -> None:
    made = decided(WORKS[name], tmp_path / "repository")
    assert made.verdict is Verdict.DENY
    told = " ".join(render("text", made).split())
    for control in summary.refused(made):
        explainer = Explainer(made, 3, repeats=True)
        for entry in (entry for entry in control.violations if not entry.is_covered):
            remedy = explainer.remedy(control, entry)
            assert entry.violation.message
            assert remedy.expected
            assert remedy.nearest
            assert remedy.command
            assert (remedy.stanza is not None) is (control.info.waivable and entry.digest is not None)
        # What is said of one control is said in the report and, in full, of the control alone.
        assert f"{control.info.id} " in told
        shown = refusal_text(made, control)
        for entry in control.violations[:50]:
            assert " ".join(summary.short(explainer.remedy(control, entry).expected).split()) in " ".join(shown.split())
        if commands := explainer.commands(control):
            assert f"run: {commands[0]}" in told


def refused(world: World, *, output: str = "decision.json") -> Decision:
    world.write("models/summarizer/model.safetensors", b"other bytes")
    world.commit()
    done = inside("check", "--base", "main", "--root", str(world.root), "--now", NOW, "--output", output)
    assert done.code == 12, done.text
    return check(Request(world.root, world.root, "gate.yaml", "main", False, 1_795_176_000)).decision


def test_explain_shows_one_control_of_a_saved_decision(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(world)
    done = inside("explain", "build.provenance", "--decision", "decision.json")
    assert done.code == 0
    assert done.out.startswith("build.provenance: fail  (Build provenance is complete)\n")
    for part in ("found:    ", "expected: ", "nearest:  ", "run:      ", "- id: W-"):
        assert part in done.out
    found = json.loads(inside("explain", "build.provenance", "--decision", "decision.json", "--format", "json").out)
    assert {"expected", "nearest", "command", "stanza"} <= found["violations"][0].keys()
    text = found["stanzas"][0].replace("owner: NAME", "owner: ann").replace("approver: NAME", "approver: bob")
    [waiver] = parse_waivers(f"version: 1\nwaivers:\n{text}\n".encode()).values()
    assert waiver.control == "build.provenance"


def test_the_waiver_that_was_asked_for_is_the_one_that_helps(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With people in it and on the main branch, it covers the very violation."""
    monkeypatch.chdir(tmp_path)
    refused(world)
    found = json.loads(inside("explain", "build.provenance", "--decision", "decision.json", "--format", "json").out)
    text = found["stanzas"][0].replace("owner: NAME", "owner: ann").replace("approver: NAME", "approver: bob")
    world.write("waivers.yaml", f"version: 1\nwaivers:\n{text}\n".encode())
    world.write("gate.yaml", (world.root / "gate.yaml").read_bytes() + b"\nwaivers: waivers.yaml\n")
    where = ["--root", str(world.root), "--base", "main", "--config-from", "worktree", "--now", NOW]
    done = inside("check", *where, "--format", "json")
    assert done.decision["controls"]["build.provenance"]["status"] == "waived", done.text


def test_explain_of_a_decision_says_what_it_cannot_do(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(world)
    done = inside("explain", "build.provenanse", "--decision", "decision.json")
    assert done.code == 2
    assert "did you mean 'build.provenance'" in done.err
    done = inside("explain", "build.provenance", "--decision", "decision.json", "--input", "input.json")
    assert done.code == 2
    assert "leave out --input and --policy" in done.err
    (tmp_path / "broken.json").write_text("{}")
    done = inside("explain", "build.provenance", "--decision", "broken.json")
    assert done.code == 3
    assert "broken.json is not a decision" in done.err
    assert inside("explain", "build.provenance", "--decision", "nowhere.json").code == 3


def test_the_page_works_as_written(world: World, tmp_path: Path) -> None:
    world.write("models/summarizer/model.safetensors", b"other bytes")
    world.commit()
    shown = run_page("explain-a-refusal.md", world.root, tmp_path / "programs")
    for part in ("expected: ", "nearest: ", "run: ", "  to accept it", "1 waiver to ask for"):
        assert part in shown
    assert json.loads((world.root / "why.json").read_text())["control"] == "build.provenance"


def test_the_stanza_on_the_page_has_the_form_of_one() -> None:
    text = (ROOT / "docs/how-to/explain-a-refusal.md").read_text().partition("```yaml\n")[2].partition("```")[0]
    filled = text.replace("owner: NAME", "owner: ann").replace("approver: NAME", "approver: bob")
    [waiver] = parse_waivers(f"version: 1\nwaivers:\n{filled}".encode()).values()
    assert waiver.finding == "build.provenance.missing"


def test_explain_finds_a_decision_in_the_log(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.root)
    world.write("gate.yaml", (world.root / "gate.yaml").read_bytes() + b"\nrecord:\n  sqlite: .gate/record.db\n")
    done = inside("check", "--now", NOW, "--format", "json")
    found = inside("explain", "artifact.signed", "--decision", done.decision["id"])
    assert found.code == 0, found.text
    assert found.out.startswith("artifact.signed: ")
    assert inside("explain", "artifact.signed", "--decision", "7" * 26).code == 3
