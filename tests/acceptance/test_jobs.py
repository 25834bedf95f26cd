"""`--jobs`: many attestations verified by several processes, with the same answer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.acceptance.world import gate
from tests.support.evidence import digest_of, envelope, make_key, statement

COUNT = 600
CONFIG = """\
version: 1
target: deployment
evidence:
  - directory: attestations
trust:
  signers:
    release: {key: release.pub, claims: [prompt]}
gates:
  - {id: G001, trigger_paths: ["app/**"], required_attestations: [prompt]}
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with more attestations than one process is started for; every hundredth is a stranger's."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "gate.yaml").write_text(CONFIG)
    (folder / "release.pub").write_bytes(make_key().pem)
    (folder / "attestations").mkdir()
    for number in range(COUNT):
        data = statement("prompt", {f"{number}.txt": digest_of(str(number))})
        signed = envelope(data, make_key("release" if number % 100 else "stranger"))
        (folder / "attestations" / f"{number}.json").write_bytes(signed)
    return folder


def test_the_answer_does_not_depend_on_the_number_of_processes(many: Path) -> None:
    found = []
    for option in (["--jobs", "1"], ["--jobs", "2"], []):
        done = gate("verify", "--now", "2026-11-20T12:00:00Z", "--format", "json", *option, cwd=many)
        assert (done.code, done.err) == (11, "")
        found.append(done.out)
    assert len(set(found)) == 1
    report = json.loads(found[0])
    assert (len(report["attestations"]), len(report["rejected"])) == (COUNT - 6, 6)


@pytest.mark.parametrize("number", ["0", "257", "two"])
def test_a_number_of_processes_is_one(many: Path, number: str) -> None:
    done = gate("check", "--jobs", number, cwd=many)
    assert (done.code, "--jobs" in done.err) == (2, True)
