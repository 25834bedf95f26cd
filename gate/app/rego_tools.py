"""`gate policy fmt` and `check`: OPA and Regal, where a person has them, with the gate's own settings.

Neither is part of the gate, and no decision rests on them. They see a copy of the policy with the library beside it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import resources
from gate.app.policy_lint import unloadable
from gate.app.workshop import Sources, load_sources, policy_directories
from gate.errors import ConfigError, PolicyError
from gate.evaluate.lint import Finding
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.json import JsonValue

_TIMEOUT_S: Final = 120
_BYTES: Final = 16 << 20
_SHOWN: Final = 400
_HINTS: Final = {
    "opa": "install Open Policy Agent 1.22 or newer from https://www.openpolicyagent.org, or name it with --opa",
    "regal": "install Regal 0.42 or newer from https://github.com/open-policy-agent/regal, or name it with --regal",
}


@dataclass(frozen=True, slots=True)
class Checked:
    """The findings of all tools that ran, by place on disk, and what to do about each that is not there."""

    findings: tuple[Finding, ...]
    ran: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tools:
    """Programs that somebody named; `None` looks for one on the PATH."""

    opa: str | None = None
    regal: str | None = None


def format_policy(
    start: Path, directories: Sequence[str], tests: Sequence[str], tools: Tools, *, check: bool
) -> tuple[str, ...]:
    """The files that OPA formats otherwise; rewritten unless `check`. Raises `ConfigError`."""
    opa = _program("opa", tools.opa)
    if opa is None:
        raise ConfigError("there is no opa on the PATH", hint=_HINTS["opa"])
    folders = [*policy_directories(start, tuple(directories))[0], *tests]
    for folder in folders:
        if not (start / folder).is_dir():
            raise ConfigError(f"there is no directory {folder!r}", hint="directories are named from this folder")
    listed = _run([opa, "fmt", "--list", "--", *folders], start)
    if listed.returncode != 0:
        raise ConfigError(f"opa fmt: {_said(listed)}")
    found = tuple(sorted(set(listed.stdout.split("\n")) - {""}))
    if found and not check:
        written = _run([opa, "fmt", "--write", "--", *folders], start)
        if written.returncode != 0:
            raise ConfigError(f"opa fmt: {_said(written)}")
    return found


def check_policy(start: Path, directories: Sequence[str], tests: Sequence[str], tools: Tools) -> Checked:
    """What OPA and Regal find in the own modules and the tests.

    Raises `ConfigError` when neither is there or one cannot be run, and as `load_sources` does.
    """
    programs = {"opa": _program("opa", tools.opa), "regal": _program("regal", tools.regal)}
    absent = tuple(f"{name} is not on the PATH: {_HINTS[name]}" for name, path in programs.items() if path is None)
    if len(absent) == len(programs):
        raise ConfigError("neither opa nor regal is on the PATH", hint="; ".join(_HINTS.values()))
    ran = tuple(name for name, path in programs.items() if path is not None)
    try:
        sources = load_sources(start, directories, tests)
    except PolicyError as error:
        return Checked(unloadable(start, directories, error), ran, absent)
    found: list[Finding] = []
    with tempfile.TemporaryDirectory(prefix="gate-") as name:
        folder = Path(name)
        _lay_out(folder, sources)
        if programs["opa"] is not None:
            found += _opa(programs["opa"], folder)
        if programs["regal"] is not None:
            found += _regal(programs["regal"], folder)
    placed = (
        Finding(sources.place(one.path), one.line, one.column, one.rule, one.message)
        for one in found
        if not one.path or one.path in sources.own or one.path in sources.tests
    )
    return Checked(tuple(sorted(set(placed))), ran, absent)


def _program(name: str, given: str | None) -> str | None:
    if given is None:
        return shutil.which(name)
    found = shutil.which(given)
    if found is None:
        raise ConfigError(f"--{name}: {given!r} is no program that can be run", hint=_HINTS[name])
    return str(Path(found).absolute())


def _run(command: Sequence[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OPA_", "REGAL_"))}
    try:
        return subprocess.run(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT_S,
            check=False,
        )
    except OSError as error:
        raise ConfigError(f"{command[0]} cannot be run: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        raise ConfigError(f"{command[0]} took longer than {_TIMEOUT_S} seconds") from None


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What a program said when it failed, in one line."""
    words = (done.stderr.strip() or done.stdout.strip()).split()
    return " ".join(words)[:_SHOWN] or f"it said nothing, and ended with exit code {done.returncode}"


def _lay_out(folder: Path, sources: Sources) -> None:
    files = {f"policy/{path}": text.encode("utf-8") for path, text in sources.modules.items()}
    files["capabilities.json"] = resources.workshop_file("capabilities.portable.json")
    files["regal.yaml"] = resources.workshop_file("regal.yaml")
    files["schemas/input.json"] = resources.schema("input.json")
    for path, data in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _opa(program: str, folder: Path) -> Iterator[Finding]:
    """Everything, then the rules again with the types of the input: a test may compare with part of a document."""
    check = [program, "check", "--strict", "--format", "json", "--capabilities", "capabilities.json"]
    for more in ([], ["--schema", "schemas", "--ignore", "*_test.rego"]):
        done = _run([*check, *more, "policy"], folder)
        if done.returncode != 0:
            errors = _entries("opa check", done, "errors")
            for error in errors:
                yield _finding(error, "opa", _text(error, "message"))


def _regal(program: str, folder: Path) -> Iterator[Finding]:
    done = _run([program, "lint", "--config-file", "regal.yaml", "--format", "json", "policy"], folder)
    for violation in _entries("regal lint", done, "violations"):
        text = f"{_text(violation, 'description')} ({_text(violation, 'title')})"
        yield _finding(violation, "regal", text)


def _entries(what: str, done: subprocess.CompletedProcess[str], key: str) -> Iterable[Mapping[str, JsonValue]]:
    """The entries of a tool's JSON; raises `ConfigError` with what it says instead of it."""
    text = done.stdout if done.stdout.strip() else done.stderr
    try:
        value = loads(text.encode("utf-8"), limit=_BYTES)
    except StrictJsonError:
        value = None
    entries = value.get(key) if isinstance(value, dict) else None
    if not isinstance(entries, list):
        raise ConfigError(f"{what}: {_said(done)}")
    return [entry for entry in entries if isinstance(entry, dict)]


def _finding(entry: Mapping[str, JsonValue], rule: str, text: str) -> Finding:
    place = entry.get("location")
    where = place if isinstance(place, dict) else {}
    row, column = where.get("row"), where.get("col")
    return Finding(
        _text(where, "file").removeprefix("policy/"),
        row if isinstance(row, int) else 1,
        max(column, 1) if isinstance(column, int) else 1,
        rule,
        text,
    )


def _text(entry: Mapping[str, JsonValue], key: str) -> str:
    value = entry.get(key)
    return value if isinstance(value, str) else ""
