"""`gate scan`: exit code 0 means that every file was judged and nothing was found, and nothing else means it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gate.formats import schema
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import sha256_digest
from tests.acceptance.world import ENVIRONMENT, Done, command, gate
from tests.support.large_models import gguf_file, safetensors, torch_zip
from tests.support.memory import family, watch
from tests.support.samples import call, named
from tools.scenario_evidence import safetensors as weights

GOOD = {"model.safetensors": weights("x"), "config.json": b'{"a": 1}', "sub/notes.json": b"[]"}
BAD = call("os", "system")
CUSTOM = b"\x80\x02" + named("acme.models", "Net") + b")\x81."
BLOB = bytes(range(128, 228))
"""Of no format that is known."""
MIB = 1 << 20


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write(tmp_path / "model", GOOD)
    return tmp_path / "model"


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def scan(folder: Path, *arguments: str) -> Done:
    """Scans `model` below a folder, unless the arguments name something else."""
    named_one = any(not word.startswith("-") for word in arguments[:1])
    return gate("scan", *(arguments if named_one else ("model", *arguments)), cwd=folder)


def report(folder: Path, *arguments: str) -> dict[str, Any]:
    """The report of a scan, which fits its schema and the exit code."""
    done = scan(folder, *arguments, "--format", "json")
    value: dict[str, Any] = json.loads(done.out)
    assert schema.problem("scan.json", value) is None
    assert value["exit_code"] == done.code
    return value


def test_a_folder_without_findings(model: Path) -> None:
    value = report(model.parent)
    assert (value["exit_code"], value["status"], value["problem"]) == (0, "complete", None)
    [target] = value["targets"]
    files = {name: sha256_digest(data) for name, data in GOOD.items()}
    assert {name: file["digest"] for name, file in target["files"].items()} == files
    assert target["digest"] == tree_digest({name: ArtifactFile(digest, 0) for name, digest in files.items()})
    assert {file["format"] for file in target["files"].values()} == {"safetensors", "json"}
    assert scan(model.parent).out.splitlines()[-1] == "every file was judged: 3 of 3, no findings.   exit 0"


def test_a_finding_is_named_with_file_rule_and_fix(model: Path) -> None:
    write(model, {"bad.pkl": BAD})
    done = scan(model.parent)
    assert done.code == 13
    assert "critical  model/bad.pkl" in done.out
    assert "os.system" in done.out
    assert "fix: Convert the weights to safetensors" in done.out
    assert done.out.splitlines()[-1].endswith("exit 13")


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
def test_the_answer_does_not_depend_on_the_number_of_processes(model: Path, jobs: str) -> None:
    write(model, {f"{number}.pkl": BAD if number % 7 == 0 else CUSTOM for number in range(150)})
    one = report(model.parent, "--jobs", jobs)
    assert one == report(model.parent)
    assert one["counts"]["files"] == 153


# --- nothing that was not judged is clean -----------------------------------------------------------------------------


def test_s32_a_file_of_an_unknown_format_is_not_clean(model: Path) -> None:
    write(model, {"blob": BLOB})
    value = report(model.parent)
    assert (value["exit_code"], value["status"]) == (13, "incomplete")
    file = value["targets"][0]["files"]["blob"]
    assert (file["state"], file["reason"], file["findings"]) == ("uninspected", "format unknown", [])
    assert "model/blob: format unknown" in scan(model.parent).out


@pytest.mark.parametrize("make", [lambda _: None, lambda folder: (folder / "a/b").mkdir(parents=True)])
def test_s32_a_folder_without_files_is_not_clean(tmp_path: Path, make: Any) -> None:
    (tmp_path / "model").mkdir()
    make(tmp_path / "model")
    value = report(tmp_path)
    assert (value["exit_code"], value["status"]) == (13, "failed")
    assert value["problem"] == "there is no file: nothing was judged"
    assert "NOTHING WAS JUDGED: 0 of 0" in scan(tmp_path).out
    run = json.loads(scan(tmp_path, "--format", "sarif").out)["runs"][0]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_s32_a_folder_in_which_nothing_was_judged_is_not_clean(tmp_path: Path) -> None:
    write(tmp_path / "model", {"blob": BLOB})
    value = report(tmp_path)
    assert (value["exit_code"], value["status"], value["problem"]) == (13, "failed", "no file could be judged")


def test_s12_links_and_devices_are_not_followed(model: Path) -> None:
    write(model.parent, {"outside.pkl": BAD})
    (model / "link.json").symlink_to("config.json")
    (model / "out").symlink_to("..")
    os.mkfifo(model / "fifo")
    with socket.socket(socket.AF_UNIX) as channel, contextlib.chdir(model):
        channel.bind("socket")
    value = report(model.parent)
    files = value["targets"][0]["files"]
    assert {name: file["state"] for name, file in files.items() if file["state"] != "judged"} == {
        "link.json": "link", "out": "link", "fifo": "special", "socket": "special",
    }  # fmt: skip
    assert all(files[name]["digest"] is None for name in ("link.json", "out", "fifo", "socket"))
    assert (value["exit_code"], value["targets"][0]["digest"]) == (13, None)
    assert "outside" not in json.dumps(value)


@pytest.mark.parametrize("name", ["link", "link.json", "fifo"])
def test_s12_a_path_that_is_a_link_is_not_followed(model: Path, name: str) -> None:
    (model.parent / "link").symlink_to("model")
    (model.parent / "link.json").symlink_to("model/config.json")
    os.mkfifo(model.parent / "fifo")
    value = report(model.parent, name)
    assert (value["exit_code"], value["status"], value["counts"]["judged"]) == (13, "failed", 0)


def test_s32_what_is_excluded_is_counted_and_not_clean(model: Path) -> None:
    write(model, {"sub/bad.pkl": BAD})
    value = report(model.parent, "--exclude", "sub/*")
    assert (value["exit_code"], value["status"], value["exclude"]) == (13, "incomplete", ["sub/*"])
    assert value["counts"]["excluded"] == 2
    assert "model/sub/bad.pkl: excluded by a pattern" in scan(model.parent, "--exclude", "**/*.pkl").out


def test_fail_on_lowers_what_counts_of_findings_alone(model: Path) -> None:
    write(model, {"alone.json": b'{"a": 1, "a": 2}'})
    severities = {item["severity"] for item in report(model.parent)["targets"][0]["files"]["alone.json"]["findings"]}
    assert severities == {"medium"}
    above = "high"
    value = report(model.parent, "--fail-on", above)
    assert (value["exit_code"], value["counts"]["findings"], value["fail_on"]) == (0, 0, above)
    assert f"no findings at or above {above} (1 listed)" in scan(model.parent, "--fail-on", above).out
    write(model, {"blob": BLOB})
    assert report(model.parent, "--fail-on", above)["exit_code"] == 13


def test_a_configuration_counts_only_where_it_is_named(model: Path) -> None:
    write(model.parent, {"gate.yaml": b"inspection: {allow_globals: [acme.models.Net]}\n", "other.yaml": b"a: 1\n"})
    write(model, {"custom.pkl": CUSTOM})
    assert report(model.parent)["exit_code"] == 13
    value = report(model.parent, "--config", "gate.yaml")
    assert (value["exit_code"], value["allow_globals"]) == (0, ["acme.models.Net"])
    for name in ("nothing.yaml", "other.yaml"):
        assert scan(model.parent, "--config", name).code == 2


# --- usage and output -------------------------------------------------------------------------------------------------


def test_single_files_and_several_paths(model: Path) -> None:
    value = report(model, "config.json", "sub", str(model / "model.safetensors"))
    assert [(target["path"], target["kind"]) for target in value["targets"]] == [
        ("config.json", "file"), ("sub", "folder"), (str(model / "model.safetensors"), "file")
    ]  # fmt: skip
    assert value["targets"][0]["digest"] == sha256_digest(GOOD["config.json"])
    assert (value["exit_code"], value["counts"]["files"]) == (0, 3)
    assert [target["path"] for target in report(model, ".")["targets"]] == ["."]


@pytest.mark.parametrize(("arguments", "code", "text"), [
    ((), 2, "PATH"),
    (("nothing",), 3, "'nothing' cannot be read: No such file"),
    (("model", "nothing"), 3, "'nothing' cannot be read: No such file"),
    (("model", "--exclude", "[a]"), 2, "--exclude"),
    (("model", "--exclude", "/a"), 2, "--exclude"),
    (("model", "--jobs", "0"), 2, "--jobs"),
    (("model", "--timeout", "0"), 2, "--timeout"),
    (("model", "--fail-on", "none"), 2, "--fail-on"),
    (("model", "--format", "xml"), 2, "--format"),
    (("model", "--output", "model/report.json"), 2, "lies in model, which is scanned"),
    ((".", "--output", "report.json"), 2, "lies in ., which is scanned"),
    (("model/config.json", "--output", "model/config.json"), 2, "lies in model/config.json"),
    (("model", "--output", "nowhere/report.json"), 5, "--output"),
])  # fmt: skip
def test_usage(model: Path, arguments: tuple[str, ...], code: int, text: str) -> None:
    done = gate("scan", *arguments, cwd=model.parent)
    assert (done.code, done.out) == (code, "")
    assert text in done.err
    assert (model / "config.json").read_bytes() == GOOD["config.json"]


def test_s37_the_output_is_never_stale(model: Path) -> None:
    out = model.parent / "scan.json"
    done = scan(model.parent, "model", "--format", "json", "--output", "scan.json")
    assert (done.code, done.out) == (0, "every file was judged: 3 of 3, no findings.   exit 0\n")
    assert json.loads(out.read_text())["exit_code"] == 0
    assert scan(model.parent, "nothing", "--format", "json", "--output", "scan.json").code == 3
    assert out.read_text() == ""


def test_s34_names_and_messages_are_escaped(tmp_path: Path) -> None:
    name = "a\x1b[31m\nmodel.pkl: no findings\u202e"
    write(tmp_path / "model", {name: BAD, os.fsdecode(b"b\xff.json"): b"{}"})
    (tmp_path / "model" / "l\x07").symlink_to("x")
    done = scan(tmp_path)
    assert not set(done.out) & set("\x1b\u202e\x07")
    assert "model/a\\x1b[31m\\x0amodel.pkl: no findings\\u202e" in done.out
    for form in ("json", "sarif"):
        assert scan(tmp_path, "--format", form).out.isascii()


def test_long_reports_say_that_there_is_more(tmp_path: Path) -> None:
    write(tmp_path / "model", {f"{n}.pkl": BAD for n in range(60)} | {f"{n}.blob": BLOB for n in range(60)})
    out = scan(tmp_path).out
    assert "more findings; --format json lists all" in out
    assert "... and 10 more that are uninspected" in out


def test_control_c_ends_every_process(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    safetensors(tmp_path / "model/large.safetensors", 64 << 30)
    with subprocess.Popen(
        command("scan", "model"), cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while len(started := family(process.pid)) < 2:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"gate: error: interrupted\n")
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def test_processes_end_when_the_one_that_started_them_is_gone(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    safetensors(tmp_path / "model/large.safetensors", 64 << 30)
    nowhere = subprocess.DEVNULL
    with subprocess.Popen(
        command("scan", "model"), cwd=tmp_path, env=ENVIRONMENT, stdout=nowhere, stderr=nowhere
    ) as one:
        while len(started := family(one.pid)) < 2:
            time.sleep(0.05)
        one.kill()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}").exists() for pid in started) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(Path(f"/proc/{pid}").exists() for pid in started)


def test_what_cannot_be_printed_is_no_success(model: Path) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command("scan", "model"),
            cwd=model.parent,
            env=ENVIRONMENT,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 5


# --- the report is a scan as any other --------------------------------------------------------------------------------


def signed_scan(folder: Path, form: str, tool: str) -> tuple[Done, dict[str, Any]]:
    """The statement about the model that a report in some form gives, if it gives one."""
    scanned = scan(folder, "model", "--format", form, "--output", "report.json")
    assert scanned.code in {0, 13}
    config = f"tool: {tool}\nreport: report.json\nartifact: model\n"
    (folder / "scan.yaml").write_text(config)
    done = gate("attest", "create", "--type", "scan", "--config", "scan.yaml", "--root", ".", "--out", "s", cwd=folder)
    made = [json.loads(path.read_text())["predicate"] for path in (folder / "s").glob("*.json")]
    return done, made[0] if made else {}


@pytest.mark.parametrize(("form", "tool"), [("json", "gate"), ("sarif", "sarif")])
def test_a_report_can_be_signed(model: Path, form: str, tool: str) -> None:
    write(model, {"bad.pkl": BAD})
    done, predicate = signed_scan(model.parent, form, tool)
    assert done.code == 0, done.text
    assert (predicate["status"], predicate["coverage"]["scanned"]) == ("complete", sorted([*GOOD, "bad.pkl"]))
    assert {finding["file"] for finding in predicate["findings"]} == {"bad.pkl"}
    assert {finding["severity"] for finding in predicate["findings"]} == {"critical"}


def test_s32_an_unjudged_file_covers_nothing_in_a_signed_report(model: Path) -> None:
    write(model, {"blob": BLOB})
    done, predicate = signed_scan(model.parent, "json", "gate")
    assert done.code == 0, done.text
    assert (predicate["status"], predicate["coverage"]["errors"]) == ("incomplete", {"blob": "format unknown"})
    assert predicate["coverage"]["scanned"] == sorted(GOOD)
    shutil.rmtree(model.parent / "s")
    done, predicate = signed_scan(model.parent, "sarif", "sarif")
    assert (done.code, predicate) == (5, {})
    assert "does not say that it ran successfully" in done.err


def test_a_check_judges_by_the_same_looks(model: Path) -> None:
    write(model, {"bad.pkl": BAD, "blob": BLOB})
    (model.parent / "gate.yaml").write_text(
        "version: 1\ntarget: deployment\nartifacts:\n  model: {kind: weights, path: model}\n"
    )
    found = report(model.parent)["targets"][0]["files"]
    done = gate("input", "--now", "2026-11-20T12:00:00Z", cwd=model.parent)
    assert done.code == 0, done.text
    files = json.loads(done.out)["artifacts"]["model"]["files"]
    assert {name: (file["digest"], file["format"]) for name, file in files.items()} == {
        name: (file["digest"], file["format"]) for name, file in found.items()
    }
    digests = set()
    for jobs in ("1", "2"):
        done = gate("check", "--jobs", jobs, "--now", "2026-11-20T12:00:00Z", "--format", "json", cwd=model.parent)
        assert done.code == 10, done.text
        digests.add(done.decision["digests"]["input"])
    assert len(digests) == 1


# --- memory -----------------------------------------------------------------------------------------------------------


def test_memory_is_bounded_however_large_the_files_are(tmp_path: Path) -> None:
    """The sum over all processes, shared pages counted for each. `python -m bench scan` measures it on 5 GiB."""
    folder = tmp_path / "model"
    folder.mkdir()
    safetensors(folder / "a.safetensors", 256 * MIB)
    gguf_file(folder / "b.gguf", 256 * MIB)
    torch_zip(folder / "c.pt", 64 * MIB)
    words = ",".join(f'"token {number}"' for number in range(300_000))
    write(folder, {f"{number}.json": f"[{words}]".encode() for number in range(4)})
    done = watch([*command("scan", "model", "--jobs", "2")], tmp_path, ENVIRONMENT)
    assert (done.code, done.err) == (0, ""), done.out
    assert done.peak_bytes < 300 * MIB, f"{done.peak_bytes / MIB:.0f} MiB"
