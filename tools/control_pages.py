"""Writes the generated part of the control pages from the METADATA of the controls.

    python tools/control_pages.py            # write
    python tools/control_pages.py --check    # exit 1 if a page is out of date

A page is `docs/controls/<family>/<name>.md`. What stands between the two `generated` markers is replaced; the rest is
written by hand.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NotRequired, TypedDict, cast

import yaml

ROOT = Path(__file__).resolve().parents[1]
CONTROLS = ROOT / "rego/gate/controls"
PAGES = ROOT / "docs/controls"
START, END = "<!-- generated -->", "<!-- end of generated -->"
_BLOCK = re.compile(r"\A# METADATA\n((?:#.*\n)+)package gate\.controls\.(\S+)\n")


class Parameter(TypedDict):
    """One parameter of a control."""

    name: str
    type: str
    default: str | int | bool
    meaning: str


class Reference(TypedDict):
    """The requirements of one framework."""

    relation: str
    ids: list[str]


class Custom(TypedDict):
    """The gate's own part of a METADATA block."""

    severity: str
    claims: list[str]
    artifacts: list[str]
    targets: list[str]
    waivable: bool
    fix: str
    parameters: NotRequired[list[Parameter]]
    frameworks: dict[str, Reference]


class Block(TypedDict):
    """A METADATA block, with the id of its control."""

    id: str
    title: str
    description: str
    custom: Custom


class PageError(Exception):
    """A control has no METADATA, or a page no place for it."""


def controls() -> Iterator[tuple[str, Path]]:
    """The ids and files of all controls, sorted by id."""
    for path in sorted(CONTROLS.glob("*/*/*.rego")):
        yield ".".join(path.relative_to(CONTROLS).parts[:2]), path


def metadata(path: Path) -> Block:
    """The METADATA block of a control's package, with its `id`."""
    found = _BLOCK.match(path.read_text("utf-8"))
    if found is None:
        raise PageError(f"{path.relative_to(ROOT)} does not begin with a METADATA block for its package")
    block = yaml.safe_load(re.sub(r"(?m)^# ?", "", found.group(1)))
    return cast("Block", {"id": found.group(2), **block})


def page_of(control: str) -> Path:
    """Where the page of a control lies."""
    return PAGES / (control.replace(".", "/") + ".md")


def _words(values: list[str]) -> str:
    return ", ".join(f"`{value}`" for value in values) or "none"


def generated(block: Block) -> str:
    """The generated part, markers included."""
    custom = block["custom"]
    lines = [
        START,
        f"# {block['title']}",
        "",
        block["description"],
        "",
        "| | |",
        "|---|---|",
        f"| id | `{block['id']}` |",
        f"| severity | {custom['severity']} |",
        f"| claims | {_words(custom['claims'])} |",
        f"| artifacts | {_words(custom['artifacts'])} |",
        f"| targets | {_words(custom['targets'])} |",
        f"| can be waived | {'yes' if custom['waivable'] else 'no'} |",
        f"| how to fix | {custom['fix']} |",
    ]
    if custom.get("parameters"):
        lines += ["", "| parameter | type | default | meaning |", "|---|---|---|---|"]
        for entry in custom["parameters"]:
            default = entry["default"]
            shown = str(default).lower() if isinstance(default, bool) else str(default)
            lines.append(f"| `{entry['name']}` | {entry['type']} | `{shown}` | {entry['meaning']} |")
    lines += ["", "| framework | | requirements |", "|---|---|---|"]
    lines += [
        f"| {name} | {entry['relation']} | {', '.join(entry['ids'])} |" for name, entry in custom["frameworks"].items()
    ]
    return "\n".join([*lines, END])


def updated(text: str, block: Block) -> str:
    """A page's text with its generated part replaced."""
    before, start, rest = text.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise PageError(f"the page of {block['id']} has no `{START}` ... `{END}`")
    return before + generated(block) + after


def main(arguments: list[str] | None = None) -> int:
    """Write or check all pages."""
    parser = argparse.ArgumentParser(description="Write the generated part of the control pages.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is out of date")
    check = parser.parse_args(arguments).check
    stale = []
    try:
        for control, path in controls():
            page, block = page_of(control), metadata(path)
            text = page.read_text("utf-8") if page.is_file() else ""
            new = updated(text, block)
            if new != text:
                stale.append(page.relative_to(ROOT).as_posix())
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
