"""`gate verify` and `gate chain show` as a person and a CI system use them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

from gate.app.demo.tamper import predicate_of, signature_of
from gate.app.demo.world import BUNDLES, World, prepare
from gate.formats.canonical_json import dumps
from gate.report.chain import FORMATS as DRAWINGS
from gate.report.verification import FORMATS
from tests.acceptance.world import NOW, Done, gate, inside

NOW_S: Final = 1_795_176_000
CONTROL: Final = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028\u2029]")


@pytest.fixture(scope="session")
def attested(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Mapping[str, bytes]]:
    folder = tmp_path_factory.mktemp("attested")
    return folder, prepare(folder / "start", NOW_S)


@pytest.fixture
def app(attested: tuple[Path, Mapping[str, bytes]], tmp_path: Path) -> World:
    folder, files = attested
    shutil.copy(folder / "release.key", tmp_path)
    return World.lay(tmp_path / "application", files, NOW_S)


def verify(app: World, *arguments: str) -> Done:
    return inside("verify", "--root", str(app.root), "--now", NOW, *arguments)


def drawn(app: World, form: str) -> Done:
    return inside("chain", "show", "--root", str(app.root), "--now", NOW, "--format", form)


def spoil(app: World) -> None:
    """Every stage fails somewhere."""
    app.append("app/system_prompt.txt")
    app.edit_bundle("corpus", lambda envelope: signature_of(envelope).update(sig="AAAA"))
    app.restate("slo", lambda statement: predicate_of(statement).pop("window"))
    app.write(f"{BUNDLES}/junk.json", b"[1, 2]")


def items(done: Done) -> dict[str, dict[str, Any]]:
    value = json.loads(done.out)
    assert value["exit_code"] == done.code
    return {Path(item["origin"]).name.split(".")[0]: item for item in value["items"]}


def test_evidence_that_holds(app: World) -> None:
    done = verify(app)
    assert (done.code, done.err) == (0, "")
    assert done.out.endswith("5 verified, 0 rejected.   exit 0 (all evidence holds)\n")
    assert "covers prompts" in done.out


def test_all_failures_of_all_items_are_reported(app: World) -> None:
    spoil(app)
    found = items(verify(app, "--format", "json"))
    codes = {name: [failure["code"] for failure in item["failures"]] for name, item in found.items()}
    assert codes["prompt"] == ["subject.mismatch"]
    assert codes["corpus"] == ["signature.untrusted"]
    assert codes["slo"] == ["statement.predicate"]
    assert codes["junk"] == ["envelope.unknown"]
    assert codes["eval"] == ["chain.dangling"]
    assert codes["route"] == ["chain.unresolved"] or codes["route"] == ["chain.dangling"]
    assert found["junk"]["stages"] == {
        "envelope": "failed",
        **dict.fromkeys(("signature", "statement", "subject", "chain"), "not reached"),
    }


def test_every_file_that_differs_is_named(app: World) -> None:
    for path in ("app/system_prompt.txt", "app/render.yaml"):
        app.append(path)
    (app.root / "app/prompt-tests.yaml").unlink()
    app.write("app/more.txt", b"x")
    details = [failure["detail"] for failure in items(verify(app, "--format", "json"))["prompt"]["failures"]]
    assert len(details) == 4
    for path in ("app/system_prompt.txt", "app/render.yaml", "app/prompt-tests.yaml", "app/more.txt"):
        assert sum(f"'{path}'" in detail for detail in details) == 1


def test_files_and_chain_fail_together(app: World) -> None:
    app.append("slo/query.promql")
    app.restate("slo", lambda statement: predicate_of(statement).update(depends_on=[]))
    found = items(verify(app, "--format", "json"))["slo"]
    assert [failure["code"] for failure in found["failures"]] == ["subject.mismatch", "chain.no_predecessor"]
    assert (found["stages"]["subject"], found["stages"]["chain"]) == ("failed", "failed")


@pytest.mark.parametrize(
    ("causes", "code"),
    [
        ((), 0),
        (("form",), 14),
        (("files",), 12),
        (("files", "form"), 12),
        (("signature", "files", "form"), 11),
        (("signature", "form"), 11),
        (("nothing",), 10),
        (("nothing", "form"), 14),
    ],
)
def test_the_gravest_cause_decides(app: World, causes: tuple[str, ...], code: int) -> None:
    if "nothing" in causes:
        app.keep()
    if "form" in causes:
        app.write(f"{BUNDLES}/junk.json", b"[1, 2]")
    if "files" in causes:
        app.append("app/system_prompt.txt")
    if "signature" in causes:
        app.edit_bundle("corpus", lambda envelope: signature_of(envelope).update(sig="AAAA"))
    for form in FORMATS:
        assert verify(app, "--format", form).code == code
    assert json.loads(verify(app, "--format", "json").out)["exit_code"] == code


def test_explain_says_what_to_do(app: World) -> None:
    spoil(app)
    done = verify(app, "--explain")
    assert done.code == 11
    assert done.out.count("fix: ") == 6
    assert "gate sign" in done.out
    assert "not reached" in done.out


def test_it_works_from_any_folder(app: World, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    relative = os.path.relpath(app.root, elsewhere)
    for cwd, arguments in ((elsewhere, ("--root", relative)), (elsewhere, ("--root", str(app.root))), (app.root, ())):
        done = gate("verify", "--now", NOW, *arguments, cwd=cwd)
        assert (done.code, done.err) == (0, "")
    assert gate("verify", "--root", "none", cwd=elsewhere).code == 2
    assert gate("verify", cwd=elsewhere).code == 2


@pytest.mark.parametrize("form", FORMATS)
def test_the_file_holds_what_would_be_shown(app: World, tmp_path: Path, form: str) -> None:
    spoil(app)
    out = tmp_path / "report"
    done = verify(app, "--format", form, "--output", str(out))
    assert done.code == 11
    assert re.fullmatch(r"0 verified, 6 rejected\.   exit 11 \(.*\)\n", done.out)
    assert out.read_text() == verify(app, "--format", form).out
    assert out.stat().st_mode & 0o777 == 0o644


def test_yesterdays_report_is_gone_when_there_is_none_today(app: World, tmp_path: Path) -> None:
    out = tmp_path / "report"
    assert verify(app, "--output", str(out)).code == 0
    app.write("gate.yaml", b"version: 2\n")
    assert verify(app, "--output", str(out)).code == 2
    assert out.read_bytes() == b""
    out.unlink()
    out.symlink_to(app.root / "gate.yaml")
    assert verify(app, "--output", str(out)).code == 5
    assert (app.root / "gate.yaml").read_bytes() == b"version: 2\n"


def test_the_junit_report_is_red_exactly_when_the_code_is(app: World) -> None:
    top = ET.fromstring(verify(app, "--format", "junit").out)
    assert (top.get("tests"), top.get("failures")) == ("5", "0")
    spoil(app)
    top = ET.fromstring(verify(app, "--format", "junit", "--explain").out)
    # Six pieces of evidence, and that nothing is verified at all.
    assert (top.get("tests"), top.get("failures")) == ("7", "7")
    app.keep()
    (app.root / BUNDLES / "junk.json").unlink()
    top = ET.fromstring(verify(app, "--format", "junit").out)
    assert [item.get("type") for item in top.iter("failure")] == ["evidence.missing"]


HOSTILE: Final = ("\x1b[31mx", "a\nverified  b", "\u202ex", "<img src=x>", '"]:::verified', '"];n0', "@everyone", "`|`")


def lay_hostile(app: World) -> None:
    for number, text in enumerate(HOSTILE):
        name = text.replace("/", "_")
        app.write(f"app/{number} {name}", b"x")
        app.write(f"{BUNDLES}/{number} {name}.json", b"{}")
        statement: dict[str, Any] = {
            **app.statement("slo"),
            "subject": [{"name": text, "digest": {"sha256": "0" * 64}}],
        }
        predicate_of(statement)["depends_on"] = ["sha256:" + f"{number:064}"]
        predicate_of(statement)["roles"] = {"observability_query": [text]}
        predicate_of(statement)["profile"] = text
        app.write_bundle(f"statement {number} {name}", dumps(statement))


@pytest.mark.parametrize("form", FORMATS)
def test_hostile_names_in_a_report(app: World, form: str) -> None:
    lay_hostile(app)
    done = verify(app, "--format", form, "--explain")
    assert done.code == 12
    assert not CONTROL.search(done.text)
    assert "<img" not in re.sub(r"`[^`\n]*`", "", done.out) or form in {"text", "json"}
    if form == "text":
        assert len(re.findall(r"^verified  ", done.out, re.MULTILINE)) <= 5
    if form == "junit":
        ET.fromstring(done.out)


@pytest.mark.parametrize("form", DRAWINGS)
def test_hostile_names_in_a_drawing(app: World, form: str) -> None:
    lay_hostile(app)
    done = drawn(app, form)
    assert done.code == 12
    assert not CONTROL.search(done.text)
    if form == "mermaid":
        assert all(re.fullmatch(r'  n\d+\["[^"<>`]*"\]:::\w+', line) for line in done.out.splitlines() if ":::" in line)
    if form == "dot":
        nodes = [line for line in done.out.splitlines() if "label=" in line]
        assert all(re.fullmatch(r'  n\d+ \[shape=box, style=\w+, label="(?:[^"\\]|\\.)*"\];', line) for line in nodes)


@pytest.mark.parametrize("form", DRAWINGS)
def test_the_chain_with_and_without_gaps(app: World, form: str) -> None:
    whole = drawn(app, form)
    assert (whole.code, whole.err) == (0, "")
    for kind in ("prompt", "corpus", "eval", "route", "slo"):
        assert f"{kind}.sigstore.json" in whole.out
    assert "missing" not in re.sub("classDef.*|0 missing", "", whole.out)
    (app.root / BUNDLES / "prompt.sigstore.json").unlink()
    gap = drawn(app, form)
    assert gap.code == 14
    assert "missing" in re.sub("classDef.*", "", gap.out).lower()
    assert "rejected" in re.sub("classDef.*", "", gap.out).lower()


def test_the_chain_of_nothing(app: World) -> None:
    app.keep()
    done = drawn(app, "text")
    assert (done.code, done.out) == (10, "no statement is there\n")


def test_the_groups_say_what_they_hold() -> None:
    for name in ("chain", "demo"):
        done = inside(name)
        assert done.code == 2
        assert {"chain": "show", "demo": "run"}[name] in done.text


def test_the_same_report_every_time(app: World) -> None:
    spoil(app)
    first = verify(app, "--format", "json").out
    folder = app.root / BUNDLES
    for path in sorted(folder.iterdir(), reverse=True):
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
    with contextlib.chdir("/"):
        assert verify(app, "--format", "json").out == first
