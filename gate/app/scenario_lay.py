"""A scenario as the repository that a gate is shown: two commits by nobody, and the evidence beside them.

Equal scenarios give equal commits. git is told what to make over its import format, so that no name in a scenario is
ever an argument of it. Whoever wrote the scenario may be an attacker: nothing is written outside of the new folder.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from gate.errors import EvidenceError
from gate.model.path import is_plain_relative
from gate.model.scenario import Scenario

PLACES: Final[Mapping[str, str]] = {"evidence/": ".gate/attestations/", "reports/": ".gate/reports/"}
"""Where the files below these folders of a scenario are put."""
_BY: Final = b"T <t@example.com> 1795000000 +0000"
_ENVIRONMENT: Final = {
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
}


def lay(scenario: Scenario, files: Mapping[str, bytes], root: Path) -> None:
    """Makes the repository in a new folder; `files` are those of the scenario's folder, by path below it.

    The branch `change` is checked out. Raises `EvidenceError` when git fails, or for a path that leads out of it.
    """
    for path in (*files, *scenario.links, *scenario.deleted):
        inside = path.removeprefix("base/").removeprefix("change/").lower().split("/")
        # Evidence is written below .gate by this program, which must not be led out by a link that git made there.
        if not is_plain_relative(path) or ".git" in inside or inside[0] == ".gate":
            raise EvidenceError(
                f"{scenario.name}: {path!r} is no path that a scenario may have",
                hint="evidence belongs into evidence/, reports into reports/",
            )
    root.mkdir(parents=True)
    _git(root, "init", "--quiet", "--template=", "--initial-branch", "change")
    # One pack instead of a folder for each object: a set of scenarios is made and removed quickly.
    _git(root, "-c", "fastimport.unpackLimit=1", "fast-import", "--quiet", given=b"".join(_import(scenario, files)))
    _git(root, "checkout", "--quiet", "--force", "change")
    for top, place in PLACES.items():
        for path, data in _below(files, top).items():
            target = root / place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)


def _import(scenario: Scenario, files: Mapping[str, bytes]) -> Iterator[bytes]:
    yield b"commit refs/heads/main\ncommitter %s\ndata 4\nbase\n" % _BY
    yield from _files(_below(files, "base/"), scenario.base_executable)
    yield b"commit refs/heads/change\ncommitter %s\ndata 6\nchange\nfrom refs/heads/main\n" % _BY
    for path in scenario.deleted:
        yield b"D %s\n" % _quoted(path)
    changed = _below(files, "change/")
    # A file of the base that only becomes executable is no file of the change.
    touched = {path: data for path, data in _below(files, "base/").items() if path in scenario.executable}
    yield from _files(touched | changed, scenario.executable)
    for path, target in scenario.links.items():
        yield b"M 120000 inline %s\n%s" % (_quoted(path), _data(target.encode()))


def _files(files: Mapping[str, bytes], executable: tuple[str, ...]) -> Iterator[bytes]:
    for path, data in files.items():
        yield b"M %s inline %s\n%s" % (b"100755" if path in executable else b"100644", _quoted(path), _data(data))


def _data(data: bytes) -> bytes:
    return b"data %d\n%s\n" % (len(data), data)


def _quoted(path: str) -> bytes:
    """A path as git's import format writes one, in C's escapes."""
    return b'"' + path.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n") + b'"'


def _below(files: Mapping[str, bytes], top: str) -> dict[str, bytes]:
    return {path.removeprefix(top): data for path, data in files.items() if path.startswith(top)}


def _git(root: Path, *arguments: str, given: bytes = b"") -> None:
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            env={**_ENVIRONMENT, "PATH": os.environ.get("PATH", os.defpath)},
            input=given,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        raise EvidenceError(f"git cannot be run: {error.strerror}", hint="install git") from None
    if done.returncode != 0:
        raise EvidenceError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip()}")
