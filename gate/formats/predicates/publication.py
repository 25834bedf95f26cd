"""What an index of packages or a publisher says of a published file: PyPI publish v1 and npm publish v0.1.

Facts: `index` (`pypi`, `npm`), `publisher` and `package`, `null` where the signed statement does not say them. PyPI's
predicate is empty: who published is the identity that signed, and what the index says beside it is signed by nobody.
npm's names the package and its version, which must be those of each subject. Sources: PEP 740 and the publish
attestation of PyPI's documentation; npm/attestation, specs/publish/v0.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from gate.formats.intoto import EMPTY_PREDICATE, RawStatement, StatementError
from gate.formats.predicates.common import check_schema, make_statement, text
from gate.model.evidence import Statement

CLAIM: Final = "package.publication"
PYPI: Final = EMPTY_PREDICATE
NPM: Final = "https://github.com/npm/attestation/tree/main/specs/publish/v0.1"
_PURL: Final = "pkg:npm/"


def _read_pypi(raw: RawStatement) -> Statement:
    if raw.predicate:
        raise StatementError("predicate", "the predicate is malformed: a publication on PyPI says nothing in it")
    return make_statement(raw, CLAIM, {"index": "pypi", "publisher": None, "package": None})


def _read_npm(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/npm-publish-v0.1.json")
    package = f"{text(raw.predicate, 'name')}@{text(raw.predicate, 'version')}"
    for subject in raw.subjects:
        if not subject.name.startswith(_PURL) or unquote(subject.name.removeprefix(_PURL)) != package:
            raise StatementError(
                "predicate", f"a subject is {subject.name[:200]!r}, the predicate is about {package!r}"
            )
    return make_statement(raw, CLAIM, {"index": "npm", "publisher": None, "package": package})


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {PYPI: _read_pypi, NPM: _read_npm}
