"""What comes out: the same every time, never stale, never half, never something else than text."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from gate.app.gather import BYTES
from gate.cli import output
from gate.errors import AttestError
from gate.formats.canonical_json import dumps
from tests.acceptance.world import ENVIRONMENT, MODEL, NOW, World, command, inside

CHECK = ("check", "--base", "main", "--now", NOW)
FORMS = ("text", "markdown", "json")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07link\x1b]8;;\x07",
    "\r\x1b[2KALLOW",
    "line\nALLOW  change",
    "\u202etxt.exe",
    "\u2066isolated\u2069",
    "zero\u200bwidth",
    "\x9b31m",
    "bell\x07",
    "<img src=x onerror=alert(1)>",
    "<!-- hidden -->",
    "[link](https://evil.example)",
    "![image](https://evil.example/x.png)",
    "| cell | cell |",
    "`code` ``more``",
    "@everyone #1 GH-1",
    "::error file=x::injected",
    "::add-mask::x",
    "%0A%0D",
    "${{ secrets.TOKEN }}",
    "$(touch pwned)",
    "'; rm -rf .; '",
    "https://evil.example/?q=1",
    "a" * 4000,
]


def without_id(text: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(text)
    del value["id"]
    return value


# -- the same every time -----------------------------------------------------------------------------------------------


def test_equal_input_gives_equal_decisions_whatever_surrounds_it(world: World) -> None:
    deep = world.root / MODEL
    runs = [
        world.check(),
        world.check(PYTHONHASHSEED="1", LC_ALL="C", TZ="Asia/Tokyo"),
        world.check(PYTHONHASHSEED="2", LC_ALL="tr_TR.UTF-8", LANG="de_DE", PYTHONUTF8="0", COLUMNS="20"),
        world.check(cwd=deep, HOME=str(world.root), USER="somebody", GIT_PAGER="false", TERM="dumb"),
        world.judge(),
    ]
    assert [done.code for done in runs] == [0] * len(runs)
    assert len({dumps(without_id(done.out)) for done in runs}) == 1
    assert len({json.loads(done.out)["id"] for done in runs}) == len(runs)


def test_the_document_is_the_same_bytes(world: World) -> None:
    arguments = ("input", "--base", "main", "--now", NOW)
    one, two = world.run(*arguments), world.run(*arguments, PYTHONHASHSEED="7", LC_ALL="C")
    assert one.code == 0
    assert one.out == two.out
    document = json.loads(one.out)
    assert document["schema"] == "urn:gate:input:v1"
    assert len(document["attestations"]) == 2
    assert set(document["change"]["files"]) == {f"{MODEL}/model.safetensors"}
    assert document["context"]["now"] == NOW


def test_the_time_is_the_given_one_or_this_moment(world: World) -> None:
    assert world.judge().decision["decided_at"] == NOW
    before = int(time.time())
    done = inside("check", "--format", "json", "--root", str(world.root))
    decided = time.strptime(json.loads(done.out)["decided_at"], "%Y-%m-%dT%H:%M:%SZ")
    assert before <= int(time.mktime(decided)) - time.timezone <= time.time()


@pytest.mark.parametrize(
    "text",
    ["now", "2026-11-20", "2026-11-20T12:00:00", "2026-13-20T12:00:00Z", "", "1795176000", "²026-11-20T12:00:00Z"],
)
def test_a_time_that_is_none(world: World, text: str) -> None:
    done = inside("check", "--now", text, "--root", str(world.root))
    assert done.code == 2
    assert "RFC 3339" in done.err


# -- the file of the answer --------------------------------------------------------------------------------------------


def test_the_file_holds_the_decision(world: World, tmp_path: Path) -> None:
    target = tmp_path / "decision.json"
    target.write_text("yesterday")
    done = world.judge("--output", str(target))
    assert done.code == 0
    assert target.read_text() == done.out
    assert target.stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["decision.json"]


@pytest.mark.parametrize("arguments", [("--config", "none.yaml"), ("--base", "no-such-branch")])
def test_yesterdays_answer_is_gone_when_there_is_none_today(
    world: World, tmp_path: Path, arguments: tuple[str, str]
) -> None:
    target = tmp_path / "decision.json"
    assert world.judge("--output", str(target)).code == 0
    assert world.judge(*arguments, "--output", str(target)).code in {2, 3}
    assert target.read_bytes() == b""


def test_the_file_of_a_refusal_holds_the_refusal(world: World, tmp_path: Path) -> None:
    target = tmp_path / "decision.json"
    assert world.judge("--output", str(target), base="HEAD").code == 13
    assert json.loads(target.read_text())["verdict"] == "deny"


@pytest.mark.parametrize("kind", ["link", "dangling", "folder", "missing", "device", "fifo"])
def test_a_place_that_cannot_hold_it(world: World, tmp_path: Path, kind: str) -> None:
    target = tmp_path / "out"
    if kind == "link":
        (tmp_path / "other").write_text("keep")
        target.symlink_to(tmp_path / "other")
    elif kind == "dangling":
        target.symlink_to(tmp_path / "other")
    elif kind == "folder":
        target.mkdir()
    elif kind == "missing":
        target = tmp_path / "no" / "folder"
    elif kind == "fifo":
        os.mkfifo(target)
    else:
        target = Path("/dev/null")
    done = world.judge("--output", str(target))
    assert done.code == 5
    assert "--output" in done.err
    assert kind != "link" or (tmp_path / "other").read_text() == "keep"
    assert kind != "dangling" or not (tmp_path / "other").exists()


def test_a_disk_that_fills_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = output.OutputFile(tmp_path / "out")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AttestError, match="No space left"):
        target.write("{}")
    assert (tmp_path / "out").read_bytes() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    target = output.OutputFile(tmp_path / "sub" / "out")
    (tmp_path / "sub" / "out").unlink()
    (tmp_path / "sub").rmdir()
    with pytest.raises(AttestError, match="No such file"):
        target.write("{}")


@pytest.mark.parametrize("form", ["", "sarif=", "csv="])
@pytest.mark.parametrize("config", ["gate.yaml", "own.yaml"])
def test_what_a_command_reads_is_not_emptied(world: World, form: str, config: str) -> None:
    place = world.root / config
    place.write_bytes(before := (world.root / "gate.yaml").read_bytes())
    done = world.judge("--config", config, "--report" if form else "--output", f"{form}{place}")
    assert (done.code, done.out) == (2, "")
    assert "is read by this command, and would be emptied" in done.err
    assert place.read_bytes() == before


def test_a_decision_that_is_shown_in_another_form_stays(world: World) -> None:
    kept = world.root.parent / "decision.json"
    assert world.judge("--output", str(kept)).code == 0
    before = kept.read_bytes()
    done = inside("report", str(kept), "--format", "csv", "--output", str(kept))
    assert (done.code, done.out) == (2, "")
    assert kept.read_bytes() == before
    assert inside("report", str(kept), "--format", "csv", "--output", str(kept.with_suffix(".csv"))).code == 0


# -- an answer that was not delivered is no success --------------------------------------------------------------------


def started(world: World, *arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(*arguments), cwd=world.root, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, **more
    )


def test_nobody_reads_it(world: World) -> None:
    """`gate check | head -c 1`."""
    reading, writing = os.pipe()
    os.close(reading)
    process = started(world, *CHECK, stdout=writing)
    os.close(writing)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"Traceback" not in error
    assert b"Exception ignored" not in error


def test_somebody_reads_one_byte_of_it(world: World) -> None:
    for number in range(200):
        world.put(f"notes-{number}.txt", b"")
    arguments = ["input", "--base", "main", "--now", NOW]
    process = started(world, *arguments, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    process.communicate(timeout=60)
    assert process.returncode in {0, 5}


def test_there_is_no_standard_output(world: World) -> None:
    shell = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *command(*CHECK)],
        cwd=world.root,
        env=ENVIRONMENT,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert shell.returncode == 5
    assert b"Traceback" not in shell.stderr
    assert b"standard output is closed" in shell.stderr


def test_nobody_hears_the_error(world: World) -> None:
    for close in ("2>&-", ">&- 2>&-", "2>/dev/full"):
        words = ["sh", "-c", f'exec "$@" {close}', "sh", *command(*CHECK, "--config", "none.yaml")]
        done = subprocess.run(words, cwd=world.root, env=ENVIRONMENT, capture_output=True, timeout=60, check=False)
        assert done.returncode not in {0, 1}
        assert done.stdout == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full device")
def test_the_device_is_full(world: World) -> None:
    with Path("/dev/full").open("wb") as full:
        process = started(world, *CHECK, stdout=full)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 5
    assert b"No space left" in error
    assert b"Traceback" not in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_not_an_answer(world: World, tmp_path: Path, number: int) -> None:
    target = tmp_path / "decision.json"
    target.write_text("yesterday")
    world.write(f"{MODEL}/large.bin", b"")
    os.truncate(world.root / MODEL / "large.bin", 6 << 30)
    process = started(world, *CHECK, "--output", str(target), stdout=subprocess.PIPE)
    while target.read_bytes():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode not in {0, 1}
    assert out == b""
    assert b"Traceback" not in error
    assert target.read_bytes() == b""


# -- dry runs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", FORMS)
def test_a_dry_run_tells_the_truth_and_exits_with_0(world: World, form: str) -> None:
    (world.root / ".gate/attestations/signature.sigstore.json").unlink()
    done = world.run(*CHECK, "--dry-run", "--format", form)
    assert done.code == 0
    if form == "json":
        decision = json.loads(done.out)
        assert decision["dry_run"] is True
        assert decision["verdict"] == "deny"
        assert decision["exit_code"] == 10
    else:
        assert "DENY" in done.out
        assert "dry run" in done.out.lower()


def test_a_dry_run_of_an_allowed_change(world: World) -> None:
    done = world.judge("--dry-run")
    assert done.code == 0
    assert done.decision["verdict"] == "allow"


@pytest.mark.parametrize("arguments", [("--config", "none.yaml"), ("--base", "no-such-branch")])
def test_a_dry_run_does_not_hide_errors(world: World, arguments: tuple[str, str]) -> None:
    assert world.judge(*arguments, "--dry-run").code in {2, 3}


# -- hostile text ------------------------------------------------------------------------------------------------------


def decision_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(r"(ALLOW|DENY|NO DECISION)\b", line)]


@pytest.mark.parametrize("form", FORMS)
def test_hostile_names_of_files(world: World, form: str) -> None:
    for number, text in enumerate(HOSTILE):
        world.write(f"{MODEL}/{number} {text[:200].replace('/', '_')}.txt", b"x")
        world.put(f"{number} {text[:200].replace('/', '_')}.json", b"{")
    world.commit()
    done = inside(*CHECK, "--format", form, "--root", str(world.root))
    assert done.code in {11, 12, 14}
    checked(done.out, form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_in_evidence_and_configuration(world: World, form: str, number: int) -> None:
    from tools.scenario_draft import SIGNERS, config
    from tools.scenario_evidence import encode, envelope, key

    text = HOSTILE[number]
    value = json.loads(world.provenance(builder=text))
    value["subject"] += [{"name": text, "digest": {"sha256": "0" * 64}}]
    value["predicateType"] = text
    world.put("hostile.json", envelope(encode(value), key("builder")))
    world.put("other.json", envelope(world.provenance(builder=text), key("builder")))
    gate = "  - id: G001\n    trigger_paths: ['models/**']\n    required_attestations: [prompt]\n"
    gate += f"    message: {json.dumps(text)}\n"
    environment = config(gates=gate, signers=SIGNERS).replace(b"production", json.dumps(text).encode())
    world.on_main({"gate.yaml": environment})
    done = inside(*CHECK, "--format", form, "--root", str(world.root))
    assert done.code in {2, 14}, done.text
    if done.code == 14:
        checked(done.out, form)
    else:
        assert not CONTROL.search(done.err)


def checked(text: str, form: str) -> None:
    assert not CONTROL.search(text)
    if form == "json":
        assert text.isascii()
        assert json.loads(text)["verdict"] == "deny"
        return
    if form == "text":
        assert len(decision_lines(text)) == 1
        assert not re.search(r"^::", text, re.MULTILINE)
        return
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
    assert not re.search(r"<(?!br>|/?details>|/?summary>)[a-zA-Z!]", outside)
    assert not re.search(r"(?<!\\)!\[|\]\(https?://evil", outside)
    assert not re.search(r"(?<![\\\w])@everyone", outside)


# -- where it is shown -------------------------------------------------------------------------------------------------


def test_no_colour_in_a_pipe(world: World) -> None:
    assert "\x1b" not in world.run(*CHECK).out


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, False), ({"TERM": "dumb"}, False)],
)
def test_colour_on_a_terminal(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], coloured: bool) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert output.wants_colour(stream_is_terminal=True) is coloured
    assert output.wants_colour(stream_is_terminal=False) is False


def test_a_terminal_without_unicode_gets_the_whole_text(world: World) -> None:
    done = world.run(*CHECK, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.code == 0
    assert done.out.startswith("ALLOW")


def test_text_that_the_terminal_cannot_show(monkeypatch: pytest.MonkeyPatch) -> None:
    import io
    import sys

    stream = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    output.show("modèle")
    assert stream.buffer.getvalue().decode() == "modèle\n"


class Watched:
    """A standard error that somebody watches."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass


