"""Builds a pinned developer tool once and prints where the program is.

    python3 tools/build.py opa

A tool is a folder beside this file with a `go.mod` that names it in a `tool` line, or with its source. Where `tool`
names several programs, they are built together and what is printed is the folder that holds them. A file `ldflags`
in the folder holds more flags for the linker, such as the version that a program tells.

All is kept outside the clone, below `$XDG_CACHE_HOME/gate-tools` (or `~/.cache/gate-tools`), in a folder named by the
hash of go.mod, go.sum, the source, the Go version and the build flags: a changed pin builds anew, and everything else
costs nothing.

Standard library only, because it runs before any environment exists.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
FLAGS = ("-mod=readonly", "-trimpath", "-ldflags", "-s -w")
LINKER_FLAGS = "ldflags"
_TOOL_LINE = re.compile(r"^tool (?P<package>[^\s(]+)$", re.MULTILINE)
_TOOL_BLOCK = re.compile(r"^tool \((?P<packages>[^)]*)\)$", re.MULTILINE)


class BuildError(Exception):
    """The tool could not be built; the text says why and what to do."""


def names() -> list[str]:
    """The tools that can be built, sorted."""
    return sorted(path.parent.name for path in TOOLS.glob("*/go.mod"))


def program(name: str) -> Path:
    """The built program, or the folder of several, which are built first if the cache has none for these pins."""
    folder = TOOLS / name
    target = _cache() / _key(folder) / name
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent):
            if not target.exists():
                _build(folder, target)
    return target


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Waits until no other process builds into `folder`."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME")
    return (Path(root) if root else Path.home() / ".cache") / "gate-tools"


def _key(folder: Path) -> str:
    """What decides about the bytes of the program."""
    digest = hashlib.sha256()
    names = ("go.mod", "go.sum", *sorted(path.name for path in folder.glob("*.go")))
    pins = ((folder / name).read_bytes() for name in names)
    for part in (*pins, _go_version(), repr(_flags(folder)).encode()):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:32]


def _flags(folder: Path) -> tuple[str, ...]:
    """The build flags, the last of which is what the linker gets."""
    more = folder / LINKER_FLAGS
    if not more.exists():
        return FLAGS
    return *FLAGS[:-1], " ".join([FLAGS[-1], *more.read_text("utf-8").split()])


def _go_version() -> bytes:
    """The toolchain and the platform, as `go1.26.8 linux amd64`."""
    command = ["go", "env", "GOVERSION", "GOOS", "GOARCH"]
    try:
        # In the tool's folder a `toolchain` line may choose another Go than the one on the PATH.
        return subprocess.run(command, check=True, capture_output=True, cwd=TOOLS).stdout
    except FileNotFoundError:
        raise BuildError("go is not installed: Go 1.26 or newer is needed") from None
    except subprocess.CalledProcessError as error:
        raise BuildError(f"`{' '.join(command)}` failed: {error.stderr.decode(errors='replace')}") from None


def _build(folder: Path, target: Path) -> None:
    packages = _packages(folder)
    listed = ", ".join(packages)
    _say(f"building {folder.name} ({listed}) once; this takes a minute or two for each on a cold cache")
    start = time.monotonic()
    # Into a folder of its own and renamed, so that an interrupted build leaves no half program.
    with tempfile.TemporaryDirectory(prefix="build-", dir=target.parent) as scratch:
        built = Path(scratch) / folder.name
        if len(packages) > 1:
            built.mkdir()
        command = ["go", "build", *_flags(folder), "-o", str(built), *packages]
        environment = {**os.environ, "CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
        done = subprocess.run(command, cwd=folder, env=environment, stdout=sys.stderr, check=False)
        if done.returncode != 0:
            raise BuildError(f"go build of {listed} failed with exit status {done.returncode}")
        built.replace(target)
    _say(f"built {folder.name} in {time.monotonic() - start:.0f} s")


def _packages(folder: Path) -> list[str]:
    """What is built: what `tool` names, else the source in the folder."""
    text = (folder / "go.mod").read_text("utf-8")
    block = _TOOL_BLOCK.search(text)
    found = block["packages"].split() if block is not None else _TOOL_LINE.findall(text)
    if not found and not (folder / "main.go").is_file():
        raise BuildError(f"{folder.name} has neither a `tool` line in its go.mod nor a main.go")
    return found or ["."]


def _say(text: str) -> None:
    print(f"tools/build.py: {text}", file=sys.stderr, flush=True)


def main() -> int:
    """Print the path of the program that the command line names."""
    parser = argparse.ArgumentParser(description="Build a pinned developer tool once and print its path.")
    parser.add_argument("tool", choices=names())
    try:
        print(program(parser.parse_args().tool))
    except BuildError as error:
        _say(str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
