"""Writes the generated parts of the documentation; `--check` says what is out of date and changes nothing.

| page | made from |
|---|---|
| docs/reference/cli.md | the help of every command |
| docs/reference/exit-codes.md | gate/cli/exit_codes.py |
| docs/reference/{configuration,waivers,input,report,decision,lineage,recall,scan}.md | schemas/*.json |
| docs/reference/{diff,replay,case,impact}.md | schemas/*.json |
| docs/reference/{controls-matrix,controls-diff,framework,framework-evidence}.md | schemas/*.json |
| docs/reference/evidence.md | the readers of predicates |
| docs/controls/index.md | METADATA of the controls |
| docs/controls/frameworks.md | the same, and frameworks/*.json |
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from gate.app.controls import open_catalogue, page_of
from gate.app.frameworks import matrices
from gate.cli.exit_codes import EXIT_CODES
from gate.cli.main import main as gate_command
from gate.report.matrix import matrix_markdown
from tools.evidence_page import evidence_page

ROOT = Path(__file__).resolve().parent.parent
SCHEMAS = {
    "configuration": ("config.json", "gate.yaml"),
    "waivers": ("waivers.json", "waivers.yaml"),
    "input": ("input.json", "The input document"),
    "report": ("report.json", "What the Rego library returns"),
    "decision": ("decision.json", "The decision document"),
    "controls-matrix": ("controls-matrix.json", "Controls and requirements"),
    "framework": ("framework.json", "A list of requirements"),
    "framework-evidence": ("framework-evidence.json", "Evidence for requirements"),
    "controls-diff": ("controls-diff.json", "Differences of two policies"),
    "lineage": ("lineage.json", "Lineage"),
    "recall": ("recall.json", "Recall"),
    "audit": ("audit.json", "Audit"),
    "diff": ("diff.json", "Differences of two decisions"),
    "replay": ("replay.json", "Replay"),
    "case": ("case.json", "A case"),
    "impact": ("impact.json", "Impact of a policy"),
    "log-verification": ("log-verification.json", "Verification of the decision log"),
    "scan": ("scan.json", "Scan"),
    "scenario": ("scenario.json", "A scenario"),
    "scenario-set": ("scenario-set.json", "A set of scenarios"),
    "scenarios": ("scenarios.json", "The evaluation of a gate"),
}
NOTE = "<!-- Made by `make docs`; edit its source instead. -->\n"


def command_pages(command: click.Command, context: click.Context | None, name: str) -> Iterator[tuple[str, str]]:
    """The help of a command and of all below it."""
    # The first context that asks a command for its help option decides its names for the whole process.
    own = click.Context(
        command,
        info_name=name,
        parent=context,
        max_content_width=100,
        terminal_width=100,
        help_option_names=["-h", "--help"],
    )
    yield own.command_path, command.get_help(own)
    if isinstance(command, click.Group):
        for child in command.list_commands(own):
            found = command.get_command(own, child)
            if found is not None:
                yield from command_pages(found, own, child)


def cli_page() -> str:
    parts = ["# Commands\n", NOTE]
    for path, text in command_pages(gate_command, None, "gate"):
        parts.append(f"## {path}\n\n```text\n{text.rstrip()}\n```\n")
    return "\n".join(parts)


def exit_code_page() -> str:
    rows = "\n".join(f"| {code} | {text} |" for code, text in EXIT_CODES.items())
    return (
        f"# Exit codes\n\n{NOTE}\n| exit | meaning |\n|---|---|\n{rows}\n\n"
        "0 is the only yes. 10 and above: a decision was made, and it is no. Anything else: there is no decision, and\n"
        "that blocks too. With several causes the code is the first of 11, 12, 14, 10, 13; the report lists them all.\n"
    )


def schema_page(file: str, title: str) -> str:
    schema = json.loads((ROOT / "schemas" / file).read_text())
    rows = [f"| `{path}` | {kind} | {text} |" for path, kind, text in fields(schema, schema, "")]
    table = "\n".join(["| field | type | meaning |", "|---|---|---|", *rows])
    identifier = schema["$id"]
    return f"# {title}\n\n{NOTE}\nSchema: `schemas/{file}` (`{identifier}`). {schema['description']}\n\n{table}\n"


def fields(schema: Mapping[str, object], node: object, path: str, depth: int = 0) -> Iterator[tuple[str, str, str]]:
    """Each field with its path, type and description; references are followed within the schema."""
    if not isinstance(node, dict) or depth > 12:
        return
    if "$ref" in node:
        target: object = schema
        for part in str(node["$ref"]).removeprefix("#/").split("/"):
            target = target[part] if isinstance(target, dict) else {}
        node = {**(target if isinstance(target, dict) else {}), **node}
    if path:
        yield path, kind_of(node), cell(str(node.get("description", "")))
    for name, child in node.get("properties", {}).items():
        yield from fields(schema, child, f"{path}.{name}".lstrip("."), depth + 1)
    if isinstance(node.get("additionalProperties"), dict):
        yield from fields(schema, node["additionalProperties"], f"{path}.<name>".lstrip("."), depth + 1)
    if isinstance(node.get("items"), dict):
        yield from fields(schema, node["items"], f"{path}[]", depth + 1)
    for option in node.get("oneOf", []):
        if isinstance(option, dict) and "properties" in option:
            for name, child in option["properties"].items():
                yield from fields(schema, child, f"{path}.{name}".lstrip("."), depth + 1)


def kind_of(node: Mapping[str, object]) -> str:
    if "const" in node:
        return f"`{node['const']}`"
    if isinstance(node.get("enum"), list):
        return ", ".join(f"`{json.dumps(word)}`" for word in node["enum"])  # type: ignore[attr-defined]
    if isinstance(node.get("oneOf"), list):
        options = [option for option in node["oneOf"] if isinstance(option, dict)]  # type: ignore[attr-defined]
        return " or ".join("digest" if "$ref" in option else kind_of(option) for option in options)
    kind = node.get("type", "any")
    return " or ".join(str(item) for item in kind) if isinstance(kind, list) else str(kind)


def controls_page() -> str:
    catalogue = open_catalogue()
    heads = ["control", "severity", *catalogue.profiles, "what passes"]
    lines = ["# Controls\n", NOTE, f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for info in catalogue.controls.values():
        modes = " | ".join(mode.value for mode in catalogue.modes(info.id).values())
        link = f"[{info.id}]({page_of(info).removeprefix('docs/controls/')})"
        lines.append(f"| {link} | {info.severity} | {modes} | {cell(info.description)} |")
    lines.append("\nWhat evidence for them supports: [frameworks](frameworks.md).")
    return "\n".join(lines) + "\n"


def frameworks_page() -> str:
    catalogue = open_catalogue()
    return f"# Frameworks\n\n{NOTE}\n{matrix_markdown(catalogue, matrices(catalogue))}\n"


def cell(text: str) -> str:
    """Text of our own in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


def pages() -> Mapping[str, str]:
    """Every generated page by its path."""
    found = {
        "docs/reference/cli.md": cli_page(),
        "docs/reference/exit-codes.md": exit_code_page(),
        "docs/reference/evidence.md": evidence_page(NOTE),
        "docs/controls/index.md": controls_page(),
        "docs/controls/frameworks.md": frameworks_page(),
    }
    for name, (file, title) in SCHEMAS.items():
        found[f"docs/reference/{name}.md"] = schema_page(file, title)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes the generated parts of the documentation.")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args()
    stale = []
    for path, text in pages().items():
        target = ROOT / path
        if target.exists() and target.read_text() == text:
            continue
        stale.append(path)
        if not options.check:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
    for path in stale:
        print(f"{'out of date' if options.check else 'written'}: {path}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
