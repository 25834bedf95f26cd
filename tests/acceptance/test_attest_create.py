"""`gate attest create`, with `--type` and `--changed-only`: what is made, the same everywhere, and what is refused."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyrage
import pytest

from gate import resources
from gate.app import recollect
from gate.formats.intoto import parse_statement
from gate.formats.merkle import files_root
from gate.formats.predicates import read_statement
from gate.model.digest import sha256_digest
from tests.acceptance.world import Done, Repository, gate, inside

TYPES: Final = ("prompt", "corpus", "eval", "route", "slo")
STATEMENTS: Final = ".gate/statements"
RECIPIENT: Final = str(pyrage.x25519.Identity.generate().to_public())


@dataclass
class Site:
    """The example application in a folder."""

    root: Path

    def write(self, path: str, data: bytes | str) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data.encode() if isinstance(data, str) else data)

    def read(self, path: str) -> bytes:
        return (self.root / path).read_bytes()

    def configure(self, kind: str, *more: str, without: str = "") -> None:
        """The configuration of a type without some keys, and with more lines."""
        lines = self.read(f"attest/{kind}.yaml").decode().splitlines()
        kept = [line for line in lines if not without or not re.match(without, line)]
        self.write(f"attest/{kind}.yaml", "\n".join([*kept, *more]) + "\n")

    def run(self, *arguments: str, cwd: str = ".") -> Done:
        with contextlib.chdir(self.root / cwd):
            return inside("attest", "create", *arguments)

    def create(self, kind: str, *arguments: str, cwd: str = ".") -> Done:
        return self.run("--type", kind, "--config", str(self.root / f"attest/{kind}.yaml"), *arguments, cwd=cwd)

    def made(self, *kinds: str) -> None:
        for kind in kinds or TYPES:
            done = self.create(kind)
            assert (done.code, done.err) == (0, ""), done.text

    def statement(self, kind: str) -> dict[str, Any]:
        value: dict[str, Any] = json.loads(self.read(f"{STATEMENTS}/{kind}.json"))
        return value

    def statements(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted((self.root / STATEMENTS).iterdir())}

    def names(self, kind: str) -> list[str]:
        return [item["name"] for item in self.statement(kind)["subject"]]


def lay(root: Path) -> Site:
    site = Site(root)
    for path, data in resources.example_files().items():
        site.write(path, data)
    return site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return lay(tmp_path / "application")


def refused(done: Done, *words: str, code: int = 5) -> None:
    assert done.code == code, done.text
    assert done.out == ""
    for word in words:
        assert word in done.err, done.err


# -- what is made ------------------------------------------------------------------------------------------------------


def test_every_file_that_matters_is_a_subject(site: Site) -> None:
    site.made()
    files = {path.relative_to(site.root).as_posix() for path in site.root.rglob("*") if path.is_file()}
    about = {name for kind in TYPES for name in site.names(kind)}
    assert about == {path for path in files if path.split("/")[0] in {"app", "data", "eval", "route", "slo"}}
    for kind in TYPES:
        statement = site.statement(kind)
        assert statement["predicateType"] == f"urn:promotion-gate:predicate:{kind}:v1"
        assert "created_at" not in statement["predicate"]
        for item in statement["subject"]:
            assert sha256_digest(site.read(item["name"])) == "sha256:" + item["digest"]["sha256"]
        read = read_statement(parse_statement(site.read(f"{STATEMENTS}/{kind}.json"), limit=1 << 20))
        assert (read.claim, read.located, read.facts["collected"]) == (kind, True, True)


def test_statements_name_what_they_build_on_by_digest(site: Site) -> None:
    site.made()
    digests = {kind: sha256_digest(site.read(f"{STATEMENTS}/{kind}.json")) for kind in TYPES}
    built = {kind: site.statement(kind)["predicate"]["depends_on"] for kind in TYPES}
    assert built == {
        "prompt": [],
        "corpus": [],
        "eval": sorted([digests["prompt"], digests["corpus"]]),
        "route": [digests["eval"]],
        "slo": [digests["route"]],
    }


def test_documents_have_a_merkle_root(site: Site) -> None:
    site.made("corpus")
    predicate = site.statement("corpus")["predicate"]
    paths = predicate["roles"]["documents"]
    assert len(paths) == 3
    assert predicate["documents"] == {
        "count": 3,
        "root": files_root({path: sha256_digest(site.read(path)) for path in paths}),
    }
    assert predicate["build_command_digest"] is None
    site.configure("corpus", "build_command: make index")
    site.made("corpus")
    assert site.statement("corpus")["predicate"]["build_command_digest"] == sha256_digest(b"make index")


@pytest.mark.parametrize(
    "manifest",
    [
        '["documents/returns.txt", "documents/vouchers.txt"]',
        '{"documents": [{"uri": "documents/returns.txt"}, {"file": "documents/vouchers.txt"}]}',
        '{"version": 1, "documents": ["documents/returns.txt", {"path": "./documents/vouchers.txt"}]}',
    ],
)
def test_manifests_of_several_forms(site: Site, manifest: str) -> None:
    site.write("data/document-manifest.json", manifest)
    site.made("corpus")
    roles = site.statement("corpus")["predicate"]["roles"]
    assert roles["documents"] == ["data/documents/returns.txt", "data/documents/vouchers.txt"]
    assert "data/documents/shipping.txt" in roles["others"]


def test_without_optional_files(site: Site) -> None:
    site.configure("prompt", without="render_config|test_suite|sensitivity")
    site.configure("route", without="canary|simulation")
    site.configure("eval", without="run_environment|baseline|tolerances")
    site.made()
    assert site.statement("prompt")["predicate"]["sensitivity_labels"] == []
    assert site.statement("prompt")["predicate"]["roles"]["render_config"] == []
    assert site.statement("route")["predicate"]["roles"]["canary_config"] == []
    metrics = site.statement("eval")["predicate"]["metrics"]
    assert {metric["baseline"] for metric in metrics.values()} == {None}


def test_a_folder_outside_of_every_artifact_is_attested_alone(site: Site) -> None:
    (site.root / "gate.yaml").unlink()
    site.made()
    assert site.statement("prompt")["predicate"]["roles"]["others"] == []
    assert site.statement("prompt")["predicate"]["folders"] == {
        "app/templates": "templates",
        "app/tools": "tool_schemas",
    }


def test_the_answer_tells_what_was_made_and_what_comes_next(site: Site) -> None:
    done = site.create("prompt")
    assert done.out.splitlines()[0].startswith("made      ")
    assert "gate sign .gate/statements/prompt.json --key KEY" in done.out
    assert site.create("prompt").out.splitlines()[2].startswith("replaced")


# -- the same bytes ----------------------------------------------------------------------------------------------------


def test_the_bytes_are_the_same_in_other_folders_locales_and_masks(site: Site, tmp_path: Path) -> None:
    site.made()
    other = lay(tmp_path / "\u00e9lsewhere" / "deep er")
    for path in other.root.rglob("*"):
        os.utime(path, (0, 0))
    environments = ({"LC_ALL": "C", "TZ": "UTC"}, {"LC_ALL": "C.UTF-8", "TZ": "Asia/Kathmandu", "PYTHONHASHSEED": "7"})
    old = os.umask(0o077)
    try:
        for number, kind in enumerate(TYPES):
            config = os.path.relpath(other.root / f"attest/{kind}.yaml", other.root / "eval")
            root = ("--root", "..")
            done = gate(
                *("attest", "create", "--type", kind, "--config", config, "--out", "../" + STATEMENTS, *root),
                cwd=other.root / "eval",
                environment=environments[number % 2],
            )
            assert done.code == 0, done.text
    finally:
        os.umask(old)
    assert other.statements() == site.statements()


def test_time_comes_from_the_option_or_the_build(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    assert site.create("prompt", "--created-at", "2026-11-20T12:00:00+01:00").code == 0
    assert site.statement("prompt")["predicate"]["created_at"] == "2026-11-20T11:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795176000")
    assert site.create("prompt").code == 0
    assert site.statement("prompt")["predicate"]["created_at"] == "2026-11-20T12:00:00Z"
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    refused(site.create("prompt"), "SOURCE_DATE_EPOCH", code=2)


@pytest.mark.parametrize("mode", ["hash_only", "plaintext_explicit", "encrypted_payload"])
def test_the_determinism_check_in_every_mode(site: Site, mode: str) -> None:
    more = [f"age_recipient: {RECIPIENT}"] if mode == "encrypted_payload" else []
    site.configure("prompt", f"privacy_mode: {mode}", *more)
    done = site.create("prompt", "--determinism-check", "3")
    assert (done.code, done.err) == (0, ""), done.text
    assert "collected 3 times" in done.out
    assert ("which are random" in done.out) == (mode == "encrypted_payload")
    privacy = site.statement("prompt")["predicate"]["privacy"]
    assert privacy["mode"] == mode
    assert list(privacy.get("payloads", {})) == ([] if mode == "hash_only" else ["app/system_prompt.txt"])
    assert (site.read("app/system_prompt.txt")[:20] in site.read(f"{STATEMENTS}/prompt.json")) is False


def test_the_determinism_check_with_predecessors_and_another_root(site: Site) -> None:
    site.made("prompt", "corpus")
    done = site.create("eval", "--determinism-check", "2", "--root", "..", cwd="eval")
    assert done.code == 0, done.text
    kept = site.read(f"{STATEMENTS}/eval.json")
    shutil.move(site.root / STATEMENTS, site.root / "elsewhere")
    given = [f"--depends-on={site.root}/elsewhere/{kind}.json" for kind in ("prompt", "corpus")]
    done = site.create("eval", *given, "--determinism-check", "2", "--out", "new/folder")
    assert done.code == 0, done.text
    assert site.read("new/folder/eval.json") == kept


def test_a_file_that_changes_meanwhile_is_noticed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = recollect._fresh

    def meddling(*arguments: Any) -> bytes:
        site.write("app/templates/answer.prompt.txt", b"changed")
        return fresh(*arguments)

    monkeypatch.setattr(recollect, "_fresh", meddling)
    refused(site.create("prompt", "--determinism-check", "2"), "differs in /subject/", "/digest/sha256")
    assert not (site.root / ".gate").exists()

    def adding(*arguments: Any) -> bytes:
        site.write("app/templates/more.txt", b"x")
        return fresh(*arguments)

    monkeypatch.setattr(recollect, "_fresh", adding)
    refused(site.create("prompt", "--determinism-check", "2"), "differs in ")


def test_a_process_that_fails_or_hangs(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh = recollect._fresh

    def removing(*arguments: Any) -> bytes:
        (site.root / "app/render.yaml").unlink()
        return fresh(*arguments)

    monkeypatch.setattr(recollect, "_fresh", removing)
    refused(site.create("prompt", "--determinism-check", "2"), "collecting again failed", "app/render.yaml")
    site.write("app/render.yaml", b"x")
    monkeypatch.setattr(recollect, "_fresh", fresh)

    def expired(*_arguments: Any, **_more: Any) -> None:
        raise subprocess.TimeoutExpired("x", 600)

    monkeypatch.setattr(subprocess, "run", expired)
    refused(site.create("prompt", "--determinism-check", "2"), "took longer than 600 s")


@pytest.mark.parametrize(
    ("one", "other", "place"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "/a/1/b"),
        ({"a": [1]}, {"a": [1, 2]}, "/a"),
        ({"a": [1]}, {"a": {"b": 1}}, "/a"),
        ({"a": 1}, {}, "/a"),
        ([{"a": 1}], [{"a": 1}], ""),
        ({"a": 1}, {"a": 1}, ""),
    ],
)
def test_the_first_difference_is_named(one: Any, other: Any, place: str) -> None:
    assert recollect._difference(one, other) == place


def test_only_what_is_random_is_left_out() -> None:
    same = b'{"predicate":{"privacy":{"payloads":{"a":{"commitment":"%d","recipients":[]},"b":1}}}}'
    assert recollect._settled(same % 1) == recollect._settled(same % 2)
    for text in (b'{"predicate":{"privacy":{"payloads":%d}}}', b'{"predicate":{"privacy":%d}}', b'{"predicate":%d}'):
        assert recollect._settled(text % 1) != recollect._settled(text % 2)


# -- refusals: options -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "exactly one of"),
        (("--type", "prompt", "--claim", "prompt"), "exactly one of"),
        (("--type", "prompt", "--changed-only"), "exactly one of"),
        (("--type", "prompt"), "--type needs --config"),
        (("--changed-only",), "--changed-only needs --base"),
        (("--changed-only", "--base", "main", "--depends-on", "x"), "finds what statements build on"),
        (("--claim", "prompt"), "--claim needs --predicate"),
        (
            ("--claim", "prompt", "--predicate", "x", "--subject", "y", "--determinism-check", "2"),
            "--determinism-check",
        ),
        (("--type", "prompt", "--config", "x", "--base", "main"), "--base belongs to --changed-only"),
        (("--type", "prompt", "--config", "x", "--key", "k"), "--key belongs to --claim"),
        (("--changed-only", "--base", "x", "--config", "c"), "--config belongs to --type"),
        (("--claim", "prompt", "--predicate", "x", "--subject", "y", "--configs", "c"), "--configs belongs to"),
        (("--type", "promt", "--config", "x"), "there is no type 'promt'"),
        (("--type", "x.acme.thing", "--config", "x"), "there is no type"),
        (("--type", "prompt", "--config", "x", "--determinism-check", "0"), "--determinism-check"),
        (("--type", "prompt", "--config", "x", "--determinism-check", "101"), "--determinism-check"),
        (("--type", "prompt", "--config", "x", "--created-at", "now"), "RFC 3339"),
        (("--type", "prompt", "--config", "x", "--root", "none"), "--root"),
    ],
)
def test_options_that_do_not_go_together(site: Site, arguments: tuple[str, ...], words: str) -> None:
    refused(site.run(*arguments), words, code=2)


# -- refusals: configurations ------------------------------------------------------------------------------------------

OTHER: Final = "0" * 64
BAD: Final[dict[str, tuple[str, str, str, int, tuple[str, ...]]]] = {
    # name: (type, lines to leave out, line to add, exit code, what is said)
    "no YAML": ("prompt", "", "a: [", 2, ("attest/prompt.yaml:10:",)),
    "an unknown key": ("prompt", "", "templats_dir: x", 2, ("attest/prompt.yaml:9:1", "templates_dir")),
    "a key twice": ("prompt", "", "render_config: x", 2, ("attest/prompt.yaml:9:",)),
    "an anchor": ("prompt", "render", "render_config: &a x", 2, ("attest/prompt.yaml:8:",)),
    "a missing key": ("prompt", "safety", "", 5, ("attest/prompt.yaml", "prompt needs safety_policy")),
    "a file that is not there": ("prompt", "render", "render_config: none.yaml", 5, ("prompt.yaml:8:16", "none.yaml")),
    "a folder for a file": ("prompt", "render", "render_config: ../app", 5, ("prompt.yaml:8:16", "is a folder")),
    "a file for a folder": ("prompt", "templates", "templates_dir: ../app/render.yaml", 5, ("8:16", "is a file")),
    "a path above": ("prompt", "render", "render_config: ../../x", 5, ("8:16", "does not lie below the root")),
    "a path from the top": ("prompt", "render", "render_config: /etc/passwd", 5, ("8:16", "below the root")),
    "the root itself": ("prompt", "templates", "templates_dir: ..", 5, ("8:16", "below the root")),
    "a list for a text": ("prompt", "render", "render_config: [a]", 2, ("attest/prompt.yaml:8:16",)),
    "a number for a label": ("prompt", "sens", "sensitivity_labels: [1]", 2, ("attest/prompt.yaml:8:",)),
    "a prompt that is its own safety policy": (
        "prompt",
        "safety",
        "safety_policy: ../app/system_prompt.txt",
        2,
        ("attest/prompt.yaml:8:16", "app/system_prompt.txt is the system_prompt already"),
    ),
    "the policy of the gate as a safety policy": (
        "prompt",
        "safety",
        "safety_policy: ../gate.yaml",
        5,
        ("attest/prompt.yaml", "safety_policy: gate.yaml belongs to the gate, not to the prompt"),
    ),
    "statements of the gate as documents": (
        "prompt",
        "templates",
        "templates_dir: ../.gate/statements",
        5,
        ("templates: .gate/statements/", "belongs to the gate"),
    ),
    "a candidate that is its own baseline": (
        "eval",
        "baseline",
        "baseline_results: ../eval/../eval/candidate.json",
        2,
        ("attest/eval.yaml", "eval/candidate.json is the candidate"),
    ),
    "a builder that is no digest": ("corpus", "index_b", "index_builder_image_digest: latest", 2, ("corpus.yaml:9:",)),
    "a manifest that is a folder": ("corpus", "document_m", "document_manifest: ../data", 5, ("corpus.yaml:9:20",)),
    "a route without providers' models": ("route", "  - ", "  - {provider: x}", 2, ("needs provider and model",)),
    "an objective that is a text": ("slo", "error_rate", "error_rate_cap: low", 2, ("attest/slo.yaml:",)),
    "an objective with seven decimals": ("slo", "error_rate", "error_rate_cap: 0.0000001", 5, ("six decimals", "line")),
    "a window that ends before it starts": ("slo", "window_end", "window_end: 2020-01-01T00:00:00Z", 5, ("window",)),
    "a window without time": ("slo", "window_end", "window_end: tomorrow", 5, ("slo.yaml",)),
    "a threshold of no metric": ("eval", "thresholds", "thresholds: {accuracy: 1}", 2, ("accuracy", "_min or _max")),
    "a threshold without a name": ("eval", "thresholds", "thresholds: {_min: 1}", 2, ("_min or _max",)),
    "a threshold with seven decimals": ("eval", "thr", "thresholds: {accuracy_min: 0.1234567}", 2, ("six decimals",)),
    "a threshold that is NaN": (
        "eval",
        "thresholds",
        "thresholds: {accuracy_min: .nan}",
        2,
        ("eval.yaml:9:28", "no number"),
    ),
    "a negative tolerance": ("eval", "tolerances", "tolerances: {accuracy: -0.1}", 2, ("negative",)),
    "no metric at all": ("eval", "thresholds|tolerances", "", 5, ("no metric is named",)),
    "a metric that was not measured": ("eval", "", "metrics: [speed]", 5, ("no metric 'speed'", "it holds accuracy")),
    "a declared value that differs": ("eval", "", "metrics: {accuracy: 0.99}", 5, ("0.99", "eval/candidate.json says")),
    "an unknown form": ("eval", "", "results_format: xml", 2, ("eval.yaml:10:17", "junit")),
    "another form": ("eval", "", "results_format: garak", 5, ("eval/candidate.json",)),
    "a number of samples that is none": ("eval", "", "expected_samples: true", 2, ("number of samples",)),
    "no samples expected": ("eval", "", "expected_samples: 0", 2, ("number of samples",)),
    "an unknown mode": ("slo", "", "privacy_mode: none", 2, ("slo.yaml:12:15", "hash_only")),
    "encryption for nobody": ("slo", "", "privacy_mode: encrypted_payload", 5, ("recipients",)),
    "a recipient that is none": ("slo", "", "privacy_mode: encrypted_payload\nage_recipient: age1x", 5, ("slo.yaml",)),
    "a recipient without encryption": ("slo", "", f"age_recipient: {RECIPIENT}", 5, ("no recipients",)),
    "a payload without a mode": ("slo", "", "payload_paths: [../slo/query.promql]", 5, ("hash_only needs no payload",)),
    "a payload that is not attested": (
        "slo",
        "",
        "privacy_mode: plaintext_explicit\npayload_paths: [../app/render.yaml]",
        2,
        ("not among the files that are attested",),
    ),
    "another fingerprint": (
        "slo",
        "",
        f"privacy_mode: encrypted_payload\nage_recipients: [{RECIPIENT}]\nencryption_recipient_fingerprint: '{OTHER}'",
        5,
        ("encryption_recipient_fingerprint",),
    ),
    "a dependency that is none": ("route", "", "depends_on: [prompt]", 2, ("route builds on eval, not on prompt",)),
    "a dependency of what builds on little": ("slo", "", "depends_on: [eval]", 2, ("slo builds on route, not on",)),
}


@pytest.mark.parametrize("name", BAD)
def test_configurations_that_are_refused(site: Site, name: str) -> None:
    site.made("prompt", "corpus", "eval", "route")
    before = site.statements()
    kind, without, line, code, words = BAD[name]
    site.configure(kind, *([line] if line else []), without=without)
    refused(site.create(kind), *words, code=code)
    assert site.statements() == before


MANIFESTS: Final = {
    "empty": ("[]", "lists no documents"),
    "no list": ('{"documents": {}}', "lists no documents"),
    "no JSON": ("x", "data/document-manifest.json"),
    "a number": ("[1]", "document 1 is neither"),
    "no path": ('["documents/returns.txt", {"sha256": "x"}]', "document 2 has no path"),
    "an empty path": ('[{"path": ""}]', "document 1 has no path"),
    "above": ('["../../outside.txt"]', "does not lie below the root"),
    "from the top": ('["/etc/passwd"]', "does not lie below the root"),
    "by a backslash": ('["documents\\\\returns.txt"]', "does not lie below the root"),
    "with a NUL": ('["documents/\\u0000"]', "does not lie below the root"),
    "not there": ('["documents/none.txt"]', "none.txt"),
    "a folder": ('["documents"]', "is a folder"),
    "twice": ('["documents/returns.txt", "./documents/returns.txt"]', "is listed twice"),
    "another digest": (f'[{{"path": "documents/returns.txt", "sha256": "{OTHER}"}}]', "the manifest says"),
    "no digest": ('[{"path": "documents/returns.txt", "digest": "md5:1"}]', "no sha256"),
    "a digest that is a number": ('[{"path": "documents/returns.txt", "digest": 1}]', "no sha256"),
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifests_that_are_refused(site: Site, name: str) -> None:
    text, word = MANIFESTS[name]
    site.write("data/document-manifest.json", text)
    refused(site.create("corpus"), "attest/corpus.yaml", word)
    assert not (site.root / ".gate").exists()


def test_configurations_lie_below_the_root(site: Site, tmp_path: Path) -> None:
    (tmp_path / "prompt.yaml").write_bytes(site.read("attest/prompt.yaml"))
    refused(site.run("--type", "prompt", "--config", "../prompt.yaml"), "does not lie below", code=2)
    refused(site.run("--type", "prompt", "--config", "attest/none.yaml"), "attest/none.yaml")


def test_a_folder_with_a_link_or_nothing_in_it(site: Site) -> None:
    (site.root / "app/templates/link").symlink_to("answer.prompt.txt")
    refused(site.create("prompt"), "symbolic link")
    (site.root / "app/templates/link").unlink()
    os.mkfifo(site.root / "app/templates/pipe")
    refused(site.create("prompt"), "pipe")
    shutil.rmtree(site.root / "app/templates")
    (site.root / "app/templates").mkdir()
    refused(site.create("prompt"), "no files")


def test_a_path_is_relative_to_its_configuration_alone(site: Site) -> None:
    """What lies at the same path from the current folder is another file."""
    site.write("eval/app/render.yaml", b"other")
    site.configure("prompt", "render_config: ../app/render.yaml", without="render")
    assert site.create("prompt", "--root", "..", cwd="eval").code == 0
    assert "app/render.yaml" in site.names("prompt")


def test_a_statement_is_never_written_over_something_else(site: Site) -> None:
    site.write(f"{STATEMENTS}/prompt.json", b"notes")
    assert site.create("prompt").code == 5
    assert site.read(f"{STATEMENTS}/prompt.json") == b"notes"


def test_a_statement_that_is_too_large_for_anybody(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.app.attest_create.MAX_STATEMENT", 100)
    refused(site.create("prompt"), "attest/prompt.yaml: the statement has", "100 are the most")


def test_a_file_that_changes_between_two_reads(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.configure("slo", "privacy_mode: plaintext_explicit", "payload_paths: [../slo/query.promql]")
    site.made("prompt", "corpus", "eval", "route")
    monkeypatch.setattr("gate.app.collect_files.read_regular", lambda *_: b"other bytes")
    refused(site.create("slo"), "changed while it was read")


# -- evaluations -------------------------------------------------------------------------------------------------------


def evaluated(site: Site, candidate: dict[str, Any], *config: str, baseline: dict[str, Any] | None = None) -> str:
    """The result of an evaluation with these values."""
    site.made("prompt", "corpus")
    site.write("eval/candidate.json", json.dumps(candidate))
    if baseline is not None:
        site.write("eval/baseline.json", json.dumps(baseline))
    site.configure("eval", *config, without="thresholds|tolerances" + ("" if baseline is not None else "|baseline"))
    site.made("eval")
    result: str = site.statement("eval")["predicate"]["result"]
    return result


HIGHER: Final = {"better": {"a": "higher"}}
LOWER: Final = {"better": {"a": "lower"}}
RESULTS: Final[dict[str, tuple[dict[str, Any], tuple[str, ...], dict[str, Any] | None, str]]] = {
    "at the bound": ({"a": 0.8}, ("thresholds: {a_min: 0.8, a_max: 0.8}",), None, "passed"),
    "below": ({"a": 0.799999999}, ("thresholds: {a_min: 0.8}",), None, "failed"),
    "above": ({"a": 0.800000001}, ("thresholds: {a_max: 0.8}",), None, "failed"),
    "as good as before": ({"a": 0.5}, ("thresholds: {a_min: 0.1}",), {"a": 0.5}, "passed"),
    "worse than before": ({"a": 0.5}, ("thresholds: {a_min: 0.1}",), {"a": 0.500001}, "failed"),
    "within the tolerance": ({"a": 0.5}, ("thresholds: {a_min: 0.1}", "tolerances: {a: 0.1}"), {"a": 0.6}, "passed"),
    "beyond the tolerance": ({"a": 0.5}, ("thresholds: {a_min: 0.1}", "tolerances: {a: 0.1}"), {"a": 0.61}, "failed"),
    "less is better": ({"a": 0.6}, ("thresholds: {a_max: 1}",), {"a": 0.5}, "failed"),
    "less is better, and it is less": ({"a": 0.4}, ("thresholds: {a_max: 1}",), {"a": 0.5}, "passed"),
    "the results say higher": ({"metrics": {"a": 1}, **HIGHER}, ("metrics: [a]",), {"a": 2}, "failed"),
    "the results say lower": ({"metrics": {"a": 1}, **LOWER}, ("metrics: [a]",), {"a": 2}, "passed"),
    "the results say which between two bounds": (
        {"metrics": {"a": 1}, **LOWER},
        ("thresholds: {a_min: 0, a_max: 2}",),
        {"a": 2},
        "passed",
    ),
    "nobody says which": ({"a": 1}, ("metrics: [a]",), {"a": 2}, "passed"),
    "nobody says which, within": ({"a": 1}, ("metrics: [a]", "tolerances: {a: 1}"), {"a": 2}, "passed"),
    "nobody says which, beyond": ({"a": 1}, ("metrics: [a]", "tolerances: {a: 0.5}"), {"a": 2}, "failed"),
    "nobody says which, beyond above": ({"a": 2}, ("metrics: [a]", "tolerances: {a: 0.5}"), {"a": 1}, "failed"),
    "a value that is declared": ({"a": 0.91}, ("metrics: {a: 0.910}",), None, "passed"),
    "all samples": (
        {"metrics": {"a": 1}, "samples": {"evaluated": 9, "expected": 9}},
        ("metrics: [a]",),
        None,
        "passed",
    ),
    "too few samples": (
        {"metrics": {"a": 1}, "samples": {"evaluated": 8, "expected": 9}},
        ("metrics: [a]",),
        None,
        "failed",
    ),
    "fewer samples than expected here": (
        {"metrics": {"a": 1}, "samples": {"evaluated": 9, "expected": 9}},
        ("metrics: [a]", "expected_samples: 10"),
        None,
        "failed",
    ),
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_an_evaluation_says(site: Site, name: str) -> None:
    candidate, config, baseline, expected = RESULTS[name]
    assert evaluated(site, candidate, *config, baseline=baseline) == expected


def test_a_lower_number_of_expected_samples_does_not_hide_missing_ones(site: Site) -> None:
    candidate = {"metrics": {"a": 1}, "samples": {"evaluated": 5, "expected": 9}}
    assert evaluated(site, candidate, "metrics: [a]", "expected_samples: 5") == "failed"
    assert site.statement("eval")["predicate"]["samples"] == {"evaluated": 5, "expected": 9}


@pytest.mark.parametrize(
    ("candidate", "baseline", "config", "words"),
    [
        ('{"a": NaN}', '{"a": 1}', "metrics: [a]", ("eval/candidate.json",)),
        ('{"a": null}', '{"a": 1}', "metrics: [a]", ("eval/candidate.json",)),
        ('{"a": "1"}', '{"a": 1}', "metrics: [a]", ("eval/candidate.json",)),
        ('{"a": 1, "a": 2}', '{"a": 1}', "metrics: [a]", ("eval/candidate.json",)),
        ('{"a": 1e400}', '{"a": 1}', "metrics: [a]", ("eval/candidate.json",)),
        ("", '{"a": 1}', "metrics: [a]", ("eval/candidate.json", "empty")),
        ('{"a": 1}', '{"b": 1}', "metrics: [a]", ("eval/baseline.json holds no metric 'a'",)),
        ('{"a": 1}', '{"a": Infinity}', "metrics: [a]", ("eval/baseline.json",)),
        (
            '{"metrics": {"a": 1}, "better": {"a": "lower"}}',
            '{"a": 1}',
            "thresholds: {a_min: 0}",
            ("eval/candidate.json says that lower is better for a, its threshold says higher",),
        ),
        (
            '{"metrics": {"a": 1}, "better": {"a": "higher"}}',
            '{"a": 1}',
            "thresholds: {a_max: 2}",
            ("eval/candidate.json says that higher is better for a, its threshold says lower",),
        ),
        (
            '{"a": 1}',
            '{"metrics": {"a": 1}, "better": {"a": "lower"}}',
            "thresholds: {a_min: 0}",
            ("eval/baseline.json says that lower is better for a, its threshold says higher",),
        ),
        (
            '{"metrics": {"a": 1}, "better": {"a": "higher"}}',
            '{"metrics": {"a": 1}, "better": {"a": "lower"}}',
            "metrics: [a]",
            ("eval/baseline.json says that lower is better for a, eval/candidate.json says higher",),
        ),
        ('{"a": 1}', '{"a": 1}', "metrics: [a]\nexpected_samples: 3", ("do not say how many samples",)),
    ],
)
def test_results_that_say_nothing_are_refused(
    site: Site, candidate: str, baseline: str, config: str, words: tuple[str, ...]
) -> None:
    site.made("prompt", "corpus")
    site.write("eval/candidate.json", candidate)
    site.write("eval/baseline.json", baseline)
    site.configure("eval", config, without="thresholds|tolerances")
    code = 2 if "samples" in config else 5
    refused(site.create("eval"), *words, code=code)


# -- what a statement builds on ----------------------------------------------------------------------------------------


def test_predecessors_that_are_missing_or_ambiguous(site: Site) -> None:
    refused(site.create("eval"), "eval builds on corpus, and there is no corpus statement", "--depends-on")
    site.made("prompt", "corpus")
    site.configure("prompt", "sensitivity_labels: [other]", without="sens")
    config = site.read("attest/prompt.yaml")
    site.write("attest/second.prompt.yaml", config)
    assert site.run("--type", "prompt", "--config", "attest/second.prompt.yaml").code == 0
    refused(site.create("eval"), "holds 2: prompt.json, second.prompt.json", "--depends-on")
    done = site.create("eval", "--depends-on", f"{STATEMENTS}/second.prompt.json")
    assert done.code == 0, done.text
    digests = {sha256_digest(site.read(f"{STATEMENTS}/{name}.json")) for name in ("second.prompt", "corpus")}
    assert set(site.statement("eval")["predicate"]["depends_on"]) == digests


def test_the_configuration_says_what_is_built_on(site: Site) -> None:
    site.made("prompt")
    site.configure("eval", "depends_on: [prompt]")
    site.made("eval")
    assert site.statement("eval")["predicate"]["depends_on"] == [sha256_digest(site.read(f"{STATEMENTS}/prompt.json"))]


def test_a_bundle_may_be_named(site: Site) -> None:
    site.made("prompt", "corpus")
    with contextlib.chdir(site.root):
        assert inside("keygen", "--out", "../me", "--no-passphrase").code == 0
        assert inside("sign", "--in", STATEMENTS, "--key", "../me.key").code == 0
    named = (f"--depends-on=.gate/attestations/{kind}.sigstore.json" for kind in ("prompt", "corpus"))
    done = site.create("eval", *named, "--out", "elsewhere")
    assert done.code == 0, done.text
    assert site.run("--type", "eval", "--config", "attest/eval.yaml").code == 0
    assert site.read("elsewhere/eval.json") == site.read(f"{STATEMENTS}/eval.json")


def sign(site: Site, key: str, *arguments: str) -> None:
    with contextlib.chdir(site.root):
        if not (site.root.parent / f"{key}.key").exists():
            assert inside("keygen", "--out", f"../{key}", "--no-passphrase").code == 0
        assert inside("sign", "--in", STATEMENTS, "--key", f"../{key}.key", *arguments).code == 0


def test_what_is_signed_already_is_found_where_evidence_lies(site: Site) -> None:
    """A job in CI starts with the bundles of the jobs before it, and with no statement."""
    site.made("prompt", "corpus", "eval", "route", "slo")
    before = site.statements()
    sign(site, "me")
    sign(site, "you")
    site.write(".gate/attestations/notes.txt", "not a bundle")
    shutil.rmtree(site.root / STATEMENTS)
    site.made("slo", "eval")
    assert site.statements() == {name: before[name] for name in ("eval.json", "slo.json")}
    shutil.rmtree(site.root / STATEMENTS)
    shutil.move(site.root / ".gate/attestations", site.root / "evidence")
    refused(site.create("slo"), "there is no route statement in ", "none signed in .gate/attestations")
    config = site.read("gate.yaml").decode()
    site.write("gate.yaml", config.replace(".gate/attestations", "evidence"))
    site.made("slo")
    site.write("gate.yaml", "evidence: 1\n")
    refused(site.create("eval", "--root", str(site.root)), "gate.yaml:1:", code=2)


def test_what_is_signed_is_found_wherever_verification_finds_it(site: Site) -> None:
    site.made("prompt", "corpus", "eval", "route", "slo")
    before = site.read(f"{STATEMENTS}/slo.json")
    sign(site, "me")
    (site.root / STATEMENTS / "route.json").unlink()
    lies = site.root / ".gate/attestations"
    (lies / "deeper").mkdir()
    (lies / "route.sigstore.json").rename(lies / "deeper/route.sigstore.json")
    site.made("slo")
    assert site.read(f"{STATEMENTS}/slo.json") == before
    (lies / "all.jsonl").write_bytes(b"\n" + (lies / "deeper/route.sigstore.json").read_bytes().strip() + b"\n")
    shutil.rmtree(lies / "deeper")
    site.made("slo")
    assert site.read(f"{STATEMENTS}/slo.json") == before


def test_of_two_that_are_signed_neither_is_chosen(site: Site) -> None:
    site.made("prompt", "corpus")
    sign(site, "me")
    site.configure("prompt", "sensitivity_labels: [other]", without="sens")
    site.made("prompt")
    sign(site, "me", "--out", ".gate/more")
    shutil.copy(site.root / ".gate/more/prompt.sigstore.json", site.root / ".gate/attestations/second.json")
    (site.root / STATEMENTS / "prompt.json").unlink()
    refused(
        site.create("eval"),
        ".gate/attestations holds 2: .gate/attestations/prompt.sigstore.json, .gate/attestations/second.json",
        "--depends-on",
    )


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("none.json", None, ("none.json",)),
        ("x.json", b"x", ("x.json", "neither a statement nor")),
        ("x.json", b'{"_type": "https://in-toto.io/Statement/v1"}', ("x.json",)),
    ],
)
def test_what_is_named_and_no_statement(site: Site, name: str, data: bytes | None, words: tuple[str, ...]) -> None:
    site.made("prompt", "corpus")
    if data is not None:
        site.write(name, data)
    refused(site.create("eval", "--depends-on", name), *words)


def test_what_it_does_not_build_on(site: Site) -> None:
    site.made()
    refused(site.create("slo", "--depends-on", f"{STATEMENTS}/prompt.json"), "slo does not build on prompt")
    refused(site.create("corpus", "--depends-on", f"{STATEMENTS}/prompt.json"), "corpus does not build on prompt")


def test_bad_statements_beside_are_not_passed_over(site: Site) -> None:
    site.made("prompt", "corpus")
    site.write(f"{STATEMENTS}/notes.json", b"[]")
    assert site.create("eval").code == 0
    site.write(f"{STATEMENTS}/bad.json", site.read(f"{STATEMENTS}/prompt.json").replace(b'"roles"', b'"rolls"'))
    refused(site.create("eval"), "bad.json")


# -- only what changed -------------------------------------------------------------------------------------------------


@dataclass
class Tracked(Site):
    """The application in a repository, on a branch of its own, with all statements made."""

    repository: Repository

    def changed(self, *arguments: str, base: str = "main") -> Done:
        return self.run("--changed-only", "--base", base, *arguments)

    def outcome(self, *arguments: str) -> dict[str, str]:
        """What became of each configuration."""
        done = self.changed(*arguments)
        assert done.code == 0, done.text
        found = re.findall(r"^(made|same|stale) +attest/(?:(?:\w+)\.)?(\w+)\.yaml", done.out, re.MULTILINE)
        return {kind: word for word, kind in found}


@pytest.fixture
def tracked(tmp_path: Path) -> Tracked:
    root = tmp_path / "application"
    repository = Repository.create(root)
    lay(root)
    site = Tracked(root, repository)
    site.write(".gitignore", "ignored/\n")
    repository.commit()
    repository.git("checkout", "-q", "-b", "change")
    site.made()
    return site


SAME: Final = dict.fromkeys(TYPES, "same")


def test_nothing_changed(tracked: Tracked) -> None:
    before = tracked.statements()
    assert tracked.outcome() == SAME
    assert tracked.statements() == before


@pytest.mark.parametrize("committed", [True, False])
@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("write", "app/render.yaml"), {"prompt": "made", "eval": "stale", "route": "stale", "slo": "stale"}),
        (("write", "app/templates/new.txt"), {"prompt": "made", "eval": "stale", "route": "stale", "slo": "stale"}),
        (
            ("remove", "app/templates/refuse.prompt.txt"),
            {"prompt": "made", "eval": "stale", "route": "stale", "slo": "stale"},
        ),
        (("write", "app/unnamed.txt"), {"prompt": "made", "eval": "stale", "route": "stale", "slo": "stale"}),
        (("write", "slo/query.promql"), {"slo": "made"}),
        (("write", "route/canary.yaml"), {"route": "made", "slo": "stale"}),
        (("write", "elsewhere.txt"), {}),
        (("write", "attest/README.md"), {}),
        (
            ("move", "app/templates/refuse.prompt.txt"),
            {"prompt": "made", "eval": "stale", "route": "stale", "slo": "stale"},
        ),
        (("mode", "app/render.yaml"), None),
    ],
)
def test_what_a_change_affects(
    tracked: Tracked, change: tuple[str, str], expected: dict[str, str] | None, committed: bool
) -> None:
    word, path = change
    target = tracked.root / path
    if word == "write":
        tracked.write(path, b"changed: true\n")
    elif word == "remove":
        target.unlink()
    elif word == "mode":
        target.chmod(0o755)
    else:
        target.rename(target.with_name("renamed.txt"))
    if committed:
        tracked.repository.commit()
    found = tracked.outcome()
    if expected is not None:
        assert found == SAME | expected
    else:
        assert set(found) == set(TYPES)


def test_a_configuration_that_changed(tracked: Tracked) -> None:
    tracked.configure("slo", "# a comment")
    assert tracked.outcome() == SAME | {"slo": "made"}
    tracked.repository.commit()
    assert tracked.outcome() == SAME | {"slo": "made"}


def test_a_file_that_git_is_told_to_ignore_counts_all_the_same(tracked: Tracked) -> None:
    tracked.write("ignored/query.promql", b"x")
    tracked.configure("slo", "observability_query: ../ignored/query.promql", without="obs")
    tracked.repository.commit()
    tracked.repository.git("branch", "-f", "main", "HEAD")
    assert tracked.outcome() == SAME | {"slo": "made"}


def test_a_deleted_file_that_is_named_is_an_error_before_anything_is_written(tracked: Tracked) -> None:
    before = tracked.statements()
    tracked.write("app/render.yaml", b"x")
    (tracked.root / "slo/query.promql").unlink()
    refused(tracked.changed(), "attest/slo.yaml:", "query.promql")
    assert tracked.statements() == before


def test_what_was_a_link_on_the_head(tracked: Tracked) -> None:
    data = tracked.read("app/render.yaml")
    (tracked.root / "app/render.yaml").unlink()
    (tracked.root / "app/render.yaml").symlink_to("../attest/slo.yaml")
    tracked.repository.commit()
    tracked.repository.git("branch", "-f", "main", "HEAD")
    (tracked.root / "app/render.yaml").unlink()
    tracked.write("app/render.yaml", data)
    assert tracked.outcome()["prompt"] == "made"


def test_options_of_the_statements(tracked: Tracked) -> None:
    tracked.write("app/render.yaml", b"x")
    tracked.write("eval/environment.txt", b"x")
    done = tracked.changed("--out", "out", "--created-at", "2026-11-20T12:00:00Z")
    assert (done.code, "there is no corpus statement" in done.err) == (5, True), done.text
    shutil.copytree(tracked.root / STATEMENTS, tracked.root / "out", dirs_exist_ok=True)
    done = tracked.changed("--out", "out", "--created-at", "2026-11-20T12:00:00Z", "--determinism-check", "2")
    assert done.code == 0, done.text
    made = json.loads(tracked.read("out/prompt.json"))
    assert made["predicate"]["created_at"] == "2026-11-20T12:00:00Z"
    assert (
        sha256_digest(tracked.read("out/prompt.json"))
        in json.loads(tracked.read("out/eval.json"))["predicate"]["depends_on"]
    )


def test_configurations_in_another_folder(tracked: Tracked) -> None:
    shutil.copytree(tracked.root / "attest", tracked.root / "more")
    for kind in TYPES:
        (tracked.root / f"more/{kind}.yaml").rename(tracked.root / f"more/bot.{kind}.yaml")
    found = tracked.changed("--configs", "more", "--out", "out")
    assert found.code == 0, found.text
    assert {path.name for path in (tracked.root / "out").iterdir()} == {f"bot.{kind}.json" for kind in TYPES}
    refused(tracked.changed("--configs", "none"), "no configuration TYPE.yaml in none", code=2)


def test_git_that_cannot_tell_is_an_error(tracked: Tracked, tmp_path: Path) -> None:
    before = tracked.statements()
    refused(tracked.changed(base="none"), "'none'", code=3)
    refused(tracked.changed(base="--output=FILE"), "hyphen", code=2)
    tracked.repository.git("checkout", "-q", "--orphan", "alone")
    tracked.repository.commit("alone")
    assert tracked.changed().code == 3  # no common ancestor
    tracked.repository.git("checkout", "-q", "change")
    shallow = tmp_path / "shallow"
    tracked.repository.commit()
    tracked.repository.git("clone", "-q", "--depth", "1", f"file://{tracked.root}", str(shallow), "--branch", "change")
    tracked.repository.git("fetch", "-q", "--depth", "1", "origin", "main:main", cwd=shallow)
    assert Site(shallow).run("--changed-only", "--base", "main").code == 3
    assert tracked.statements() == before
    assert not list(tracked.root.glob("FILE*"))


def test_it_needs_the_top_of_a_repository(tracked: Tracked) -> None:
    done = tracked.run("--changed-only", "--base", "main", "--root", "app")
    refused(done, "needs a git repository, and its top", code=2)


def test_it_needs_a_repository(tmp_path: Path) -> None:
    refused(lay(tmp_path / "plain").run("--changed-only", "--base", "main"), "needs a git repository", code=2)


def test_a_branch_without_a_commit(tracked: Tracked) -> None:
    tracked.repository.git("checkout", "-q", "--orphan", "unborn")
    refused(tracked.changed(), "no commit yet", code=2)


def test_a_repository_without_a_commit(tmp_path: Path) -> None:
    Repository.create(tmp_path / "new")
    site = lay(tmp_path / "new")
    assert site.run("--changed-only", "--base", "main").code in {2, 3}
