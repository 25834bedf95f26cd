"""OpenSSF model signing v1.0: a manifest over the files of a model (ossf/model-signing-spec, v1.0).

Facts: `method` (`files`, `shards`) and `files` (`{path: digest}`): the SHA-256 of whole files. A manifest of other
hashes or of shards does not say it, so there `files` stays empty until the files at stake were found to be the signed
ones (`gate.verify.binding`). The manifest is exhaustive: the model has these files and no others. The signer's own
`ignore_paths` are read by nobody: what is on disk and not in the manifest is extra. Neither is an empty file that a
manifest of shards leaves out, as the specification wants it to: nothing signed says that it belongs there.

What the reference writes is read where it says the same in other words: `blake2` for `blake2b`, the algorithm of a
shard as `sha256-sharded-<bytes>`, and a shard size such as `1000000.0`.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate.formats.hashes import HEX_LENGTH, MAX_SHARDS, Recipe, is_available
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
SHARD_BYTES: Final = 1_000_000_000
"""The shard size where nobody says another."""
_SHARD: Final = re.compile(r"(.*):(0|[1-9][0-9]{0,15}):([1-9][0-9]{0,15})", re.DOTALL)
_HEX: Final = re.compile(r"[0-9a-f]+")
_ALIASES: Final = {"blake2": "blake2b"}
_MAX_SHARD_BYTES: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class _Part:
    """One resource: a file, or the shard of one from `start` to `end`."""

    name: str
    hexadecimal: str
    start: int = 0
    end: int = 0


def root_digest(digests: Sequence[Digest]) -> Digest:
    """The subject's digest: SHA-256 over the raw digests of the resources, in their order."""
    return _root("".join(hex_of(item) for item in digests))


def shard_name(path: str, start: int, end: int) -> str:
    """The resource name of a shard."""
    return f"{path}:{start}:{end}"


def wanted_digests(statement: Statement) -> Iterator[tuple[str, int | None, str]]:
    """What has to be computed beside SHA-256 to compare a statement's files: path, size where known, recipe word."""
    if statement.predicate_type != PREDICATE_TYPE or all(item.digest is not None for item in statement.resources):
        return
    recipe = _recipe(member(statement.predicate, "serialization"))
    sizes: dict[str, int] = defaultdict(int)
    for part in _parts(statement.predicate, recipe) if recipe.shard_size is not None else ():
        sizes[part.name] = max(sizes[part.name], part.end)
    for item in statement.resources:
        yield item.name, sizes.get(item.name), recipe.word


def _read(raw: RawStatement) -> Statement:
    check_schema(raw, "predicates/model-signature-v1.0.json")
    recipe = _recipe(member(raw.predicate, "serialization"))
    parts = _parts(raw.predicate, recipe)
    resources = tuple(_files(parts, recipe))
    expected = _root("".join(part.hexadecimal for part in parts))
    if len(raw.subjects) != 1 or raw.subjects[0].digest != expected or raw.subjects[0].other_digests:
        raise StatementError("manifest", "the subject is not the SHA-256 of the resources alone")
    names = {item.name for item in resources}
    if SINGLE_FILE in names and len(names) > 1:
        raise StatementError("manifest", "a model that is one file has no other files")
    facts: JsonObject = {
        "files": {item.name: item.digest for item in resources if item.digest is not None},
        "method": "files" if recipe.shard_size is None else "shards",
    }
    return make_statement(raw, CLAIM, facts, resources=resources, exhaustive=True)


def _root(hexadecimal: str) -> Digest:
    return Digest("sha256:" + hashlib.sha256(bytes.fromhex(hexadecimal)).hexdigest())


def _recipe(serialization: JsonValue) -> Recipe:
    method, kind = (text(serialization, word) or "" for word in ("method", "hash_type"))
    algorithm = _ALIASES.get(kind, kind)
    if algorithm not in {"sha256", "blake2b", "blake3"}:
        raise StatementError("serialization", f"hash_type {kind[:80]!r} is none that model signing v1.0 knows")
    if not is_available(algorithm):
        problem = "hash_type blake3 cannot be verified here: its library is not installed (pip install blake3)"
        raise StatementError("serialization", problem)
    if method == "files":
        return Recipe(algorithm)
    if method != "shards":
        raise StatementError("serialization", f"method {method[:80]!r} is neither files nor shards")
    size = member(serialization, "shard_size")
    if isinstance(size, bool) or not isinstance(size, int | float) or size != int(size) or size <= 0:
        raise StatementError("serialization", "shard_size is not a positive whole number of bytes")
    if size > _MAX_SHARD_BYTES:
        raise StatementError("serialization", f"shard_size is more than {_MAX_SHARD_BYTES}")
    return Recipe(algorithm, int(size))


def _parts(predicate: JsonObject, recipe: Recipe) -> list[_Part]:
    value = member(predicate, "resources")
    return [_part(item, recipe) for item in value] if isinstance(value, list) else []


def _part(item: JsonValue, recipe: Recipe) -> _Part:
    name, digest, said = (text(item, word) or "" for word in ("name", "digest", "algorithm"))
    path, start, end = name, 0, 0
    if recipe.shard_size is not None:
        match = _SHARD.fullmatch(name)
        if match is None:
            raise StatementError("manifest", f"resource {name[:120]!r} is not named path:start:end")
        path, start, end = match[1], int(match[2]), int(match[3])
    if path != SINGLE_FILE and not is_plain_relative(path):
        raise StatementError("path", f"resource name {name[:120]!r} does not stay below the model")
    if _ALIASES.get(said, said) not in {recipe.algorithm, recipe.word}:
        raise StatementError("manifest", f"resource {name[:120]!r} has no {recipe.algorithm} digest")
    if len(digest) != HEX_LENGTH[recipe.algorithm] or not _HEX.fullmatch(digest):
        raise StatementError("manifest", f"resource {name[:120]!r} has no {recipe.algorithm} digest")
    return _Part(path, digest, start, end)


def _files(parts: Sequence[_Part], recipe: Recipe) -> Iterator[Subject]:
    """One subject a file. Whole files are named once; shards make up the file from its start, without gaps."""
    by_name: dict[str, list[_Part]] = {}
    for part in parts:
        by_name.setdefault(part.name, []).append(part)
    for name, found in by_name.items():
        if recipe.shard_size is None:
            if len(found) > 1:
                raise StatementError("manifest", f"resource {name[:120]!r} occurs twice")
            digest = digest_from_hex(found[0].hexadecimal) if recipe.algorithm == "sha256" else None
            yield Subject(name, digest, {} if digest else {recipe.word: found[0].hexadecimal})
            continue
        found.sort(key=lambda part: part.start)
        _check_shards(name, found, recipe.shard_size)
        yield Subject(name, None, {recipe.word: "".join(part.hexadecimal for part in found)})


def _check_shards(name: str, parts: Sequence[_Part], size: int) -> None:
    if len(parts) > MAX_SHARDS:
        raise StatementError("manifest", f"{name[:120]!r} has more than {MAX_SHARDS} shards")
    bounds = [0, *(part.end for part in parts)]
    ends_whole = all(end - start == size for start, end in itertools.pairwise(bounds[:-1]))
    if [part.start for part in parts] != bounds[:-1] or not ends_whole or not 0 < bounds[-1] - bounds[-2] <= size:
        problem = f"the shards of {name[:120]!r} are not the file from its start in steps of {size} bytes"
        raise StatementError("manifest", problem)


READERS: Mapping[str, Callable[[RawStatement], Statement]] = {PREDICATE_TYPE: _read}
