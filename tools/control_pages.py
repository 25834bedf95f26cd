"""Writes the generated part of the control pages from the catalogue.

    python tools/control_pages.py            # write
    python tools/control_pages.py --check    # exit 1 if a page is out of date

A page is `docs/controls/<family>/<name>.md`. What stands between the two `generated` markers is replaced; the rest is
written by hand.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from gate.app.controls import catalogue, page_of
from gate.model.control import ControlInfo
from gate.report.controls import shown

ROOT = Path(__file__).resolve().parents[1]
START, END = "<!-- generated -->", "<!-- end of generated -->"


class PageError(Exception):
    """A page has no place for its generated part."""


def _words(values: Sequence[str]) -> str:
    return ", ".join(f"`{value}`" for value in values) or "none"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def generated(info: ControlInfo) -> str:
    """The generated part, markers included."""
    lines = [
        START,
        f"# {info.title}",
        "",
        info.description,
        "",
        "| | |",
        "|---|---|",
        _row("id", f"`{info.id}`"),
        _row("severity", info.severity),
        _row("claims", _words(info.claims)),
        _row("artifacts", _words(info.artifacts)),
        _row("targets", _words(info.targets)),
        _row("can be waived", "yes" if info.waivable else "no"),
        _row("how to fix", info.fix),
    ]
    if info.parameters:
        lines += ["", "| parameter | type | default | meaning |", "|---|---|---|---|"]
        lines += [
            _row(f"`{item.name}`", item.expected, f"`{shown(item.default)}`", item.meaning) for item in info.parameters
        ]
    lines += ["", "| framework | | requirements |", "|---|---|---|"]
    lines += [_row(name, entry.relation, ", ".join(entry.ids)) for name, entry in info.frameworks.items()]
    return "\n".join([*lines, END])


def updated(text: str, info: ControlInfo) -> str:
    """A page's text with its generated part replaced."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise PageError(f"{page_of(info)} has no `{START}` ... `{END}`")
    return before + generated(info) + after


def main(arguments: list[str] | None = None) -> int:
    """Write or check all pages."""
    parser = argparse.ArgumentParser(description="Write the generated part of the control pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    try:
        for info in catalogue().values():
            page = ROOT / page_of(info)
            text = page.read_text("utf-8") if page.is_file() else ""
            new = updated(text, info)
            if new != text:
                stale.append(page_of(info))
                if not check:
                    page.write_text(new, "utf-8")
    except PageError as error:
        print(error, file=sys.stderr)
        return 2
    for name in stale:
        print(f"{name}: {'out of date' if check else 'written'}")
    return 1 if stale and check else 0


if __name__ == "__main__":
    sys.exit(main())
