"""OpenSSF model signing v1.0: a manifest over the files of a model (ossf/model-signing-spec, v1.0).

Facts: `files` (`{path: digest}`) and `method`. The manifest is exhaustive: the model has these files and no
others. The signer's own `ignore_paths` are read by nobody: what is on disk and not in the manifest is extra.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from gate.formats.intoto import RawStatement, StatementError
from gate.formats.predicates.common import check_schema, make_statement, member, text
from gate.model.digest import Digest, digest_from_hex, hex_of
from gate.model.evidence import Statement, Subject
from gate.model.json import JsonObject, JsonValue
from gate.model.path import is_plain_relative

CLAIM = "artifact.signature"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"
SINGLE_FILE = "."
"""The resource name of a model that is one file."""


def root_digest(digests: list[Digest]) -> Digest:
    """The subject's digest: SHA-256 over the raw digests of the resources, in their order."""
    return Digest("sha256:" + hashlib.sha256(b"".join(bytes.fromhex(hex_of(item)) for item in digests)).hexdigest())


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/model-signature-v1.0.json")
    method, kind = (text(raw.predicate, "serialization", word) for word in ("method", "hash_type"))
    if method != "files" or kind != "sha256":
        raise StatementError("serialization", f"files hashed whole by sha256 are verified, this is {method}, {kind}")
    resources = _resources(member(raw.predicate, "resources"))
    expected = root_digest([item.digest or Digest("") for item in resources])
    if len(raw.subjects) != 1 or raw.subjects[0].digest != expected or raw.subjects[0].other_digests:
        raise StatementError("manifest", "the subject is not the SHA-256 of the resources alone")
    facts: JsonObject = {"files": {item.name: item.digest for item in resources}, "method": method}
    return make_statement(raw, CLAIM, facts, resources=resources, exhaustive=True)


def _resources(value: JsonValue) -> tuple[Subject, ...]:
    found: dict[str, Subject] = {}
    for item in value if isinstance(value, list) else []:
        name = text(item, "name") or ""
        digest = digest_from_hex(text(item, "digest") or "")
        if name != SINGLE_FILE and not is_plain_relative(name):
            raise StatementError("path", f"resource name {name[:120]!r} does not stay below the model")
        if name in found:
            raise StatementError("manifest", f"resource {name[:120]!r} occurs twice")
        if digest is None or text(item, "algorithm") != "sha256":
            raise StatementError("manifest", f"resource {name[:120]!r} has no sha256 digest")
        found[name] = Subject(name, digest)
    if SINGLE_FILE in found and len(found) > 1:
        raise StatementError("manifest", "a model that is one file has no other files")
    return tuple(found.values())


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {PREDICATE_TYPE: _read}
