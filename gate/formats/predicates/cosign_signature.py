"""cosign's signature of an image, in the form of a statement: `https://sigstore.dev/cosign/sign/v1`.

Its predicate says nothing that is read: who signed which digest is all there is. Facts: `method` (`image`) and `files`,
which is empty, because no file is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from gate.formats.intoto import RawStatement
from gate.formats.predicates.common import check_schema, make_statement
from gate.model.evidence import Statement

CLAIM: Final = "artifact.signature"
PREDICATE_TYPE: Final = "https://sigstore.dev/cosign/sign/v1"


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/cosign-signature-v1.json")
    return make_statement(raw, CLAIM, {"method": "image", "files": {}})


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {PREDICATE_TYPE: _read}
