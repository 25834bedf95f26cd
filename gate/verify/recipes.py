"""Manifests of shards, or of other hashes than SHA-256, against the files at stake (SECURITY 11, 12).

Every digest at stake is that of bytes that were read; nothing is opened for a name out of a manifest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from gate.formats.predicates.model_signature import SINGLE_FILE
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import Subject

_EMPTY = sha256_digest(b"")


def compare_recipes(
    files: Mapping[str, Digest | None],
    resources: Sequence[Subject],
    other_digest: Callable[[Digest, str], str | None],
    *,
    is_single_file: bool,
) -> tuple[Mapping[str, Digest] | None, str | None]:
    """The files' SHA-256 by the manifest's names when it is about exactly these files, else what differs.

    What differs is `None` too for a manifest that has no file with these in common: it is about something else.
    """
    signed = {item.name: item for item in resources}
    if is_single_file and list(signed) == [SINGLE_FILE]:
        signed = {next(iter(files)): signed[SINGLE_FILE]}
    agreeing = {
        path: digest
        for path, digest in files.items()
        if digest is not None and path in signed and _agrees(signed[path], digest, other_digest)
    }
    if agreeing.keys() == files.keys() == signed.keys():
        names = [item.name for item in signed.values()]
        return dict(zip(names, (agreeing[path] for path in signed), strict=True)), None
    differing = min((signed.keys() | files.keys()) - agreeing.keys())
    return None, _problem(differing, files, signed) if agreeing else None


def _agrees(item: Subject, digest: Digest, other_digest: Callable[[Digest, str], str | None]) -> bool:
    ((word, text),) = item.other_digests.items()
    return other_digest(digest, word) == text


def _problem(path: str, files: Mapping[str, Digest | None], signed: Mapping[str, Subject]) -> str:
    if path not in files:
        return f"{path!r} is signed, but it is not there"
    if path not in signed and files[path] == _EMPTY:
        return f"{path!r} is there and empty, but it is not signed: a signature of shards leaves out empty files"
    if path not in signed:
        return f"{path!r} is there, but it is not signed"
    if files[path] is None:
        return f"{path!r} is a link or a device, not a file"
    return f"{path!r} has other {next(iter(signed[path].other_digests))} digests than were signed"
