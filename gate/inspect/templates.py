"""Chat templates: one answer for the same text, in a file of its own as well as inside settings.

A template is a program that runs in every conversation. This version looks for words that templates need to reach
beyond their data, and does not judge what else they do.
"""

from __future__ import annotations

import re
from typing import Final

from gate.inspect.context import Findings, shown
from gate.model.scan import Severity

_UNSAFE: Final = re.compile(
    r"__"  # the way from any value to the interpreter
    r"|['\"]_"  # a part of such a name, to be put together
    r"|\\(?:x5f|u005f|U0000005f|137|N\{)|(?<!\{)%c"  # an underscore in disguise
    r"|\|\s*attr\b|(?<![\w.])attr\s*\("
    r"|\{%[-+]?\s*(?:import|from|include|extends)\b"
    r"|\bself\s*[.\[|](?!\s)"
    r"|\b(?:cycler|joiner|lipsum)\b"
    r"|\bnamespace\s*[.\[|]"
    r"|\b(?:format_map|popen|subprocess|func_globals|f_globals|f_builtins|(?:gi|ag|cr|tb)_frame)\b",
    re.IGNORECASE,
)


def judge_template(text: str, found: Findings) -> None:
    """Adds that there is a template, or what in it no chat template needs."""
    unsafe = _UNSAFE.search(text)
    if unsafe is not None:
        message = f"a chat template holds {shown(unsafe[0], 40)}, with which templates reach beyond their data"
        found.add("template.unsafe", Severity.HIGH, message)
    found.add("template.present", Severity.NONE, "holds a chat template, of which only the words are inspected")


def is_template_name(path: str) -> bool:
    """Whether text of such a name is a template, whatever its suffix."""
    return "chat_template" in path.rpartition("/")[2].lower()
