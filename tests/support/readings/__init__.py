"""What a report says, read back from its text: one module a format, each with `read(text) -> Reading`.

The module of the format `github` is `github`, that of `gitlab-annotations` is `gitlab_annotations`. A reader uses
nothing of the gate: what it finds is what any other reader would.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reading:
    """What the text says; `None` is what the format cannot carry. Every format carries `verdict` and `refused`.

    `verdict` is `allow`, `deny` or `error`. `refused`, `warned` and `waived` are ids of controls: enforced ones that
    failed or came to no status, those that would stand in the way if they were enforced, and waived ones.
    """

    verdict: str
    refused: frozenset[str]
    id: str | None = None
    exit_code: int | None = None
    dry_run: bool | None = None
    waived: frozenset[str] | None = None
    warned: frozenset[str] | None = None


def reader(form: str) -> Callable[[str], Reading]:
    """The reader of a format."""
    module = importlib.import_module(f"tests.support.readings.{form.replace('-', '_')}")
    found: Callable[[str], Reading] = module.read
    return found
