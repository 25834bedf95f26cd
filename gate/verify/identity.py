"""Which trusted identities a certificate is: everything that gate.yaml says of them, exactly (SECURITY 8).

A pattern of a subject is a full match in which `*` stands for letters that are no `/`, and it pins scheme, host, owner,
repository and workflow file: what is left open is the ref.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from gate.model.settings import IdentitySettings
from gate.verify.certificate import CertificateIdentity, KeylessError

_SHOWN: Final = 200  # characters of a name in a message
# What gate.yaml may say of a job, with the reason word of a certificate that says something else.
_BUILD: Final[Mapping[str, tuple[str, str]]] = {
    "source_repository": ("repository", "source repository"),
    "source_repository_id": ("repository", "source repository id"),
    "source_ref": ("ref", "source ref"),
    "source_digest": ("digest", "source digest"),
    "build_trigger": ("trigger", "build trigger"),
    "runner_environment": ("runner", "runner environment"),
}
_STAR: Final = re.compile(r"[!-.0-~]*")


def matching(
    identity: CertificateIdentity, identities: Mapping[str, IdentitySettings], *, logged: bool = True
) -> tuple[str, ...]:
    """The signers that are this identity; raises `KeylessError` that says what differs when there is none.

    Where the signature is in no log (`logged`), only those count whose signatures need none.
    """
    who, issuer = identity.subject[:_SHOWN], identity.issuer[:_SHOWN]
    found = {name: item for name, item in identities.items() if _is_subject(item, identity.subject)}
    if not found:
        raise KeylessError("identity", f"{who} of {issuer} is no signer in gate.yaml")
    found = {name: item for name, item in found.items() if item.issuer == identity.issuer}
    if not found:
        raise KeylessError("issuer", f"{who} comes from {issuer}, which is not its issuer")
    for field, (code, words) in _BUILD.items():
        actual = getattr(identity.build, field)
        agreeing = {name: item for name, item in found.items() if getattr(item, field) in {None, actual}}
        if not agreeing:
            said = f"{words} {actual[:_SHOWN]}" if actual is not None else f"no {words}"
            raise KeylessError(code, f"{who} signed with {said}, gate.yaml wants another")
        found = agreeing
    if not logged:
        found = {name: item for name, item in found.items() if item.timestamps_only}
        if not found:
            raise KeylessError("log", f"the signature of {who} is in no log, and no signer says timestamps_only")
    return tuple(found)


def _is_subject(item: IdentitySettings, subject: str) -> bool:
    if item.subject_pattern is None:
        return item.subject == subject
    return matches(item.subject_pattern, subject)


def matches(pattern: str, text: str) -> bool:
    """Whether a text is one that a pattern means, in full. Takes no longer than the text is, a piece at a time."""
    wanted, given = pattern.split("/"), text.split("/")
    return len(wanted) == len(given) and all(map(_segment, wanted, given))


def _segment(pattern: str, text: str) -> bool:
    first, *middle = pattern.split("*")
    if not middle:
        return pattern == text
    last = middle.pop()
    if len(text) < len(first) + len(last) or not text.startswith(first) or not text.endswith(last):
        return False
    rest = text[len(first) : len(text) - len(last)]
    if not _STAR.fullmatch(rest):
        return False
    for piece in middle:
        _, found, rest = rest.partition(piece)
        if piece and not found:
            return False
    return True
