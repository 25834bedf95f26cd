"""The main job on real input: a change to a model, refused with reasons and then, with the right evidence, allowed.

Everything is real: the repository and its history, the keys, the signatures, the scanner's report format, the pickle.
Nothing of it is ever loaded. Each `gate` command is shown as a person would type it.
"""

from __future__ import annotations

import argparse
import json
import os
import struct
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
MODEL = "models/summarizer"
# A pickle in protocol 0 that calls os.system when it is loaded. The gate reads it; nothing here loads it.
RUNS_CODE = b"cos\nsystem\n(S'echo this would have run'\ntR."


class Failed(SystemExit):
    """The demonstration did not go as it should: that is a bug in the gate or in this file."""


class Release:
    """A repository with a model, and how to work on it."""

    def __init__(self, root: Path, *, quiet: bool = False) -> None:
        self.root = root
        self.quiet = quiet
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(root),
            "LC_ALL": "C.UTF-8",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_NOSYSTEM": "1",
            **{f"GIT_{who}_{what}": "demo" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def say(self, text: str = "") -> None:
        if not self.quiet:
            print(text, flush=True)

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, env=self.env, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def gate(self, *arguments: str, expect: int = 0, show: bool = True) -> str:
        """Runs `gate`, shows command and answer, and insists on the exit code."""
        if show:
            self.say(f"$ gate {' '.join(arguments)}")
        command = [sys.executable, "-m", "gate", *arguments]
        done = subprocess.run(command, cwd=self.root, env=self.env, capture_output=True, text=True, check=False)
        if show:
            self.say((done.stdout + done.stderr).rstrip() + "\n")
        if done.returncode != expect:
            raise Failed(f"gate {arguments[0]} gave exit {done.returncode}, expected {expect}:\n{done.stderr}")
        return done.stdout


def safetensors(version: str) -> bytes:
    """A small safetensors file, different for each version."""
    tensor = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}
    header = json.dumps({"__metadata__": {"version": version}, "weight": tensor}).encode()
    header += b" " * (-len(header) % 8)
    return struct.pack("<Q", len(header)) + header + bytes(8)


def provenance(builder: str) -> bytes:
    """What the training job says about this build (SLSA provenance v1)."""
    began = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
    predicate = {
        "buildDefinition": {
            "buildType": "https://example.com/training/v1",
            "externalParameters": {"recipe": "summarizer-2"},
            "resolvedDependencies": [
                {"uri": "git+https://example.com/acme/summarizer", "digest": {"gitCommit": "c0ffee" + "0" * 34}}
            ],
        },
        "runDetails": {
            "builder": {"id": builder},
            "metadata": {
                "invocationId": "run-17",
                "startedOn": began.isoformat().replace("+00:00", "Z"),
                "finishedOn": (began + timedelta(hours=1)).isoformat().replace("+00:00", "Z"),
            },
        },
    }
    return json.dumps(predicate, indent=2).encode()


def modelscan(files: list[str]) -> bytes:
    """The report of a scanner that found nothing."""
    report: Mapping[str, object] = {
        "summary": {
            "total_issues_by_severity": {"LOW": 0, "MEDIUM": 0, "HIGH": 0, "CRITICAL": 0},
            "total_issues": 0,
            "input_path": MODEL,
            "modelscan_version": "0.8.8",
            "timestamp": datetime.now(UTC).isoformat(),
            "scanned": {"total_scanned": len(files), "scanned_files": files},
        },
        "issues": [],
        "errors": [],
    }
    return json.dumps(report).encode()


def prepare(release: Release) -> None:
    """`main` holds the released model, the configuration and the public keys."""
    release.git("init", "--quiet", "--initial-branch", "main")
    release.write("gate.yaml", (HERE / "release" / "gate.yaml").read_bytes())
    release.write(".gitignore", b".gate/\n*.key\n")
    release.write(f"{MODEL}/model.safetensors", safetensors("1"))
    release.write(f"{MODEL}/config.json", b'{"model_type": "llama"}\n')
    for signer in ("release", "builder", "stranger"):
        release.gate("keygen", "--no-passphrase", "--out", f"keys/{signer}", show=False)
    release.commit("summarizer 1")
    release.git("checkout", "--quiet", "-b", "summarizer-2")


def attest(release: Release, key: str, *, show: bool) -> None:
    """Provenance of the files that are there now, signed by a key."""
    release.write(".gate/provenance.json", provenance("https://example.com/builder"))
    arguments = ["attest", "create", "--claim", "build.provenance", "--predicate", ".gate/provenance.json"]
    release.gate(
        *arguments,
        "--subject",
        MODEL,
        "--key",
        f"keys/{key}.key",
        "--out",
        ".gate/attestations/provenance.json",
        show=show,
    )


def sign(release: Release, *, show: bool) -> None:
    """The signature of the model's files."""
    release.gate("sign", MODEL, "--key", "keys/release.key", show=show)


def first_attempt(release: Release) -> str:
    release.say("1. New weights arrive on a branch, with an optimizer state beside them. Their provenance is signed by")
    release.say(
        "   a key that nobody trusts, nobody signed the model, and the optimizer state is a pickle that runs code.\n"
    )
    release.write(f"{MODEL}/model.safetensors", safetensors("2"))
    release.write(f"{MODEL}/optimizer.bin", RUNS_CODE)
    release.commit("summarizer 2")
    release.write(".gate/modelscan.json", modelscan(["model.safetensors", "config.json", "optimizer.bin"]))
    attest(release, "stranger", show=False)
    return release.gate("check", "--base", "main", expect=11)


def second_attempt(release: Release) -> str:
    release.say("2. The pickle is gone, the release key signs the model and the builder its provenance. Then somebody")
    release.say("   swaps the weights.\n")
    (release.root / MODEL / "optimizer.bin").unlink()
    release.commit("without the optimizer state")
    release.write(".gate/modelscan.json", modelscan(["model.safetensors", "config.json"]))
    sign(release, show=True)
    attest(release, "builder", show=False)
    release.write(f"{MODEL}/model.safetensors", safetensors("2, but not the one that was signed"))
    release.commit("a small fix")
    return release.gate("check", "--base", "main", expect=12)


def third_attempt(release: Release) -> str:
    release.say("3. The signed weights come back. Now every claim is proved by somebody who may make it.\n")
    release.git("revert", "--no-edit", "HEAD")
    return release.gate("check", "--base", "main", expect=0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="build the repository here and keep it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gate-demo-") as folder:
        root = options.keep or Path(folder)
        root.mkdir(parents=True, exist_ok=True)
        release = Release(root.resolve())
        prepare(release)
        first_attempt(release)
        second_attempt(release)
        third_attempt(release)
    release.say("Next, in your own repository:")
    release.say(f"  {Path(sys.executable).parent / 'gate'} init      looks around and proposes a gate.yaml")
    release.say("  gate check     says what is missing, in the order worth fixing")


if __name__ == "__main__":
    main()
