"""Files that are huge, deep, doubled, cut, links, pipes or unreadable, wherever the gate reads: a clear refusal."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.world import MODEL, NOW, SETTINGS, WEIGHTS, World, inside
from tools.scenario_draft import config
from tools.scenario_evidence import bundle, envelope, key, model_signature, modelscan, provenance, subjects

MODELSCAN = "reports:\n  - {tool: modelscan, path: .gate/modelscan.json, artifact: summarizer}\n"
BAD_JSON = {
    "huge": b'{"a": "' + b"x" * (3 << 20) + b'"}',
    "deep arrays": b'{"a":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "deep objects": b'{"a":' * 60_000 + b"1" + b"}" * 60_000,
    "doubled keys": b'{"auto_map": {}, "auto_map": {"AutoModel": "e--m.E"}}',
    "wide": b'{"a": [' + b"0," * 300_000 + b"0]}",
    "a long number": b'{"a": ' + b"9" * 100_000 + b"}",
    "a large exponent": b'{"a": 1e999999}',
    "not a number": b'{"a": NaN}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "not UTF-8": b'{"a": "\xff"}',
    "a zero": b'{"a": "\0"}',
    "cut": b'{"a": [1, 2',
    "empty": b"",
    "a mark of byte order": b"\xef\xbb\xbf{}",
}


@pytest.mark.parametrize("name", BAD_JSON)
def test_evidence(world: World, name: str) -> None:
    world.put("bad.json", BAD_JSON[name])
    done = world.judge()
    assert done.code == (3 if name == "huge" else 14), done.text
    assert "bad.json" in done.text


@pytest.mark.parametrize("name", BAD_JSON)
def test_payloads(world: World, name: str) -> None:
    world.put("bad.json", envelope(BAD_JSON[name][: 500 << 10], key("builder")))
    done = world.judge()
    assert done.code == 14, done.text
    assert "bad.json" in done.text


@pytest.mark.parametrize("name", BAD_JSON)
def test_reports(world: World, name: str) -> None:
    world.on_main({"gate.yaml": config(more=MODELSCAN)})
    world.write(".gate/modelscan.json", BAD_JSON[name])
    done = world.judge()
    assert done.code == 13
    assert done.failing == {"scan.coverage"}


@pytest.mark.parametrize("name", BAD_JSON)
def test_settings_of_a_model(world: World, name: str) -> None:
    """Well signed: what cannot be read in full or is read in two ways is never clean."""
    world.write(SETTINGS, BAD_JSON[name])
    world.commit()
    world.attest()
    done = world.judge()
    harmless = {"huge", "wide", "empty"}
    assert done.code in ({0} if name in harmless else {0, 13}), done.text
    if name in {"deep arrays", "deep objects", "doubled keys", "cut", "not UTF-8"}:
        assert done.code == 13


@pytest.mark.parametrize("name", BAD_JSON)
def test_configurations_and_waivers(world: World, name: str) -> None:
    world.write("bad.yaml", BAD_JSON[name])
    done = world.judge("--config", "bad.yaml", "--config-from", "worktree")
    assert done.code in {2, 3}
    assert "bad.yaml" in done.err
    world.on_main({"gate.yaml": config(more="waivers: waivers.yaml\n"), "waivers.yaml": BAD_JSON[name]})
    done = world.judge()
    assert done.code in {2, 3}
    assert "waivers.yaml" in done.err


def test_too_many_pieces_of_evidence(world: World) -> None:
    world.on_main({"gate.yaml": config(more="limits: {evidence_count: 1}\n")})
    done = world.judge()
    assert done.code == 3
    assert "limits.evidence_count" in done.err


def test_too_many_files(world: World) -> None:
    world.on_main({"gate.yaml": config(more="limits: {files: 1}\n")})
    assert world.judge().code == 3


def test_a_document_that_is_too_large(world: World) -> None:
    world.on_main({"gate.yaml": config(more="limits: {document_bytes: 1KiB}\n")})
    done = world.judge()
    assert done.code == 3
    assert "limits.document_bytes" in done.err


def test_a_report_that_is_too_large(world: World) -> None:
    world.on_main({"gate.yaml": config(more=MODELSCAN + "limits: {report_bytes: 100}\n")})
    world.write(".gate/modelscan.json", modelscan(["model.safetensors", "config.json"]))
    assert world.judge().failing == {"scan.coverage"}


# -- what is no file ---------------------------------------------------------------------------------------------------


def fifo(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def to_nowhere(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/nonexistent")


def to_outside(path: Path) -> None:
    data = path.read_bytes() if path.exists() else b"{}"
    path.unlink(missing_ok=True)
    target = path.parents[3] / "outside"
    target.write_bytes(data)
    path.symlink_to(target)


def to_itself(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(path.name)


def to_a_device(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


KINDS: list[Callable[[Path], None]] = [fifo, to_nowhere, to_outside, to_itself, to_a_device]


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("path", [WEIGHTS, SETTINGS, f"{MODEL}/new.json"])
def test_a_file_of_a_model_that_is_none(world: World, make: Callable[[Path], None], path: str) -> None:
    make(world.root / path)
    done = world.judge()
    assert done.code == 12
    assert {"artifact.integrity", "load.safe_format"} <= done.failing


@pytest.mark.parametrize("make", KINDS)
def test_evidence_that_is_no_file_counts_for_nothing(world: World, make: Callable[[Path], None]) -> None:
    make(world.root / ".gate/attestations/provenance.dsse.json")
    done = world.judge()
    assert done.code == 10
    assert any("provenance.dsse.json" in name for name in done.decision["skipped"])


@pytest.mark.parametrize("make", KINDS)
def test_a_report_that_is_no_file(world: World, make: Callable[[Path], None]) -> None:
    world.on_main({"gate.yaml": config(more=MODELSCAN)})
    make(world.root / ".gate" / "modelscan.json") if make is not to_outside else to_nowhere(
        world.root / ".gate" / "modelscan.json"
    )
    done = world.judge()
    assert done.code in {10, 13}
    assert done.failing == {"scan.coverage"}


@pytest.mark.parametrize("what", ["models", MODEL, ".gate", ".gate/attestations"])
def test_a_folder_behind_a_link(world: World, what: str) -> None:
    moved = world.root.parent / "moved"
    (world.root / what).rename(moved)
    (world.root / what).symlink_to(moved)
    done = world.judge()
    assert done.code != 0
    assert done.code in {3, 10, 12, 13}


def test_an_artifact_that_is_not_there(world: World) -> None:
    world.on_main({"gate.yaml": config(["other: {kind: weights, path: models/other}"])})
    done = world.judge()
    assert done.code == 3
    assert "models/other" in done.err


def test_an_empty_model(world: World) -> None:
    world.on_main({"gate.yaml": config(["other: {kind: weights, path: models/empty}"], gates="")})
    (world.root / "models/empty").mkdir()
    done = world.judge()
    assert done.code in {10, 13}
    assert {"artifact.pinned", "artifact.signed"} <= done.failing


def test_a_folder_without_evidence(world: World) -> None:
    import shutil

    shutil.rmtree(world.root / ".gate")
    done = world.judge()
    assert done.code == 10
    assert "does not exist" in str(done.decision["skipped"])


@pytest.mark.parametrize("path", [WEIGHTS, ".gate/attestations/provenance.dsse.json", "gate.yaml"])
def test_a_file_that_cannot_be_read(world: World, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """As for somebody without the right to, whoever runs the tests."""
    real = os.open

    def denied(name: str | bytes, *arguments: int, **more: int) -> int:
        if os.path.basename(os.fsencode(name)) == os.fsencode(path.rpartition("/")[2]):  # noqa: PTH119
            raise PermissionError(13, "Permission denied", os.fsdecode(name))
        return real(name, *arguments, **more)

    monkeypatch.setattr(os, "open", denied)
    arguments = ["--format", "json", "--now", NOW, "--root", str(world.root)]
    done = inside("check", *arguments)
    assert done.code == 3, done.text
    assert path.rpartition("/")[2] in done.err


# -- shapes that cost --------------------------------------------------------------------------------------------------


def test_many_files_and_much_evidence_in_bounded_time(world: World) -> None:
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(1000):
        world.put(f"{number}.json", envelope(provenance(subjects({f"{number}.bin": b"%d" % number})), key("builder")))
        world.write(f"{MODEL}/more/{number}.json", b'{"n": %d}\n' % number)
    world.commit()
    world.attest()
    assert world.judge().code == 0
    assert time.process_time() - began < 60
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10


def test_globs_that_want_to_take_for_ever(world: World) -> None:
    pattern = "/".join(["**"] * 8 + ["*a*a*a*a*a*a*a*b"])
    gate = f"  - {{id: G, trigger_paths: ['{pattern}'], required_attestations: [eval]}}\n"
    world.on_main({"gate.yaml": config(gates=gate)})
    world.write("/".join(["a" * 40] * 12), b"x")
    world.commit()
    began = time.process_time()
    assert world.judge().code in {0, 2}
    assert time.process_time() - began < 10


def test_long_chains_and_rings(world: World) -> None:
    from tools.scenario_evidence import own, sha256

    payload = own("corpus", subjects({"a": b"a"}))
    for number in range(300):
        world.put(f"chain-{number}.json", bundle(payload, key("stranger")))
        payload = own("corpus", subjects({"a": b"%d" % number}), depends_on=[payload])
    value = json.loads(payload)
    value["predicate"]["depends_on"] = [f"sha256:{sha256(payload)}"]
    world.put("self.json", bundle(json.dumps(value).encode(), key("stranger")))
    done = world.judge()
    assert done.code == 0
    assert len(done.decision["evidence"]["rejected"]) == 301


def test_names_of_models_that_are_unusual(world: World) -> None:
    names = [
        "a b.json",
        "ü.json",
        "e\u0301.json",
        "\u00e9.json",
        "-r.json",
        "#.json",
        "%41.json",
        "ab:c.json",
        "*.json",
    ]
    for name in names:
        world.write(f"{MODEL}/{name}", b"{}\n")
    world.commit()
    world.attest()
    assert world.judge().code == 0
    world.put("signature.sigstore.json", bundle(model_signature("summarizer", {}), key("release")))
    assert world.judge().code == 14
