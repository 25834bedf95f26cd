"""`profile` and `parameters`: what is asked. The two sections that a policy brings, and not what is judged."""

from __future__ import annotations

from gate.errors import PolicyError
from gate.formats import canonical_json
from gate.model.control import Profile
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.json import JsonObject


def profile_sections(profile: Profile) -> JsonObject:
    """Both sections."""
    return {
        "profile": {
            "name": profile.name,
            "controls": {name: {"mode": mode.value} for name, mode in profile.controls.items()},
        },
        "parameters": dict(profile.parameters),
    }


def asked_by(document: InputDocument, profile: Profile) -> InputDocument:
    """The same facts, asked by another profile; raises `PolicyError` for parameters that have no canonical form."""
    value = {**document.value, **profile_sections(profile)}
    try:
        canonical = canonical_json.dumps(value)
    except canonical_json.CanonicalJsonError as error:
        raise PolicyError(f"the input document has no canonical form: {error}") from None
    return InputDocument(value, canonical, sha256_digest(canonical))
