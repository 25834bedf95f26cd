"""Collectors of datasets, cards, plugins, decisions, waivers, scans and trainings: what they find and refuse."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from gate.app.attest_create import TypedRequest, create_typed
from gate.app.produce import Place
from gate.attest.predicates import collectors
from gate.errors import GateError
from gate.formats.merkle import files_root
from gate.model.artifact import ArtifactFile, tree_digest
from gate.model.digest import digest_from_hex, sha256_digest
from tests.support.reports import modelscan

FILES: Final = {
    "models/s/a.bin": b"a",
    "models/s/deep/b.bin": b"b",
    "models/base.bin": b"base",
    "data/x": b"x",
    "CARD.md": b"card",
    "t.json": b"{}",
    "r.txt": b"clean",
    "metrics.json": b"{}",
}
TREE: Final = tree_digest(
    {name: ArtifactFile(sha256_digest(data), 0) for name, data in (("a.bin", b"a"), ("deep/b.bin", b"b"))}
)
DIGEST: Final = "sha256:" + "0" * 64
OTHER: Final = "sha256:" + "1" * 64
CONFIGS: Final[Mapping[str, dict[str, Any]]] = {
    "dataset": {"path": "data", "owner": "o", "classification": "c", "license": "l", "personal_data": True},
    "model-card": {"card": "CARD.md", "model": "models/s", "license": "l", "intended_use": "u", "limitations": []},
    "plugin": {"tools": {"t": {"descriptor": "t.json", "permissions": ["b", "a", "b"]}}},
    "approval": {"decision": "approved", "paths": ["models", "t.json"]},
    "review": {"decision": "rejected", "paths": ["t.json"], "scope": "all", "comment": "bad"},
    "waiver": {
        "id": "W-1",
        "control": "scan.malware",
        "artifact": "models/s",
        "reason": "r",
        "ticket": "t",
        "owner": "ann",
        "approver": "ben",
        "created": "2026-11-01",
        "expires": "2026-12-01",
    },
    "break-glass": {
        "images": ["registry.test/app@" + DIGEST],
        "namespace": "payments",
        "reason": "r",
        "ticket": "t",
        "created": "2026-11-01T10:00:00Z",
        "expires": "2026-11-01T12:00:00Z",
    },
    "scan": {
        "tool": "clamav",
        "report": "r.txt",
        "artifact": "models/s",
        "status": "complete",
        "scanned": ["models/s"],
        "findings": [],
    },
    "training-provenance": {
        "method": "training",
        "model": "models/s",
        "code": {},
        "datasets": {"x": "data", "y": DIGEST},
        "environment": {},
        "pipeline": "p",
    },
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for path, data in FILES.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(data)
    return tmp_path


def create(root: Path, word: str, **changes: Any) -> Any:
    """The predicate that a good configuration with some changes makes; a change to `...` leaves a key out."""
    fields = {name: value for name, value in {**CONFIGS[word], **changes}.items() if value is not ...}
    (root / "c.yaml").write_text(json.dumps(fields))
    made = create_typed(TypedRequest(Place(root, root), word, Path("c.yaml")))
    statement = json.loads((root / made.path).read_bytes())
    subjects = {item["name"]: f"sha256:{item['digest']['sha256']}" for item in statement["subject"]}
    return {**statement["predicate"], "subjects": subjects}


def refused(root: Path, word: str, **changes: Any) -> str:
    with pytest.raises(GateError) as caught:
        create(root, word, **changes)
    assert "c.yaml" in str(caught.value)
    assert not (root / ".gate").exists()
    return str(caught.value)


def test_each_type_has_a_word_and_a_claim() -> None:
    assert set(CONFIGS) < set(collectors())
    assert collectors()["scan"].claim == "scan.report"


@pytest.mark.parametrize("word", CONFIGS)
def test_a_good_configuration_makes_a_statement(root: Path, word: str) -> None:
    assert create(root, word)["privacy"] == {"mode": "hash_only"}


@pytest.mark.parametrize(
    ("word", "key"),
    [(word, key) for word, good in CONFIGS.items() for key in good if key not in {"paths", "scope", "comment"}],
)
def test_a_key_left_out_is_refused(root: Path, word: str, key: str) -> None:
    assert key in refused(root, word, **{key: ...})


@pytest.mark.parametrize("word", CONFIGS)
def test_an_unknown_key_is_refused(root: Path, word: str) -> None:
    assert "unknown key 'more'" in refused(root, word, more=1)


def test_a_dataset_may_be_a_file_and_have_sources(root: Path) -> None:
    found = create(root, "dataset", path="data/x", sources={"a": "models/s", "b": None, "c": DIGEST})
    assert found["sources"] == {"a": TREE, "b": None, "c": DIGEST}
    assert (found["folders"], found["roles"]) == ({}, {"files": ["data/x"]})
    assert create(root, "dataset")["folders"] == {"data": "files"}
    assert "true or false" in refused_again(root, "dataset", personal_data="no")


def refused_again(root: Path, word: str, **changes: Any) -> str:
    """The refusal where a statement lies already."""
    with pytest.raises(GateError) as caught:
        create(root, word, **changes)
    return str(caught.value)


@pytest.mark.parametrize("path", ["nothing", "../x", "/etc", ""])
def test_a_path_that_is_not_there_is_refused(root: Path, path: str) -> None:
    refused(root, "dataset", path=path)


def test_a_link_is_refused(root: Path) -> None:
    (root / "data/link").symlink_to("x")
    assert "link" in refused(root, "dataset")
    assert "link" in refused(root, "dataset", path="data/link")


def test_permissions_are_a_set(root: Path) -> None:
    found = create(root, "plugin", server="r.txt", transport="stdio")
    assert found["tools"]["t"] == {"descriptor": sha256_digest(b"{}"), "permissions": ["a", "b"]}
    assert found["roles"] == {"descriptors": ["t.json"], "server": ["r.txt"]}
    assert "without tools" in refused_again(root, "plugin", tools={})
    assert "permissions" in refused_again(root, "plugin", tools={"t": {"descriptor": "t.json"}})


def test_an_approval_of_statements_depends_on_them(root: Path) -> None:
    create(root, "dataset")
    (statement,) = (root / ".gate/statements").iterdir()
    digest = sha256_digest(statement.read_bytes())
    found = create(root, "approval", paths=..., statements=[f".gate/statements/{statement.name}"])
    assert (found["depends_on"], found["subjects"]) == ([digest], {digest: digest})
    assert found["roles"] == {"files": [], "statements": [digest]}


def test_an_approval_of_nothing_is_refused(root: Path) -> None:
    assert "nothing is decided upon" in refused(root, "approval", paths=...)
    assert "t.json" in refused(root, "approval", statements=["t.json"])
    assert "not one of" in refused(root, "approval", decision="maybe")


def test_a_waiver_is_about_a_digest(root: Path) -> None:
    found = create(root, "waiver")
    assert (found["artifact"], found["subjects"], found["finding"]) == (TREE, {TREE: TREE}, None)
    assert create(root, "waiver", artifact=DIGEST, finding="scan.malware.finding")["artifact"] == DIGEST


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"approver": "Ann"}, "somebody else"),
        ({"control": "scan.*"}, "wildcards"),
        ({"expires": "2027-03-01"}, "90 days"),
        ({"expires": "soon"}, "date"),
        ({"reason": None}, "expected text"),
    ],
)
def test_a_waiver_that_the_file_could_not_hold_is_refused_at_its_place(root: Path, changes: Any, word: str) -> None:
    assert word in refused(root, "waiver", **changes)


def test_an_exception_is_about_images_by_their_digests(root: Path) -> None:
    found = create(root, "break-glass", images=[DIGEST, "registry.test/app:1@" + DIGEST, "app@" + OTHER])
    assert found["subjects"] == {DIGEST: DIGEST, OTHER: OTHER}
    assert found["roles"] == {"images": [DIGEST, OTHER]}
    assert (found["approver"], found["namespace"]) == (None, "payments")
    assert create(root, "break-glass", approver="ann")["approver"] == "ann"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"images": []}, "no image is let in"),
        ({"images": ["registry.test/app:1"]}, "a tag may be another one"),
        ({"images": ["REGISTRY/App@x"]}, "is not an image reference"),
        ({"expires": "2026-11-01T10:00:00Z"}, "ends after it begins"),
        ({"expires": "2026-12-01"}, "RFC 3339"),
        ({"namespace": "*"}, "refuse"),
        ({"reason": None}, "expected text"),
        ({"created": ...}, "needs created"),
    ],
)
def test_an_exception_that_excuses_nothing_is_not_made(root: Path, changes: Any, word: str) -> None:
    assert word in refused(root, "break-glass", **changes)


def test_a_scan_that_somebody_describes(root: Path) -> None:
    finding = {"rule": "R", "severity": "high", "aliases": ["CVE-1"], "file": "a.bin", "status": "suppressed"}
    found = create(
        root,
        "scan",
        version="1.0",
        status="incomplete",
        scanned=["models/s/a.bin"],
        errors={"deep/b.bin": "broken"},
        problem="one error",
        findings=[finding, {"rule": "S", "severity": "low"}],
        arguments=["-p"],
        database_at="2026-11-01T00:00:00Z",
    )
    assert found["coverage"] == {"scanned": ["a.bin"], "missing": {}, "errors": {"deep/b.bin": "broken"}}
    assert [item["status"] for item in found["findings"]] == ["suppressed", "open"]
    assert found["artifact_digest"] == TREE
    assert create(root, "scan", scanned=["models/s/a.bin"], status="incomplete")["coverage"]["missing"] == {
        "deep/b.bin": "it was not scanned"
    }


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"scanned": ["data"]}, "no file of models/s"),
        ({"findings": [{"rule": "R"}]}, "severity"),
        ({"findings": [{"severity": "low"}]}, "rule"),
        ({"findings": [{"rule": "R", "severity": "odd"}]}, "not one of"),
        ({"status": "good"}, "not one of"),
        ({"errors": {"a.bin": "x"}}, "met errors"),
    ],
)
def test_a_scan_that_says_too_little_is_refused(root: Path, changes: Any, word: str) -> None:
    assert word in refused(root, "scan", **changes)


def test_a_report_that_the_gate_reads_speaks_for_itself(root: Path) -> None:
    (root / "m.json").write_bytes(json.dumps(report(root)).encode())
    known = {"tool": "modelscan", "report": "m.json", "status": ..., "scanned": ..., "findings": ...}
    found = create(root, "scan", **known)
    assert (found["tool"], found["version"], found["status"]) == ("modelscan", "0.8.8", "complete")
    assert found["coverage"]["scanned"] == ["a.bin"]
    assert [item["severity"] for item in found["findings"]] == ["critical"]
    assert found["findings"][0]["file"] == "a.bin"
    assert "read from there" in refused_again(root, "scan", **{**known, "findings": []})
    assert "read from there" in refused_again(root, "scan", **{**known, "version": "1"})
    (root / "m.json").write_bytes(b"{}")
    assert "m.json" in refused_again(root, "scan", **known)


def report(_: Path) -> Any:
    issue = {
        "description": "d",
        "operator": "system",
        "module": "posix",
        "source": "a.bin",
        "scanner": "x.Y",
        "severity": "CRITICAL",
    }
    return json.loads(modelscan(["a.bin"], issues=[issue], target="models/s"))


def test_a_training_records_its_nine_fields(root: Path) -> None:
    create(root, "dataset")
    found = create(
        root,
        "training-provenance",
        method="fine-tuning",
        base={"base": "models/base.bin"},
        code={"repository": "r", "commit": "a" * 40, "dirty": True},
        environment={"torch": "2.9"},
        seed=7,
        signer="ci",
        started_at="2026-11-01T00:00:00Z",
        metrics=["metrics.json"],
        depends_on=["dataset"],
    )
    assert found["datasets"]["x"] == tree_digest({"x": ArtifactFile(sha256_digest(b"x"), 0)})
    assert found["datasets"]["y"] == DIGEST
    assert found["base"] == {"base": sha256_digest(b"base")}
    assert found["code"] == {"repository": "r", "commit": "a" * 40, "dirty": True}
    assert found["time"] == {"started_at": "2026-11-01T00:00:00Z", "finished_at": None}
    assert found["metrics_root"] == files_root({"metrics.json": sha256_digest(b"{}")})
    assert len(found["depends_on"]) == 1
    assert digest_from_hex(found["depends_on"][0].removeprefix("sha256:"))


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"seed": "7"}, "integer"),
        ({"seed": True}, "integer"),
        ({"method": "fine-tuning"}, "none is named"),
        ({"base": {"b": DIGEST}}, "no base model"),
        ({"code": {"dirty": "no"}}, "true or false"),
        ({"code": {"branch": "main"}}, "unknown key"),
        ({"code": {"commit": "main"}}, "commit"),
        ({"evaluation": ["t.json"]}, "t.json"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"depends_on": ["prompt"]}, "not on prompt"),
    ],
)
def test_a_training_that_makes_no_sense_is_refused(root: Path, changes: Any, word: str) -> None:
    assert word in refused(root, "training-provenance", **changes)


def test_what_is_not_known_is_null(root: Path) -> None:
    found = create(root, "training-provenance", seed=None, code={"commit": None, "dirty": None})
    assert (found["seed"], found["code"]) == (None, {"repository": None, "commit": None, "dirty": None})


def test_an_evaluation_is_depended_on(root: Path) -> None:
    kind = "urn:promotion-gate:predicate:eval:v1"
    subject = {"name": "x", "digest": {"sha256": "0" * 64}}
    value = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": kind, "predicate": {}}
    (root / "eval.json").write_text(json.dumps(value))
    found = create(root, "training-provenance", evaluation=["eval.json"])
    assert found["evaluation"] == found["depends_on"] == [sha256_digest((root / "eval.json").read_bytes())]
