"""Parts that inputs are built of: harmless values, what must never pass, and containers around both."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import pickle
import pickletools
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from tests.fuzz.target import Sample
from tests.support import samples

MODELS: Final = Path(__file__).resolve().parents[1] / "vectors" / "models"
NAMES: Final = st.sampled_from(("a", "weights", "x/y", "model.part", "data", "Z"))
COMPRESSORS: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    "zlib": zlib.compress,
}
SUFFIXES: Final = {"gzip": ".gz", "bz2": ".bz2", "xz": ".xz", "lzma": ".joblib", "zlib": ".joblib"}
PLAIN: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12) | st.binary(max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=4), inner, max_size=4)
        | st.tuples(inner, inner)
        | st.frozensets(st.integers(), max_size=3)
    ),
    max_leaves=12,
)
_WAYS: Final = (samples.named, samples.stacked, samples.remembered)
_EXECUTED: Final = (b"R", b"\x81")


@st.composite
def pickles(draw: st.DrawFn) -> bytes:
    """A pickle of plain data, of any protocol."""
    return pickle.dumps(draw(PLAIN), draw(st.integers(0, 5)))


@st.composite
def gadgets(draw: st.DrawFn) -> bytes:
    """Operations that import what is not allowed, call it, and leave the stack as it was."""
    module, name = draw(st.sampled_from(samples.GADGETS))
    way = draw(st.sampled_from(_WAYS))
    if draw(st.integers(0, 5)) == 0:
        return b"(" + samples.text("x") + f"i{module}\n{name}\n".encode() + b"0"
    return way(module, name) + samples.args("x") + draw(st.sampled_from(_EXECUTED)) + b"0"


@st.composite
def infected(draw: st.DrawFn) -> bytes:
    """A pickle with a gadget between any two of its operations, or one of the known bypasses behind or before it."""
    good = draw(pickles())
    if draw(st.integers(0, 3)) == 0:
        evil = draw(st.sampled_from(_BYPASSES))
        return draw(st.sampled_from((evil, good + evil, evil + good)))
    # In front of STOP at the latest: what follows it is the second pickle of the stream.
    places = [at or 0 for _, _, at in pickletools.genops(good)]
    at = draw(st.sampled_from(places))
    return good[:at] + draw(gadgets()) + good[at:]


_BYPASSES: Final = tuple(samples.bypasses().values())
_LEAVES: Final = (
    Sample("run.py", b"print(1)\n"),
    Sample("lib/tool.so", b"\x7fELF" + bytes(60)),
    Sample("config.json", b'{"auto_map": {"AutoModel": "evil.Model"}}'),
    Sample("a/config.yaml", b"model:\n  _target_: os.system\n"),
    Sample("chat_template.jinja", b"{{ x.__class__ }}"),
    Sample("README.md", b"PK\x03\x04 not text \x00"),
    Sample("model.h5", (MODELS / "lambda_fixed.h5").read_bytes()),
    Sample("model.llamafile", b"MZqFpD='\n" + bytes(60)),
)
_HARMLESS: Final = (
    Sample("README.md", b"# a model\n"),
    Sample("config.json", b'{"hidden_size": 4}'),
    Sample("a.npy", samples.npy()),
    Sample("w.safetensors", samples.safetensors()),
    Sample("vocab.txt", b"a\nb\n"),
)


@st.composite
def dangers(draw: st.DrawFn) -> Sample:
    """One file that must never pass."""
    if draw(st.booleans()):
        return Sample(draw(NAMES) + draw(st.sampled_from((".pkl", ".bin", ".pt", ".joblib"))), draw(infected()), True)
    leaf = draw(st.sampled_from(_LEAVES))
    return Sample(leaf.name, leaf.data, dangerous=True)


@st.composite
def folders(draw: st.DrawFn, content: st.SearchStrategy[Sample]) -> dict[str, bytes]:
    """Some harmless files and one of `content`, in any order; names never collide."""
    chosen = draw(content)
    around = draw(st.lists(st.sampled_from(_HARMLESS), max_size=3, unique_by=lambda item: item.name))
    members = [(f"{number}/{item.name}", item.data) for number, item in enumerate(around)]
    members.insert(draw(st.integers(0, len(members))), (f"m/{chosen.name}", chosen.data))
    return dict(members)


def zipped(members: Mapping[str, bytes], method: int) -> bytes:
    return samples.zip_bytes(members, method=method)


def tarred(members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


METHODS: Final = st.sampled_from((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
FORMS: Final = st.sampled_from((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))


@st.composite
def wrapped(draw: st.DrawFn, content: st.SearchStrategy[Sample], levels: int = 2) -> Sample:
    """A file inside up to so many containers."""
    sample = draw(content)
    for _ in range(draw(st.integers(0, levels))):
        inner = Sample(sample.name, sample.data)
        match draw(st.integers(0, 2)):
            case 0:
                data, name = zipped(draw(folders(st.just(inner))), draw(METHODS)), "box.zip"
            case 1:
                data, name = tarred(draw(folders(st.just(inner))), draw(FORMS)), "box.tar"
            case _:
                kind = draw(st.sampled_from(sorted(COMPRESSORS)))
                data, name = COMPRESSORS[kind](sample.data), sample.name + SUFFIXES[kind]
        sample = Sample(name, data, sample.dangerous)
    return sample


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()
