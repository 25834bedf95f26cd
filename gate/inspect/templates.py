"""Chat templates: one answer for the same text, in a file of its own as well as inside settings.

A template is a program that runs in every conversation. What in it is not harmless is a finding; that what is left
says the right thing is for people to judge, once, and for its digest to hold.
"""

from __future__ import annotations

from typing import Final

from gate.inspect.context import CapError, Findings, shown
from gate.model.digest import sha256_digest
from gate.model.scan import Severity, Template

_MAX_BYTES: Final = 256 << 10


def judge_template(text: str, found: Findings, name: str = "chat_template") -> None:
    """Adds a template, its digest, and what in it no chat template needs; `name` is its place in the file.

    Raises `CapError` for a template beyond the limit, or for all of them together.
    """
    from gate.inspect.jinja import template_problems

    data = text.encode("utf-8", "surrogatepass")
    found.template_bytes -= len(data)
    if len(data) > _MAX_BYTES or found.template_bytes < 0:
        raise CapError("holds chat templates that are longer than the limit")
    problems = template_problems(text)
    for problem in problems:
        found.add("template.unsafe", Severity.HIGH, f"a chat template holds what none needs: {problem}")
    found.add("template.present", Severity.NONE, "holds a chat template; load.template_pinned compares its digest")
    found.add_template(shown(name), Template(sha256_digest(data), problems))


def is_template_name(path: str) -> bool:
    """Whether text of such a name is a template, whatever its suffix."""
    folders, _, name = path.lower().rpartition("/")
    return "chat_template" in name or folders.rpartition("/")[2] in {"additional_chat_templates", "chat_templates"}
