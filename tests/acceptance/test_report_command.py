"""`gate report` and `gate check --report`: one decision in many forms, and no form instead of another."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from gate.report.interface import FORMATS
from tests.acceptance.world import ENVIRONMENT, NOW, World, command, inside
from tests.support.decisions import GOLDEN
from tools.scenario_draft import WEIGHTS


def check(world: World, *arguments: str) -> int:
    return inside("check", "--base", "main", "--now", NOW, "--root", str(world.root), *arguments).code


def test_a_saved_decision_is_shown_as_it_was_shown_when_it_was_made(world: World, tmp_path: Path) -> None:
    saved = tmp_path / "decision.json"
    forms = [name for name in FORMATS if name != "json"]
    wanted = [text for form in forms for text in ("--report", f"{form}={tmp_path / form}")]
    assert check(world, "--output", str(saved), *wanted) == 0
    for form in forms:
        shown = inside("report", str(saved), "--format", form)
        assert shown.code == 0
        assert shown.out == (tmp_path / form).read_bytes().decode()
    assert inside("report", str(saved), "--format", "json").out == saved.read_text()


def test_a_refusal_is_shown_and_nothing_is_judged(tmp_path: Path) -> None:
    saved = tmp_path / "decision.json"
    saved.write_text(inside_json("refusal"))
    shown = inside("report", str(saved))
    assert (shown.code, "DENY" in shown.out) == (0, True)


def inside_json(name: str) -> str:
    from gate.report.json import render_json

    return render_json(GOLDEN[name]())


def test_a_report_goes_to_a_file_that_is_never_stale(tmp_path: Path) -> None:
    saved, target = tmp_path / "decision.json", tmp_path / "report.md"
    saved.write_text(inside_json("approval"))
    target.write_text("yesterday")
    assert inside("report", str(saved), "--format", "markdown", "--output", str(target)).out == ""
    assert "ALLOW" in target.read_text()
    saved.write_text("{}")
    done = inside("report", str(saved), "--format", "markdown", "--output", str(target))
    assert (done.code, target.read_text()) == (3, "")
    assert "is not a decision" in done.err
    assert "gate check --output" in done.err


@pytest.mark.parametrize("data", ["", "[]", "{", '{"schema": "urn:gate:decision:v1"}', "\x00"])
def test_what_is_no_decision_is_an_error(tmp_path: Path, data: str) -> None:
    saved = tmp_path / "decision.json"
    saved.write_text(data)
    done = inside("report", str(saved))
    assert (done.code, done.out) == (3, "")


def test_an_edited_verdict_is_not_shown(tmp_path: Path) -> None:
    saved = tmp_path / "decision.json"
    value = json.loads(inside_json("refusal")) | {"verdict": "allow", "exit_code": 0, "causes": []}
    saved.write_text(json.dumps(value))
    done = inside("report", str(saved))
    assert (done.code, done.out) == (3, "")


def test_a_file_that_is_not_there_is_an_error() -> None:
    assert inside("report", "nowhere.json").code == 3


@pytest.mark.parametrize("asked", ["sarfi=x", "html", "=x", "html="])
def test_a_report_without_format_or_file_is_bad_usage(world: World, asked: str) -> None:
    assert check(world, "--report", asked) == 2


def test_every_report_is_empty_when_there_is_no_decision(world: World, tmp_path: Path) -> None:
    first, second = tmp_path / "a.md", tmp_path / "b.txt"
    for file in (first, second):
        file.write_text("yesterday")
    (world.root / "gate.yaml").write_text("version: 2")
    world.git("checkout", "-q", "main")
    world.write("gate.yaml", b"version: 2")
    world.commit("broken")
    assert check(world, "--report", f"markdown={first}", "--report", f"text={second}") == 2
    assert (first.read_text(), second.read_text()) == ("", "")


def test_a_report_that_cannot_be_written_is_no_success(world: World, tmp_path: Path) -> None:
    done = inside(
        "check", "--base", "main", "--now", NOW, "--root", str(world.root), "--report", f"text={tmp_path}/no/where"
    )
    assert (done.code, done.out) == (5, "")
    assert "--report" in done.err


def test_a_file_that_is_named_like_an_id_is_not_taken_for_a_record(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever proposes a change could lay an approval there, and it would be shown, or signed."""
    monkeypatch.chdir(world.root)
    approved = inside("check", "--base", "main", "--now", NOW, "--format", "json").out
    world.on_main({"gate.yaml": Path("gate.yaml").read_bytes() + b"record: {sqlite: .gate/log.db}\n"})
    world.write(WEIGHTS, b"\x00" * 64)
    identity = inside("check", "--base", "main", "--now", NOW, "--format", "json").decision["id"]
    for name in ("latest", identity, identity[:10]):
        Path(name).write_text(approved)
        assert inside("report", name).out.startswith("DENY")
        assert "FAILED" in inside("report", name, "--format", "vsa").out
        assert "pass" not in inside("explain", "artifact.integrity", "--decision", name).out.partition("\n")[0]
        assert inside("report", f"./{name}").out.startswith("ALLOW")


