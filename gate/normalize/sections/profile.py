"""`profile` and `parameters`: what is asked. The two sections that a policy brings, and not what is judged."""

from __future__ import annotations

from gate.errors import ConfigError, PolicyError
from gate.formats import canonical_json
from gate.formats.secrets import clean_text, redacted
from gate.model.control import Profile
from gate.model.digest import sha256_digest
from gate.model.document import InputDocument
from gate.model.json import JsonObject


def profile_sections(profile: Profile) -> JsonObject:
    """Both sections; raises `ConfigError` where one holds what looks like a secret.

    No document holds one, so a control would compare with something else than its parameter says, and pass.
    """
    sections = _sections(profile)
    if clean_text(sections) is not None:
        return sections
    for control, values in profile.parameters.items():
        for name in values:
            _check_no_secret({name: values[name]}, f"parameter {name} of {control}")
    _check_no_secret(sections, f"profile {profile.name}")
    return sections


def _check_no_secret(value: JsonObject, what: str) -> None:
    if redacted(value, is_outside=True) != value:
        raise ConfigError(
            f"{what}: it looks like a secret, and no control is ever shown one",
            hint="take the secret out; if it is none, say it otherwise, or call the parameter something else",
        )


def _sections(profile: Profile) -> JsonObject:
    return {
        "profile": {
            "name": profile.name,
            "controls": {name: {"mode": mode.value} for name, mode in profile.controls.items()},
        },
        "parameters": dict(profile.parameters),
    }


def asked_by(document: InputDocument, profile: Profile) -> InputDocument:
    """The same facts, asked by another profile.

    Raises `PolicyError` for parameters that have no canonical form, and `ConfigError` like `profile_sections`.
    """
    value = {**document.value, **profile_sections(profile)}
    try:
        canonical = canonical_json.dumps(value)
    except canonical_json.CanonicalJsonError as error:
        raise PolicyError(f"the input document has no canonical form: {error}") from None
    return InputDocument(value, canonical, sha256_digest(canonical))
