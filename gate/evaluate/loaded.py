"""What an engine loads of a policy to ask some of its controls: nothing of the library that they do not rest on.

Every module below `gate.controls` is evaluated whether it is asked for or not. Those of the installed library that
nobody asks for are left out: they say nothing in a report, cannot fail, and no other module of the library reads them.
All else is loaded, so that a control of one's own means what it did. The digest of the policy is that of all files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from gate import resources
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.catalogue import control_id
from gate.evaluate.interface import Modules

# The word `data` where it may lead to a control of the library, as far as the text alone tells.
_ANYWHERE: Final = re.compile(r"\bdata\b(?!\.(?:gate\.lib|custom)\b)")
# Lines that are nothing but comment. One with a backtick may end a string, one with a carriage return may be two.
_COMMENT: Final = re.compile(r"^[ \t]*#[\t -_a-~]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Some:
    """Some modules of a policy."""

    modules: Mapping[str, str]


def asking(bundle: PolicyBundle, controls: AbstractSet[str]) -> PolicyBundle:
    """The policy, for an engine that is asked for no other controls: one that is has no status, and that is exit 4."""
    return replace(bundle, asked=frozenset(controls))


def loaded(bundle: PolicyBundle) -> Modules:
    """The modules that an engine loads: all of them, unless it is known what is asked for."""
    if bundle.asked is None:
        return bundle
    library = bundle.library if bundle.library is not None else _installed(bundle)
    if any(_ANYWHERE.search(_COMMENT.sub("", text)) for path, text in bundle.modules.items() if path not in library):
        return bundle
    return _Some(
        {
            path: text
            for path, text in bundle.modules.items()
            if path not in library or (name := control_id(path)) is None or name in bundle.asked
        }
    )


def _installed(bundle: PolicyBundle) -> frozenset[str]:
    """The files of a policy that are as they were installed."""
    return frozenset(path for path, data in resources.rego_files().items() if bundle.files.get(path) == data)
