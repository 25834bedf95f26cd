"""The allow-list of pickle globals: data, read once, denied unless listed (SECURITY 31)."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.formats.strict_json import loads_object
from gate.model.scan import Severity

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*")


@dataclass(frozen=True, slots=True)
class PicklePolicy:
    """What pickles may name.

    `roles` maps (module, name) to the one way in which it may be used. `attributes` may be set on a mapping by
    BUILD. `code` are top modules known to run code: they only raise the severity, everything unlisted is refused.
    """

    roles: Mapping[tuple[str, str], str]
    attributes: frozenset[str]
    code: frozenset[str]

    def severity(self, module: str) -> Severity:
        """How grave it is that a pickle names something of a module that is not allowed."""
        parts = module.split(".")
        known = any(".".join(parts[:count]) in self.code for count in range(1, len(parts) + 1))
        return Severity.CRITICAL if known else Severity.HIGH


@functools.cache
def pickle_policy() -> PicklePolicy:
    """The policy shipped with the gate. Raises if its data file is damaged: then nothing is inspected."""
    data = Path(__file__).with_name("pickle_allow.json").read_bytes()
    document = loads_object(data)
    listed, attributes, code = document["globals"], document["attributes"], document["code"]
    if not isinstance(listed, Mapping) or not isinstance(attributes, list) or not isinstance(code, list):
        raise TypeError("pickle_allow.json does not have its shape")
    roles: dict[tuple[str, str], str] = {}
    for module, names in listed.items():
        if not isinstance(names, Mapping):
            raise TypeError("pickle_allow.json does not have its shape")
        for name, role in names.items():
            roles[module, name] = str(role)
    return PicklePolicy(roles, frozenset(map(str, attributes)), frozenset(map(str, code)))


def is_plain_name(text: str) -> bool:
    """Whether a text could be the name of a module that somebody imports."""
    return _PLAIN.fullmatch(text) is not None
