"""What a CI service takes for a command in the output of a job, read as its runner reads it.

GitHub's runner (`ActionCommand`): a line that begins with `::<command>` after blanks, or has `##[<command>]` anywhere.
Azure Pipelines and TeamCity: `##vso[` and `##teamcity[` anywhere. GitLab: `section_start:` before a carriage return.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

COMMANDS = {
    *("error", "warning", "notice", "debug", "group", "endgroup", "add-mask", "add-matcher", "remove-matcher"),
    *("set-output", "set-env", "add-path", "save-state", "echo", "stop-commands", "internal-set-repo-path"),
}
_SECOND = re.compile(r"\s*::(?P<info>.*?)::(?P<data>.*)", re.DOTALL)
_FIRST = re.compile(r"##\[(?P<info>[^\]]*)\](?P<data>.*)", re.DOTALL)
_OTHERS = re.compile(r"##(?:vso|teamcity)\[|section_(?:start|end):[0-9]+:[^\r]*\r")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as the runner understands it: its name, its properties and its data, both unescaped."""

    name: str
    properties: dict[str, str]
    data: str


def commands(text: str) -> list[Command]:
    """The commands in the output of a job, in order."""
    found = [_command(line) for line in re.split(r"\r\n|\n|\r", text)]
    return [command for command in found if command is not None]


def _command(line: str) -> Command | None:
    second = _SECOND.match(line)
    if second is not None and second["info"].partition(" ")[0].lower() in COMMANDS:
        name, _, rest = second["info"].partition(" ")
        pairs = [part.partition("=") for part in rest.strip().split(",") if part]
        properties = {key: _unescaped(value, ("%3A", ":"), ("%2C", ",")) for key, _, value in pairs if value}
        return Command(name.lower(), properties, _unescaped(second["data"]))
    first = _FIRST.search(line)
    if first is not None and first["info"].partition(" ")[0].lower() in COMMANDS:
        return Command(first["info"].partition(" ")[0].lower(), {}, first["data"])
    other = _OTHERS.search(line)
    return Command(other.group(), {}, "") if other is not None else None


def _unescaped(text: str, *more: tuple[str, str]) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), *more, ("%25", "%")):
        text = text.replace(escape, character)
    return text
