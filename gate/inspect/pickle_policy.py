"""The allow-list of pickle globals: data, read once, denied unless listed (SECURITY 31)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.formats.pickle_names import is_code_module, problem_of_allowed
from gate.formats.strict_json import loads_object
from gate.model.scan import Severity

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class PicklePolicy:
    """What pickles may name.

    `roles` maps (module, name) to the one way in which it may be used. `attributes` may be set on a mapping by
    BUILD. Modules known to run code only raise the severity: everything unlisted is refused.
    """

    roles: Mapping[tuple[str, str], str]
    attributes: frozenset[str]

    def severity(self, module: str) -> Severity:
        """How grave it is that a pickle names something of a module that is not allowed."""
        return Severity.CRITICAL if is_code_module(module) else Severity.HIGH


OWN_ROLE: Final = "own"
"""The role of what the configuration allows: it may be used in any way."""


@functools.cache
def pickle_policy(allowed: frozenset[str] = frozenset()) -> PicklePolicy:
    """The policy shipped with the gate, and what the configuration allows beside it.

    Raises if the data file is damaged, or something is allowed that never may be: then nothing is inspected.
    """
    data = Path(__file__).with_name("pickle_allow.json").read_bytes()
    document = loads_object(data)
    listed, attributes = document["globals"], document["attributes"]
    if not isinstance(listed, Mapping) or not isinstance(attributes, list):
        raise TypeError("pickle_allow.json does not have its shape")
    roles: dict[tuple[str, str], str] = {}
    for module, names in listed.items():
        if not isinstance(names, Mapping):
            raise TypeError("pickle_allow.json does not have its shape")
        for name, role in names.items():
            roles[module, name] = str(role)
    for text in allowed:
        if problem_of_allowed(text) is not None:
            raise ValueError("a global is allowed that never may be")
        module, _, name = text.rpartition(".")
        roles.setdefault((module, name), OWN_ROLE)
    return PicklePolicy(roles, frozenset(map(str, attributes)))


def is_plain_name(text: str) -> bool:
    """Whether a text could be the name of a module that somebody imports."""
    return _PLAIN.fullmatch(text) is not None
