"""How the harmless pickles fare: the table of docs/explanation/pickles.md."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from gate.inspect.interface import inspect_file
from gate.model.scan import FileInspection
from tests.support.benign_pickles import Sample, groups
from tests.support.looking import is_clean

_NAMED = re.compile(r"names ([A-Za-z0-9_.]+), which is not on the allow-list; who trusts it lists it in gate\.yaml")


@dataclass(frozen=True)
class Outcome:
    """Whether a file passes, and with what allowed it does; `None` if nothing helps."""

    name: str
    passes: bool
    allowed: frozenset[str] | None


def outcome(sample: Sample) -> Outcome:
    """Judges a file, and allows what its findings name until it passes or they name nothing more."""
    name, path, data = sample
    allowed: frozenset[str] = frozenset()
    found = _look(path, data, allowed)
    passes = is_clean(found)
    while not is_clean(found):
        more = {match for finding in found.findings for match in _NAMED.findall(finding.message)}
        if not more - allowed:
            return Outcome(name, passes, None)
        allowed |= more
        found = _look(path, data, allowed)
    return Outcome(name, passes, allowed)


def _look(path: str, data: bytes, allowed: frozenset[str]) -> FileInspection:
    return inspect_file(path, io.BytesIO(data), len(data), allowed=allowed)


def outcomes() -> dict[str, list[Outcome]]:
    """All outcomes, by group."""
    return {group: [outcome(sample) for sample in samples] for group, samples in groups().items()}


def table(found: dict[str, list[Outcome]]) -> str:
    """The table, in Markdown."""
    lines = [
        "| what was saved | files | pass | refused | what has to be allowed for those to pass |",
        "|---|---:|---:|---:|---|",
    ]
    files = refused = 0
    for group, items in found.items():
        bad = [item for item in items if not item.passes]
        named = sorted({name for item in bad for name in item.allowed or ("nothing helps",)})
        lines.append(
            f"| {group} | {len(items)} | {len(items) - len(bad)} | {len(bad)} | {', '.join(f'`{n}`' for n in named)} |"
        )
        files, refused = files + len(items), refused + len(bad)
    lines.append(f"| all | {files} | {files - refused} | {refused} | |")
    return "\n".join(lines)
