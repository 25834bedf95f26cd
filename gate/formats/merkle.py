"""Merkle tree hashes of RFC 6962, section 2.1, with SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from gate.model.digest import Digest, hex_of


def root(leaves: Sequence[bytes]) -> Digest:
    """The tree hash over leaves in their order; that of no leaves is the hash of nothing."""
    level = [hashlib.sha256(b"\x00" + leaf).digest() for leaf in leaves]
    if not level:
        return Digest("sha256:" + hashlib.sha256().hexdigest())
    while len(level) > 1:
        # The last node of an odd level is carried up as it is, which splits the tree as the RFC does.
        pairs = [hashlib.sha256(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level) - 1, 2)]
        level = pairs + level[len(level) & ~1 :]
    return Digest("sha256:" + level[0].hex())


def files_root(files: Mapping[str, Digest]) -> Digest:
    """The tree hash over files, sorted by path as UTF-8: a leaf is path, NUL and the 32 bytes of the file's SHA-256."""
    return root(
        [path.encode() + b"\x00" + bytes.fromhex(hex_of(files[path])) for path in sorted(files, key=str.encode)]
    )
