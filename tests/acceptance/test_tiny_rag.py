"""`examples/tiny-rag`: its demonstration shows what it says, and a change makes out of date what builds on it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gate import resources
from tests.acceptance.world import ENVIRONMENT, Repository, inside

ROOT = Path(__file__).resolve().parents[2]
ESSENTIAL = """\
$ gate keygen --no-passphrase --out keys/release
$ gate attest create --type prompt --config attest/prompt.yaml
made      attest/prompt.yaml: prompt, 7 files
$ gate attest create --type corpus --config attest/corpus.yaml
made      attest/corpus.yaml: corpus, 8 files
$ gate attest create --type eval --config attest/eval.yaml
made      attest/eval.yaml: eval, 5 files
$ gate attest create --type route --config attest/route.yaml
made      attest/route.yaml: route, 5 files
$ gate attest create --type slo --config attest/slo.yaml
made      attest/slo.yaml: slo, 1 file
$ gate sign --in .gate/statements --key keys/release.key
signed    .gate/statements: 5 statements (1 corpus, 1 eval, 1 prompt, 1 route, 1 slo)
$ gate chain show
5 statements: 5 verified, 0 rejected, 0 missing
$ gate verify
5 verified, 0 rejected.   exit 0 (all evidence holds)
$ gate check
ALLOW  everything below the root
$ gate check --base main
DENY  change against
subject.mismatch: .gate/attestations/prompt.sigstore.json
found: 'app/system_prompt.txt' is sha256:
chain.dangling: .gate/attestations/eval.sigstore.json
exit 12 (digest differs: the evidence is about other bytes; also 14, 10, 13)
$ gate attest create --changed-only --base main
made      attest/prompt.yaml: prompt, 7 files
made      attest/eval.yaml: eval, 5 files
same      attest/corpus.yaml: nothing that it names differs from main
stale     attest/route.yaml: builds on eval
$ gate attest create --type route --config attest/route.yaml
$ gate attest create --type slo --config attest/slo.yaml
$ gate sign --in .gate/statements --key keys/release.key
$ gate check --base main
ALLOW  change against
exit 0 (allow)
"""


@pytest.mark.no_cover
def test_the_demonstration_shows_the_whole_way() -> None:
    before = set((ROOT / "examples/tiny-rag").rglob("*"))
    environment = {**ENVIRONMENT, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = ["make", "-C", "examples/tiny-rag", "demo"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    shown, place = re.sub(r"\s+", " ", done.stdout), 0
    for line in ESSENTIAL.splitlines():
        found = shown.find(re.sub(r"\s+", " ", line), place)
        assert found >= 0, f"{line!r} is not there, or not in its place:\n{done.stdout}"
        place = found
    assert set((ROOT / "examples/tiny-rag").rglob("*")) == before


def test_what_builds_on_something_new_is_named_and_not_made_anew(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "application")
    repository.write_all(resources.example_files())
    repository.write(".gitignore", b".gate/\n")
    repository.git("add", "--all")
    repository.git("commit", "-q", "-m", "the application")
    place = ("--root", str(repository.root))
    for word in ("prompt", "corpus", "eval", "route", "slo"):
        config = str(repository.root / f"attest/{word}.yaml")
        assert inside("attest", "create", "--type", word, "--config", config, *place).code == 0
    evaluation = (repository.root / ".gate/statements/eval.json").read_bytes()
    done = inside("attest", "create", "--changed-only", "--base", "main", *place)
    assert done.out.count("same ") == 5
    repository.write("app/system_prompt.txt", b"Say nothing.\n")
    done = inside("attest", "create", "--changed-only", "--base", "main", *place)
    assert done.code == 0
    for text in (
        "made      attest/prompt.yaml",
        "same      attest/corpus.yaml",
        "stale     attest/eval.yaml: builds on prompt; if it holds for what is new:\n",
        "\n          gate attest create --type eval --config attest/eval.yaml\n",
        "stale     attest/route.yaml: builds on eval;",
        "stale     attest/slo.yaml: builds on route;",
    ):
        assert text in done.out, done.out
    assert (repository.root / ".gate/statements/eval.json").read_bytes() == evaluation