@pytest.mark.parametrize("record", [b"{sqlite: .gate/log.db}", b"{postgres: {dsn_file: .gate/log.db}}"])
def test_no_decision_of_a_log_that_a_change_can_bring_is_signed(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, record: bytes
) -> None:
    """`gate.yaml` is read in the work tree, and names a file that git tracks, or a link to one."""
    monkeypatch.chdir(world.root)
    assert inside("keygen", "--out", str(tmp_path / "gate")).code == 0
    sign = ("report", "latest", "--format", "vsa", "--key", str(tmp_path / "gate.key"))
    plain = Path("gate.yaml").read_bytes()
    world.on_main({"gate.yaml": plain + b"record: {sqlite: .gate/log.db}\n"})
    assert inside("check", "--base", "main", "--now", NOW).code == 0
    assert "dsseEnvelope" in inside(*sign).out
    world.write("gate.yaml", plain + b"record: " + record + b"\n")
    world.git("add", "-f", ".gate/log.db")
    done = inside(*sign)
    assert (done.code, done.out) == (5, "")
    assert "git tracks" in done.err
    assert "gate check --report vsa=FILE --key KEY" in done.err
    Path("linked.db").symlink_to(".gate/log.db")
    world.write("gate.yaml", plain + b"record: {sqlite: linked.db}\n")
    assert inside(*sign).code == 5


@pytest.mark.parametrize(
    "arguments",
    [
        ("--report", "json=there.json", "--report", "sarif=./there.json"),
        ("--output", "there.json", "--report", "sarif=there.json"),
    ],
)
def test_two_reports_never_share_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """One of them would be gone, and whoever reads the file would not know which."""
    monkeypatch.chdir(tmp_path)
    Path("there.json").write_text("before")
    done = inside("check", *arguments)
    assert done.code == 2
    assert "there.json is named twice" in done.err
    assert Path("there.json").read_text() == "before"


def test_a_tracked_decision_is_not_signed_from_standard_input_either(world: World, tmp_path: Path) -> None:
    assert inside("keygen", "--out", str(tmp_path / "gate")).code == 0
    saved = world.root / "decision.json"
    saved.write_text(inside_json("approval"))
    words = command("report", "-", "--format", "vsa", "--key", str(tmp_path / "gate.key"))

    def signed() -> tuple[int, bytes]:
        with saved.open("rb") as stdin:
            done = subprocess.run(words, stdin=stdin, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
        return done.returncode, done.stdout

    assert signed()[0] == 0
    world.git("add", "decision.json")
    assert signed() == (5, b"")
    piped = subprocess.run(
        words, input=saved.read_bytes(), cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False
    )
    assert piped.returncode == 0