@pytest.mark.parametrize("quiet", [0.0, 30.0])
def test_progress_is_shown_when_it_takes_long(monkeypatch: pytest.MonkeyPatch, quiet: float) -> None:
    import sys

    watched = Watched()
    monkeypatch.setattr(sys, "stderr", watched)
    monkeypatch.setattr(output, "_QUIET_S", quiet)
    with output.progress("hashing"):
        deadline = time.monotonic() + 5
        while not quiet and "hashing" not in watched.text and time.monotonic() < deadline:
            time.sleep(0.01)
    assert ("done" in watched.text) is (quiet == 0.0)
    assert (watched.text == "") is (quiet != 0.0)


def test_progress_shows_bytes_and_their_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    watched = Watched()
    monkeypatch.setattr(sys, "stderr", watched)
    monkeypatch.setattr(output, "_QUIET_S", 0.0)
    with output.progress("hashing") as tell:
        assert tell is not None
        for _ in range(3):
            tell(1 << 30)
        time.sleep(0.05)
    last = watched.text.rpartition("\r")[2]
    assert re.fullmatch(r"hashing \.\.\. [0-9.]+ s, 3\.0 GiB, [0-9.]+ [GT]iB/s, done\n", last)


@pytest.mark.parametrize("quiet", [0.0, 30.0])
def test_progress_shows_how_many_of_how_many_and_needs_no_thread(monkeypatch: pytest.MonkeyPatch, quiet: float) -> None:
    import sys

    watched, threads = Watched(), threading.active_count()
    monkeypatch.setattr(sys, "stderr", watched)
    monkeypatch.setattr(output, "_QUIET_S", quiet)
    with output.progress("verifying", 12000) as tell:
        assert tell is not None
        assert threading.active_count() == threads
        tell(5000)
        tell(7000)  # less than a second later
    shown = [re.sub(r"[0-9.]+ s", "S", line).strip() for line in watched.text.split("\r")]
    lines = ["", "verifying ... S, 5000 of 12000", "verifying ... S, 12000 of 12000, done"]
    assert shown == ([""] if quiet else lines)


@pytest.mark.parametrize("quiet", [0.0, 30.0])
def test_progress_of_bytes_can_be_shown_without_a_thread(monkeypatch: pytest.MonkeyPatch, quiet: float) -> None:
    import sys

    watched, threads = Watched(), threading.active_count()
    monkeypatch.setattr(sys, "stderr", watched)
    monkeypatch.setattr(output, "_QUIET_S", quiet)
    with output.progress("scanning", BYTES) as tell:
        assert tell is not None
        assert threading.active_count() == threads
        time.sleep(0.01)
        tell(1 << 30)
        tell(1 << 30)  # less than a second later
    shown = [re.sub(r"[0-9.]+ s", "S", line).strip().partition("iB, ")[0] for line in watched.text.split("\r")]
    assert shown == ([""] if quiet else ["", "scanning ... S, 1.0 G", "scanning ... S, 2.0 G"])


def test_nobody_is_told_who_does_not_watch() -> None:
    with output.progress("hashing") as tell:
        assert tell is None


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (3 << 29, "1.5 GiB"), (1 << 52, "4096.0 TiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert output.size_text(count) == text
