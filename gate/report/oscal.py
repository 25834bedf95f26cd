"""What documents of OSCAL share (pages.nist.gov/OSCAL, models 1.2): identities, properties, prose, tokens, resources.

Equal input gives equal documents: identities are version 5 UUIDs of what they name. What OSCAL calls `satisfied` is a
word of its schema for one control of the gate in one decision; whether a requirement of a framework is met, people
judge, and every document says so.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from urllib.parse import quote

from gate.formats.canonical_json import line
from gate.formats.rfc3339 import format_time
from gate.model.digest import Digest, hex_of
from gate.model.json import JsonObject, JsonValue
from gate.report.escape import markdown, terminal

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "urn:gate:oscal:v1"
"""Of the names of properties."""
NOTE: Final = "Evidence for a control supports a requirement; whether a requirement is met, people judge."
_ROOT: Final = uuid.uuid5(uuid.NAMESPACE_URL, NAMESPACE)
_NOT_OF_TOKENS: Final = re.compile(r"[^A-Za-z0-9._-]")
_ENHANCEMENT: Final = re.compile(r"\(([0-9]+)\)")
_PROSE: Final = 2000


def identity(*parts: str) -> str:
    """The UUID of what these words name."""
    return str(uuid.uuid5(_ROOT, line(list(parts))))


def plain(text: str) -> str:
    """A value of OSCAL's datatype string: not empty, no white space at its ends."""
    return terminal(text, _PROSE).strip(" ") or "-"


def prose(text: str) -> str:
    """Markup of OSCAL, which is Markdown: nothing from outside is any."""
    return markdown(text, _PROSE) or "-"


def prop(name: str, value: str, *, group: str = "", remarks: str = "") -> JsonObject:
    """A property; `group` is its class, a token of what it is about."""
    found: dict[str, JsonValue] = {"name": name, "ns": NAMESPACE, "value": plain(value)}
    if group:
        found["class"] = token(group)
    if remarks:
        found["remarks"] = prose(remarks)
    return found


def token(text: str) -> str:
    """The text as a token; what a token cannot hold becomes `_`."""
    found = _NOT_OF_TOKENS.sub("_", terminal(text))
    return found if found[:1].isalpha() or found[:1] == "_" else f"_{found}"


def control_token(framework: str, requirement: str) -> str:
    """The id of a requirement as the framework's own catalogue in OSCAL writes it, where there is one."""
    if framework.startswith("NIST-800-53"):
        return token(_ENHANCEMENT.sub(r".\1", requirement).lower())
    return token(requirement)


def filled(**members: JsonValue) -> JsonObject:
    """An object without its empty members, which OSCAL does not allow; `_` in a name is `-`."""
    return {name.replace("_", "-"): value for name, value in members.items() if value not in ([], None, "")}


def metadata(title: str, at: str, version: str, props: Iterable[JsonObject] = ()) -> JsonObject:
    """The head of a document; `at` is an RFC 3339 time."""
    return filled(
        title=prose(title),
        last_modified=plain(at),
        version=plain(version),
        oscal_version=OSCAL_VERSION,
        props=list(props),
        remarks=NOTE,
    )


def resource(
    key: str, title: str, props: Sequence[JsonObject], digest: Digest | None = None, place: str = ""
) -> JsonObject:
    """Something that the document rests on, with its SHA-256 and the place where it was, if it had one."""
    linked: list[JsonValue] = []
    if digest is not None:
        hashes: list[JsonValue] = [{"algorithm": "SHA-256", "value": hex_of(digest)}]
        linked = [{"href": reference(place) or f"urn:{digest}", "hashes": hashes}]
    return filled(uuid=key, title=prose(title), props=list(props), rlinks=linked)


def reference(place: str) -> str:
    """A place as a URI reference."""
    return quote(terminal(place, _PROSE), safe="/#")


def moment(seconds: int) -> str | None:
    """An RFC 3339 time of seconds since 1970; `None` for what is none."""
    try:
        return format_time(seconds)
    except (ValueError, OverflowError, OSError):
        return None


def texts(value: JsonValue) -> Mapping[str, JsonValue]:
    """The members of an object, none of anything else."""
    return value if isinstance(value, Mapping) else {}
