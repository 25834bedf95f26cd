"""The manifest of OpenSSF model signing v1.0 (ossf/model-signing-spec, v1.0), SHA-256 of whole files or of shards.

Everything on disk is signed: there is no list of paths to ignore, so nothing can lie unsigned beside the weights.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from gate.attest.statement import check_statement, named_files
from gate.errors import AttestError
from gate.formats.canonical_json import dumps
from gate.formats.hashes import HEX_LENGTH
from gate.formats.intoto import STATEMENT_TYPE
from gate.formats.predicates.model_signature import PREDICATE_TYPE, SINGLE_FILE, shard_name
from gate.model.artifact import ArtifactFile
from gate.model.digest import Digest, hex_of
from gate.model.json import JsonObject

MAX_RESOURCES: Final = 100_000
"""Shards of one model: a manifest of more is larger than any evidence that is read."""
_HEX: Final = HEX_LENGTH["sha256"]


def model_statement(name: str, files: Mapping[str, ArtifactFile], *, is_folder: bool) -> tuple[bytes, Digest]:
    """The statement over a model's files and their root digest; raises `AttestError`.

    `name` is the base name of the model, for people. The keys of `files` are paths relative to the folder; of a
    single file the key does not matter. Links, devices, no files at all, and names that are not plain UTF-8 refuse.
    """
    found = named_files(name, files)
    resources = [(item.name if is_folder else SINGLE_FILE, hex_of(item.digest)) for item in found]
    return _statement(name, resources, {"allow_symlinks": False, "hash_type": "sha256", "method": "files"})


def sharded_statement(
    name: str, files: Mapping[str, ArtifactFile], digests: Mapping[str, str], shard_size: int, *, is_folder: bool
) -> tuple[bytes, Digest]:
    """The same over shards: `digests` are those of each file's shards, one after another in hexadecimal.

    A manifest of shards cannot speak of a file without bytes, so there must be none; raises `AttestError`.
    """
    resources: list[tuple[str, str]] = []
    for item in named_files(name, files):
        size, text = files[item.name].bytes, digests[item.name]
        if not size:
            raise AttestError(
                f"{name}: {item.name!r} is empty, and a signature of shards leaves out empty files",
                hint="sign without --shards, or remove it",
            )
        if len(resources) + len(text) // _HEX > MAX_RESOURCES:
            raise AttestError(f"{name} has more than {MAX_RESOURCES} shards", hint="--shards with a larger size")
        path = item.name if is_folder else SINGLE_FILE
        for number, start in enumerate(range(0, size, shard_size)):
            end = min(start + shard_size, size)
            resources.append((shard_name(path, start, end), text[number * _HEX : (number + 1) * _HEX]))
    serialization: JsonObject = {
        "allow_symlinks": False,
        "hash_type": "sha256",
        "method": "shards",
        "shard_size": shard_size,
    }
    return _statement(name, resources, serialization)


def _statement(name: str, resources: Sequence[tuple[str, str]], serialization: JsonObject) -> tuple[bytes, Digest]:
    root = hashlib.sha256(b"".join(bytes.fromhex(text) for _, text in resources)).hexdigest()
    payload = dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": root}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "resources": [{"algorithm": "sha256", "digest": text, "name": path} for path, text in resources],
                "serialization": serialization,
            },
        }
    )
    check_statement(payload)
    return payload, Digest(f"sha256:{root}")
