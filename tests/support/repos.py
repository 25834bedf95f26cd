"""Real git repositories in temporary folders, good ones and hostile ones. Nothing of the caller's git gets in."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ALLOW_PROTOCOL": "file",
    "GIT_AUTHOR_NAME": "A U Thor",
    "GIT_AUTHOR_EMAIL": "author@example.com",
    "GIT_COMMITTER_NAME": "A U Thor",
    "GIT_COMMITTER_EMAIL": "author@example.com",
}
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize %d\n"


def sha(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def pointer(data: bytes) -> bytes:
    """The Git LFS pointer for some content."""
    return POINTER % (hashlib.sha256(data).hexdigest().encode(), len(data))


@dataclass
class Repo:
    """One repository. Commits have rising dates, so that equal content at another time is another commit."""

    path: Path
    environment: Mapping[str, str] = field(default_factory=lambda: ENVIRONMENT)
    clock: int = 1_700_000_000

    @classmethod
    def init(cls, path: Path, *options: str) -> Repo:
        path.mkdir(parents=True, exist_ok=True)
        repo = cls(path)
        repo.git("init", "-q", "-b", "main", *options)
        return repo

    @classmethod
    def change(cls, path: Path, *options: str) -> Repo:
        """A repository with a commit on `main` and, checked out, another on `change`."""
        repo = cls.init(path, *options)
        repo.commit({"app/system.txt": b"one\n", "app/other.txt": b"other\n", "README.md": b"hello\n"})
        repo.git("checkout", "-q", "-b", "change")
        repo.commit({"app/system.txt": b"two\n"})
        return repo

    def git(self, *arguments: str, data: bytes | None = None, check: bool = True, **more: str) -> str:
        return self.raw(*arguments, data=data, check=check, **more).decode("utf-8", "surrogateescape").strip()

    def raw(self, *arguments: str, data: bytes | None = None, check: bool = True, **more: str) -> bytes:
        date = {"GIT_AUTHOR_DATE": f"{self.clock} +0000", "GIT_COMMITTER_DATE": f"{self.clock} +0000"}
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env={**self.environment, **date, **more},
            input=data,
            capture_output=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"git {arguments} failed: {done.stderr.decode(errors='replace')}")
        return done.stdout

    def at(self, name: str | bytes) -> Path:
        return self.path / os.fsdecode(name)

    def write(self, name: str | bytes, data: bytes) -> Path:
        path = self.at(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def commit(self, files: Mapping[str, bytes] | Mapping[bytes, bytes] | None = None, message: str = "x") -> str:
        for name, data in (files or {}).items():
            self.write(name, data)
        self.clock += 60
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.head

    def config(self, **values: str) -> None:
        for name, value in values.items():
            self.git("config", name.replace("__", "."), value)

    @property
    def head(self) -> str:
        return self.git("rev-parse", "HEAD")

    def blob(self, data: bytes) -> str:
        return self.git("hash-object", "-w", "--stdin", data=data)

    def tree(self, *entries: tuple[str, str, bytes]) -> str:
        """A tree object of exactly these entries (mode, id, name), sane or not, in this order."""
        raw = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(object_id) for mode, object_id, name in entries
        )
        return self.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", data=raw)

    def commit_tree(self, tree: str, *parents: str) -> str:
        self.clock += 60
        options = [option for parent in parents for option in ("-p", parent)]
        return self.git("commit-tree", tree, *options, "-m", "x")

    def remove_object(self, object_id: str) -> None:
        """Lose one loose object, as a partial clone does."""
        path = self.path / ".git" / "objects" / object_id[:2] / object_id[2:]
        path.chmod(0o644)
        path.unlink()

    def age(self, seconds: int = 100) -> None:
        """Make all files older than the index, so that their status information alone can prove them unchanged.

        The time of the last status change can't be set, so the index is dated into the future instead.
        """
        self.git("update-index", "-q", "--refresh")
        index = self.path / ".git" / "index"
        later = index.stat().st_mtime_ns + seconds * 10**9
        os.utime(index, ns=(later, later))
