"""Model files of any size that take no room on disk: their weights are holes."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path

from tests.support.ggufs import gguf, tensor

GIB = 1 << 30


def safetensors(path: Path, size: int) -> None:
    """A safetensors file with one tensor of so many bytes."""
    header = b'{"w":{"dtype":"U8","shape":[%d],"data_offsets":[0,%d]}}' % (size, size)
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)


def gguf_file(path: Path, size: int) -> None:
    """A GGUF file with one tensor of so many bytes, a multiple of 32."""
    head = gguf(tensors=(tensor("w", (size // 4,), 0),), data=b"")
    head += bytes(-len(head) % 32)
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)


def torch_zip(path: Path, size: int) -> None:
    """What `torch.save` writes for a tensor of so many bytes, a multiple of 1 MiB; zeros, but no holes."""
    pickled = (
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nq\x00((X\x07\x00\x00\x00storageq\x01ctorch\nByteStorage\nq\x02"
        b"X\x01\x00\x00\x000q\x03X\x03\x00\x00\x00cpuq\x04\x8a\x08" + struct.pack("<q", size) + b"tq\x05QK\x00"
        b"\x8a\x08"
        + struct.pack("<q", size)
        + b"\x85q\x06K\x01\x85q\x07\x89ccollections\nOrderedDict\nq\x08)Rq\x09tq\x0aRq\x0b."
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", b"3\n")
        with archive.open(zipfile.ZipInfo("archive/data/0"), "w", force_zip64=True) as member:
            block = bytes(1 << 20)
            for _ in range(size >> 20):
                member.write(block)
