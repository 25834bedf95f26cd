"""The manifest of OpenSSF model signing v1.0 (ossf/model-signing-spec, v1.0), method `files`, SHA-256.

Everything on disk is signed: there is no list of paths to ignore, so nothing can lie unsigned beside the weights.
"""

from __future__ import annotations

from collections.abc import Mapping

from gate.attest.statement import Named, check_statement, named_files
from gate.formats.canonical_json import dumps
from gate.formats.intoto import STATEMENT_TYPE
from gate.formats.predicates.model_signature import PREDICATE_TYPE, SINGLE_FILE, root_digest
from gate.model.artifact import ArtifactFile
from gate.model.digest import Digest, hex_of
from gate.model.json import JsonObject


def model_statement(name: str, files: Mapping[str, ArtifactFile], *, is_folder: bool) -> tuple[bytes, Digest]:
    """The statement over a model's files and their root digest; raises `AttestError`.

    `name` is the base name of the model, for people. The keys of `files` are paths relative to the folder; of a
    single file the key does not matter. Links, devices, no files at all, and names that are not plain UTF-8 refuse.
    """
    found = named_files(name, files)
    if not is_folder:
        found = [Named(SINGLE_FILE, found[0].digest)]
    root = root_digest([item.digest for item in found])
    predicate: JsonObject = {
        "resources": [{"algorithm": "sha256", "digest": hex_of(item.digest), "name": item.name} for item in found],
        "serialization": {"allow_symlinks": False, "hash_type": "sha256", "method": "files"},
    }
    payload = dumps(
        {
            "_type": STATEMENT_TYPE,
            "subject": [{"name": name, "digest": {"sha256": hex_of(root)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": predicate,
        }
    )
    check_statement(payload)
    return payload, root
