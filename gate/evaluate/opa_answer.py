"""What an OPA server answers, believed only when it is complete and comes from the expected policy (SECURITY 27).

The content of an answer is never part of a message: it may hold what the input document holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gate.errors import PolicyError
from gate.evaluate.interface import ENTRYPOINT, REPORT_BYTES
from gate.formats import canonical_json
from gate.formats.strict_json import StrictJsonError, loads_object
from gate.model.json import JsonObject, JsonValue

MAX_ANSWER_BYTES: Final = REPORT_BYTES
VERSION_FLOOR: Final = (1, 21, 3)
LOG: Final = "look into the server's log"
OTHER: Final = "check the address, and that nothing stands between the gate and the server"

_MEMBERS: Final = frozenset({"result", "provenance", "decision_id", "metrics"})
_VERSION: Final = re.compile(r"(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})\.(0|[1-9][0-9]{0,5})")
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a known form. `revisions` are those of all bundles that the server has loaded."""

    value: JsonObject
    version: str
    revisions: tuple[str, ...]


def check_status(code: int, url: str) -> None:
    """Raises `PolicyError` for anything but 200."""
    if code == 200:
        return
    if code in {401, 403}:
        raise PolicyError(
            f"{url} does not let the gate in (HTTP status {code})",
            hint="give the token that the server knows: engine.token_file, or --opa-token-file",
        )
    if 300 <= code < 400:
        raise PolicyError(
            f"{url} answered with a redirect (HTTP status {code}), which is not followed",
            hint="give the address of the server itself",
        )
    if code == 500:
        raise PolicyError(
            f"the policy failed in {url} (HTTP status {code})",
            hint="the embedded engine says more: --engine regorus; so does the server's log",
        )
    raise PolicyError(f"{url} answered with HTTP status {code}", hint=LOG)


def read_answer(content: bytes, kind: str | None, encoding: str | None, url: str) -> Answer:
    """The answer with its content type and encoding; raises `PolicyError` for what OPA does not answer."""
    if (kind or "").partition(";")[0].strip().lower() != "application/json":
        raise PolicyError(f"{url} answered with something else than JSON", hint=OTHER)
    if encoding not in {None, "identity"}:
        raise PolicyError(f"{url} answered with a compressed text, which was not asked for", hint=OTHER)
    try:
        value = loads_object(content, limit=MAX_ANSWER_BYTES)
    except StrictJsonError:
        raise PolicyError(f"{url} answered with something else than a JSON object", hint=OTHER) from None
    return _known(value, url)


def _known(value: JsonObject, url: str) -> Answer:
    """Refuses members that may mean something nobody here knows, and a server that does not say what it is."""
    if "warning" in value:
        raise PolicyError(f"{url} answered with a warning about the request", hint=OTHER)
    if value.keys() - _MEMBERS:
        raise PolicyError(f"{url} answered with members that OPA's answers do not have", hint=OTHER)
    match value.get("provenance"):
        case {"version": str(version), "bundles": dict(bundles)}:
            revisions = [_revision(bundle) for bundle in bundles.values()]
        case _:
            raise PolicyError(
                f"{url} does not say which policy it runs", hint="start OPA with the bundle of `gate policy bundle`"
            )
    number = _VERSION.fullmatch(version)
    if number is None or tuple(map(int, number.groups())) < VERSION_FLOOR:
        floor = ".".join(map(str, VERSION_FLOOR))
        raise PolicyError(
            f"{url} is OPA {version[:_SHOWN]!r}, and {floor} is the oldest that is asked", hint="update it"
        )
    return Answer(value, version, tuple(revisions))


def _revision(bundle: JsonValue) -> str:
    revision = bundle.get("revision") if isinstance(bundle, dict) else None
    return revision if isinstance(revision, str) else ""


def check_revision(answer: Answer, expected: str, url: str) -> None:
    """The server runs this very bundle and no other beside it (SECURITY 27)."""
    if answer.revisions == (expected,):
        return
    found = ", ".join(revision[:_SHOWN] or "none" for revision in answer.revisions) or "none"
    raise PolicyError(
        f"{url} runs another policy than the gate has loaded: revision {found[: 3 * _SHOWN]}, expected {expected}",
        hint="give the server the bundle that `gate policy bundle` makes from this policy, and no other",
    )


def result_of(answer: Answer, url: str) -> bytes:
    """The report in canonical JSON; raises `PolicyError` when it is undefined or no object."""
    if "result" not in answer.value:
        raise PolicyError(f"{ENTRYPOINT} is undefined in {url}", hint="no decision can be made without it")
    result = answer.value["result"]
    if not isinstance(result, dict):
        raise PolicyError(f"{ENTRYPOINT} is no object in {url}", hint="no decision can be made on it")
    try:
        return canonical_json.dumps(result)
    except canonical_json.CanonicalJsonError as error:
        raise PolicyError(
            f"{ENTRYPOINT} in {url} has no canonical form: {error}", hint="no decision can be made on it"
        ) from None
