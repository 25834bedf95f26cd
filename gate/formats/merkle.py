"""Merkle trees of RFC 6962, section 2.1, with SHA-256: hashes over leaves, growing trees, proofs of inclusion.

A growing tree is kept as its peaks: the hashes of the perfect subtrees that its size is made of, the largest first.
They are at most 63, give the root, and are all that is needed to add leaves or to prove something about later ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

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


def leaf_hash(data: bytes) -> bytes:
    """The hash of one leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def extend(size: int, peaks: list[bytes], leaf: bytes) -> None:
    """Adds the hash of a leaf to the peaks of a tree of `size` leaves, in place."""
    while size & 1:
        leaf = _node(peaks.pop(), leaf)
        size >>= 1
    peaks.append(leaf)


def root_of(peaks: Sequence[bytes]) -> bytes:
    """The tree hash from its peaks."""
    if not peaks:
        return hashlib.sha256().digest()
    *larger, found = peaks
    for peak in reversed(larger):
        found = _node(peak, found)
    return found


class Tail:
    """The end of a tree: the peaks over the first `start` leaves, and the hashes of those that follow."""

    def __init__(self, start: int, peaks: Sequence[bytes], leaves: Iterable[bytes]) -> None:
        """Raises `ValueError` where the peaks are not those of a tree of `start` leaves."""
        self._start = start
        self._leaves = list(leaves)
        self._peaks: dict[tuple[int, int], bytes] = {}
        place, rest = 0, list(peaks)
        if len(rest) != start.bit_count():
            raise ValueError("a tree of that size has another number of peaks")
        for bit in reversed(range(start.bit_length())):
            if start >> bit & 1:
                self._peaks[place, place + (1 << bit)] = rest.pop(0)
                place += 1 << bit
        self.size = start + len(self._leaves)

    def inclusion(self, index: int) -> list[bytes]:
        """The proof that a leaf is in the tree, from its sibling upwards; `ValueError` for one that is not known."""
        if not self._start <= index < self.size:
            raise ValueError("no such leaf")
        low, high, proof = 0, self.size, []
        while high - low > 1:
            middle = low + _half(high - low)
            if index < middle:
                proof.append(self._hash(middle, high))
                high = middle
            else:
                proof.append(self._hash(low, middle))
                low = middle
        return proof[::-1]

    def _hash(self, low: int, high: int) -> bytes:
        """The hash over some leaves. What begins before `start` is perfect, and ends there or is cut by it."""
        if low >= self._start:
            peaks: list[bytes] = []
            for number in range(high - low):
                extend(number, peaks, self._leaves[low - self._start + number])
            return root_of(peaks)
        if high <= self._start:
            return self._peaks[low, high]
        middle = low + _half(high - low)
        return _node(self._hash(low, middle), self._hash(middle, high))


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that a proof leads to (RFC 9162, section 2.1.3.2); `None` for a proof of another length."""
    if not 0 <= index < size:
        return None
    last, found = size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            found = _node(sibling, found)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            found = _node(found, sibling)
        index, last = index >> 1, last >> 1
    return found if last == 0 else None


def _half(count: int) -> int:
    """The largest power of two below a count of two or more."""
    return 1 << ((count - 1).bit_length() - 1)


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()
