"""A repository with a model, a change to it and evidence, and the program run as a person runs it.

Nothing of the caller's environment gets in: neither its git settings, nor its locale, nor its variables.
"""

from __future__ import annotations

import contextlib
import functools
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from gate.cli.main import _run
from tools.scenario_draft import MODEL, NOW, SETTINGS, SIGNERS, WEIGHTS, Draft, config
from tools.scenario_evidence import Key, bundle, envelope, key, model_signature, provenance, safetensors, subjects

GIT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    **{f"GIT_{who}_{what}": "t@example.com" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    **{f"GIT_{who}_DATE": "1795000000 +0000" for who in ("AUTHOR", "COMMITTER")},
}
# Coverage of subprocesses is measured through these, and nothing else is passed on.
MEASURING = {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "LC_ALL": "C.UTF-8", **MEASURING}


@dataclass(frozen=True)
class Done:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def decision(self) -> dict[str, Any]:
        """The decision on standard output, which has to agree with the exit code."""
        value: dict[str, Any] = json.loads(self.out)
        assert value["exit_code"] == self.code or value["dry_run"], self.text
        assert (value["verdict"] == "allow") == (value["exit_code"] == 0)
        return value

    @property
    def failing(self) -> set[str]:
        controls = self.decision["controls"].items()
        return {name for name, control in controls if control["status"] in {"fail", "error"}}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "gate", *arguments]


def gate(*arguments: str, cwd: Path, environment: Mapping[str, str] | None = None, timeout: int = 60) -> Done:
    """Runs the program; whatever it does, it shows no traceback, and an error says something."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        env={**ENVIRONMENT, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout,
        check=False,
    )
    text = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in text.text, text.text
    assert text.code == 0 or text.text.strip(), "a refusal says something"
    return text


def inside(*arguments: str, cwd: Path | None = None) -> Done:
    """Runs a command in this process, as the program would."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), contextlib.chdir(cwd or "."):
        code = _run(arguments)
    texts = [stream.buffer.getvalue().decode() for stream in (out, err)]
    assert "Traceback" not in "".join(texts)
    assert code == 0 or "".join(texts).strip()
    return Done(code, *texts)


def within(*arguments: str, cwd: Path) -> Done:
    """Like `gate`, but in this process, which is quicker: with the same environment, and with nobody to ask."""
    nobody = mock.patch("sys.stdin", io.StringIO())
    with nobody, mock.patch.dict(os.environ, ENVIRONMENT, clear=True):
        return inside(*arguments, cwd=cwd)


@dataclass
class Repository:
    """A git repository in a temporary folder."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Repository:
        root.mkdir(parents=True)
        repository = cls(root)
        repository.git("init", "-q", "-b", "main")
        return repository

    def git(self, *arguments: str, cwd: Path | None = None) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd or self.root, env=GIT, capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.decode("utf-8", "surrogateescape").strip()

    def write(self, path: str, data: bytes) -> None:
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)

    def write_all(self, files: Mapping[str, bytes], below: str = "") -> None:
        for path, data in files.items():
            self.write(f"{below}{path}", data)

    def copy(self, folder: Path, below: str = "") -> None:
        """The files of a folder, with plain modes."""
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                self.write(f"{below}/{path.relative_to(folder)}".lstrip("/"), path.read_bytes())

    def commit(self, message: str = "x") -> str:
        self.git("add", "-A", "--", ".", ":!.gate")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")


class World(Repository):
    """The main job: a model that a change retrains, with a signature and provenance."""

    @classmethod
    def make(
        cls,
        root: Path,
        text: bytes | None = None,
        *,
        keys: Sequence[str] = tuple(SIGNERS),
        base: Mapping[str, bytes] | None = None,
        change: Mapping[str, bytes] | None = None,
        evidence: bool = True,
    ) -> World:
        """A repository with the change checked out, and good evidence for it unless told otherwise."""
        draft = Draft()
        draft.configure(text if text is not None else config(), keys=keys)
        draft.model()
        draft.base |= base or {}
        draft.change |= change or {}
        root.mkdir(parents=True)
        world = cls(root)
        world.git("init", "-q", "-b", "main")
        world.write_all(draft.base)
        world.commit("base")
        world.git("checkout", "-q", "-b", "change")
        world.write_all(draft.change)
        world.commit("change")
        if evidence:
            world.attest()
        return world

    def model_files(self, top: str = MODEL) -> dict[str, bytes]:
        folder = self.root / top
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.is_symlink()
        }

    def signature(self) -> bytes:
        return model_signature("summarizer", self.model_files())

    def provenance(self, **more: Any) -> bytes:
        return provenance(subjects(self.model_files()), **more)

    def put(self, name: str, data: bytes) -> None:
        """One piece of evidence."""
        self.write(f".gate/attestations/{name}", data)

    def attest(self, signer: Key | None = None, builder: Key | None = None) -> None:
        """Good evidence for the model as it lies there."""
        self.put("signature.sigstore.json", bundle(self.signature(), signer or key("release")))
        self.put("provenance.dsse.json", envelope(self.provenance(), builder or key("builder")))

    def on_main(self, files: Mapping[str, bytes]) -> None:
        """Commits files on `main` and merges them into the change."""
        self.git("checkout", "-q", "main")
        self.write_all(files)
        self.commit("on main")
        self.git("checkout", "-q", "change")
        self.git("merge", "-q", "-m", "merge", "main")

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
        """A process of its own only where it is told what surrounds it."""
        if cwd is None and not environment:
            return within(*arguments, cwd=self.root)
        return gate(*arguments, cwd=cwd or self.root, environment=environment)

    def judge(self, *arguments: str, base: str = "main") -> Done:
        """`gate check` as JSON in this process, which is quick."""
        fixed = ["check", "--base", base, "--format", "json", "--now", NOW]
        return inside(*fixed, *arguments, "--root", str(self.root))

    def check(self, *arguments: str, base: str = "main", cwd: Path | None = None, **environment: str) -> Done:
        """`gate check` as JSON, against a base and at the time of the fixtures."""
        fixed = ["check", "--base", base, "--format", "json", "--now", NOW]
        return self.run(*fixed, *arguments, cwd=cwd, **environment)


@functools.cache
def _template(place: Path) -> World:
    return World.make(place / "template")


def good_world(place: Path, shared: Path) -> World:
    """A copy of the good world: made once, since git takes its time. `shared` is a folder for all of one run."""
    world = World(place)
    shutil.copytree(_template(shared).root, place, symlinks=True)
    return world


__all__ = [
    "ENVIRONMENT",
    "MODEL",
    "NOW",
    "SETTINGS",
    "WEIGHTS",
    "Done",
    "Repository",
    "World",
    "command",
    "gate",
    "safetensors",
]
