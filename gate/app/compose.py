"""`gate attest compose`: a base model and its adapters, bound to one another by the digests of all their files."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.attest import STATEMENT_FOLDER
from gate.app.produce import (
    MAX_STATEMENT,
    Made,
    Place,
    Progress,
    check_target,
    collect_files,
    flat_name,
    names_folder,
    path_below,
    real_path,
    root_of,
    target,
)
from gate.attest.composition import Composition, Part, composition_statement
from gate.attest.files import read_file, replace_file
from gate.attest.statement import named_files, payload_digest
from gate.errors import AttestError
from gate.formats.predicates.composition import CLAIM
from gate.model.digest import sha256_digest
from gate.model.path import path_text

_NAME: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


@dataclass(frozen=True, slots=True)
class ComposeRequest:
    """The composition to state. `depends_on` are statements or bundles, `out` is a file to write."""

    place: Place
    base: Path
    adapters: Sequence[Path]
    name: str | None = None
    depends_on: Sequence[Path] = ()
    out: Path | None = None
    created_s: int | None = None


def compose(request: ComposeRequest, progress: Progress = nullcontext) -> Made:
    """Makes the statement, unsigned; raises `AttestError`, or `EvidenceError` for unreadable files."""
    place = request.place
    root = root_of(place)
    given = [request.base, *request.adapters]
    paths = [real_path(place.start / path) for path in given]
    out = target(place, request.out, root / STATEMENT_FOLDER, f"{_file_name(request, paths, root)}.{CLAIM}.json")
    replaced = check_target(out, paths, bytes)
    dependencies = [payload_digest(read_file(place.start / path, MAX_STATEMENT)) for path in request.depends_on]
    parts, size = [], 0
    for named, path in zip(given, paths, strict=True):
        with progress(f"hashing {named}"):
            part, count = _part(root, path, named)
        parts.append(part)
        size += count
    payload = composition_statement(
        Composition(parts[0], tuple(parts[1:]), request.name, tuple(dependencies), request.created_s)
    )
    replace_file(out, payload)
    subject = " + ".join(str(path) for path in given)
    return Made(CLAIM, subject, sum(len(part.files) for part in parts), size, sha256_digest(payload), out, replaced)


def _file_name(request: ComposeRequest, paths: Sequence[Path], root: Path) -> str:
    if request.name is None:
        return f"{flat_name(paths[-1], root)}{f'+{len(paths) - 2}' if paths[2:] else ''}"
    if not request.name.strip(".") or not set(request.name) <= set(_NAME) or len(request.name) > 100:
        raise AttestError(f"--name {request.name!r} is no plain name", hint="letters, digits, '.', '_' and '-'")
    return request.name


def _part(root: Path, path: Path, given: Path) -> tuple[Part, int]:
    relative = path_below(path, root)
    if relative is None:
        raise AttestError(f"{given} does not lie below {root}", hint="name what lies below it, or give --root")
    is_folder = names_folder(path, given)
    artifact = collect_files(root, relative, str(given))
    prefix = f"{relative}/" if is_folder else relative.removesuffix(path_text(os.fsencode(path.name)))
    return Part(relative, tuple(named_files(str(given), artifact.files, prefix)), is_folder), artifact.bytes
