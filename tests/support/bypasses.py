"""Ways in which pickles were hidden from scanners, by class: each file runs, or would run, what nobody allowed.

Classes are those that advisories about picklescan, modelscan, fickling and torch describe. The payloads only name
functions; nothing here is ever loaded.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator

from tests.support import samples
from tests.support.torch_files import Call, Key, Named, dumped, saved, saved_legacy, saved_tar, tar_of, tensor

Case = tuple[str, str, str, bytes]
"""The class, a name within it, a file name, and the bytes."""
MARKER = samples.MARKER


def payload(protocol: int = 4, module: str = "os", name: str = "system") -> bytes:
    """A pickle that calls a function."""
    return dumped(Call(Named(module, name), (MARKER,)), protocol)


def cases() -> list[Case]:
    """All of them."""
    made = [_calls, _resolution, _reexports, _indirect, _state, _nested, _streams, _wrappings, _names, _zips, _readings]
    return [case for make in made for case in make()]


def _calls() -> Iterator[Case]:
    for protocol in range(6):
        for module, name in (("os", "system"), ("builtins", "eval"), ("subprocess", "Popen")):
            yield "called by REDUCE", f"{module}.{name}, protocol {protocol}", "m.pkl", payload(protocol, module, name)
    yield "called by INST", "os.system", "m.pkl", b"(" + samples.text(MARKER) + b"ios\nsystem\n."
    yield "called by OBJ", "os.system", "m.pkl", b"(" + samples.named("os", "system") + samples.text(MARKER) + b"o."
    yield "called by OBJ", "pty.spawn", "m.pkl", b"(cpty\nspawn\nS'id'\no."
    new = samples.named("subprocess", "Popen") + samples.args(MARKER)
    yield "made by NEWOBJ", "subprocess.Popen", "m.pkl", b"\x80\x02" + new + b"\x81."
    yield "made by NEWOBJ_EX", "subprocess.Popen", "m.pkl", b"\x80\x04" + new + b"}\x92."
    for name in ("_interpreters", "_xxsubinterpreters", "_posixsubprocess", "atexit", "site", "_io", "_operator"):
        yield "a module that lists forget", name, "m.pkl", payload(4, name, "run_string")
    for module, name in samples.GADGETS:
        yield "a gadget of an advisory", f"{module}.{name}", "m.pkl", payload(2, module, name)


def _resolution() -> Iterator[Case]:
    for name, data in samples.structural():
        yield "a name that has to be resolved", name, "m.pkl", data
    tail = samples.args(MARKER) + b"R."
    decoy = samples.text("collections") + samples.text("OrderedDict")
    for put, get in (
        (b"q\x05", b"h\x05"),
        (b"r\x05\0\0\0", b"j\x05\0\0\0"),
        (b"p5\n", b"g5\n"),
        (b"p 5 \n", b"g0_5\n"),
    ):
        mixed = samples.text("os") + put + b"0" + decoy + b"00" + get + samples.text("system") + b"\x93"
        yield "STACK_GLOBAL out of the memo", repr(put), "m.pkl", b"\x80\x04" + mixed + tail
    again = samples.text("collections") + b"q\x01" + samples.text("os") + b"q\x0100h\x01" + samples.text("system")
    yield "STACK_GLOBAL out of the memo", "written twice", "m.pkl", b"\x80\x04" + again + b"\x93" + tail
    marks = b"(" + samples.text("x") + b"1" + samples.text("os") + samples.text("system") + b"\x93"
    yield "STACK_GLOBAL out of the memo", "behind POP_MARK", "m.pkl", b"\x80\x04" + marks + tail
    sparse = samples.text("os") + b"q\xff" + b"\x94" * 3 + b"0h\xff" + samples.text("system") + b"\x93"
    yield "STACK_GLOBAL out of the memo", "a memo with holes", "m.pkl", b"\x80\x04" + sparse + tail
    for kind, how in (("S", b"S'os'\nS'system'\n"), ("V", b"Vos\nVsystem\n"), ("U", b"U\x02osU\x06system")):
        yield "STACK_GLOBAL of old texts", kind, "m.pkl", b"\x80\x04" + how + b"\x93" + tail
    for text in ("\\x6f\\x73", "o\\163"):
        yield "STACK_GLOBAL of old texts", text, "m.pkl", b"\x80\x04S'" + text.encode() + b"'\nS'system'\n\x93" + tail
    yield "STACK_GLOBAL of old texts", "escape", "m.pkl", b"\x80\x04V\\u006fs\nVsystem\n\x93" + tail
    for number, code in ((1, b"\x82\x01"), (2, b"\x83\x01\x01"), (4, b"\x84\x01\x01\x01\x01")):
        yield "extension registry", f"EXT{number}", "m.pkl", b"\x80\x02" + code + tail


def _reexports() -> Iterator[Case]:
    for module, name in (
        ("torch.serialization.os", "system"), ("torch.storage.io", "open"), ("numpy.f2py.os", "system"),
        ("torch._utils.sys", "modules"), ("collections.abc.sys", "modules"), ("numpy.core.os", "system"),
        ("joblib.numpy_pickle.os", "system"), ("sklearn.utils.os", "system"), ("asyncio.unix_events.os", "system"),
    ):  # fmt: skip
        yield "a module that another one holds", f"{module}.{name}", "m.pt", saved(Call(Named(module, name), (MARKER,)))
    for module, name in (
        ("torch", "serialization.os.system"), ("torch", "hub.load"), ("collections", "OrderedDict.__reduce__"),
        ("builtins", "set.__init_subclass__"), ("numpy", "ndarray.tofile"), ("numpy", "f2py.crackfortran.getlincoef"),
        ("sklearn.pipeline", "Pipeline.fit"), ("torch._utils", "sys.modules"), ("joblib.numpy_pickle", "os.system"),
    ):  # fmt: skip
        yield "attributes of what is allowed", f"{module}:{name}", "m.pkl", payload(4, module, name)
        yield "attributes of what is allowed", f"{module}:{name}, protocol 2", "m.pkl", payload(2, module, name)
    for module in ("Os", "os ", " os", "os\u200b", "\uff4fs", "o\u0073\u0301", "os.", ".os", "OS", "posix\x00"):
        yield "a module under another name", repr(module), "m.pkl", payload(4, module, "system")
    for module, name in (("__builtin__", "eval"), ("exceptions", "BaseException"), ("copy_reg", "add_extension")):
        yield "a name of Python 2", f"{module}.{name}", "m.pkl", payload(0, module, name)
    for module, name in (("torch", "FloatStorage.from_file"), ("torch.storage", "TypedStorage.from_file")):
        yield "a name near an allowed one", f"{module}.{name}", "m.pkl", payload(4, module, name)
    for module, name in (("sklearn.linear_model", "LogisticRegression"), ("numpy.random", "Generator")):
        yield "a name near an allowed one", f"{module}.{name}", "m.pkl", payload(4, module, name)


def _indirect() -> Iterator[Case]:
    for module, name in (
        ("functools", "partial"), ("functools", "reduce"), ("operator", "attrgetter"), ("operator", "methodcaller"),
        ("_operator", "attrgetter"), ("builtins", "getattr"), ("builtins", "map"), ("builtins", "filter"),
        ("importlib", "import_module"), ("pkgutil", "resolve_name"), ("types", "FunctionType"),
        ("copyreg", "add_extension"),
        ("copyreg", "_reconstructor"), ("copyreg", "__newobj__"), ("weakref", "finalize"), ("logging", "FileHandler"),
        ("dill._dill", "_create_type"), ("cloudpickle.cloudpickle", "_builtin_type"),
        ("torch.fx.graph_module", "reduce_graph_module"),
    ):  # fmt: skip
        yield "a function that reaches others", f"{module}.{name}", "m.pkl", payload(4, module, name)
    reconstructed = Call(
        Named("copyreg", "_reconstructor"), (Named("subprocess", "Popen"), Named("builtins", "object"), None)
    )
    yield "a function that reaches others", "an object of any class", "m.pkl", dumped(reconstructed)
    based = (Named("sklearn.pipeline", "Pipeline"), Named("sklearn.pipeline", "Pipeline"), ("x",))
    yield (
        "a function that reaches others",
        "an object with a base",
        "m.pkl",
        dumped(Call(Named("copyreg", "_reconstructor"), based)),
    )
    made = Call(Named("numpy.random._pickle", "__bit_generator_ctor"), (Named("subprocess", "Popen"),))
    yield "a function that reaches others", "a generator of any class", "m.pkl", dumped(made)
    for name in ("Pipeline", "ColumnTransformer"):
        where = "sklearn.pipeline" if name == "Pipeline" else "sklearn.compose._column_transformer"
        yield "a constructor that is run", name, "m.pkl", dumped(Call(Named(where, name), ([],)))
    yield (
        "a constructor that is run",
        "a module",
        "m.pt",
        saved(Call(Named("torch.nn.modules.linear", "Linear"), (2, 2))),
    )
    array = Call(Named("numpy.core.multiarray", "_reconstruct"), (Named("subprocess", "Popen"), (0,), b"b"))
    yield "a class of its own for an array", "Popen", "m.pkl", dumped(array)
    typed = Call(
        Named("torch._tensor", "_rebuild_from_type_v2"),
        (Named("os", "system"), Named("builtins", "str"), (MARKER,), {}),
    )
    yield "a function that torch calls", "_rebuild_from_type_v2", "m.pt", saved(typed)
    yield (
        "a function that is handed on",
        "a default",
        "m.pkl",
        dumped(Call(Named("collections", "defaultdict"), (Named("os", "getcwd"),))),
    )


def _state() -> Iterator[Case]:
    for key in ("__setstate__", "__class__", "__reduce_ex__", "__dict__"):
        state = {key: Named("builtins", "str")}
        linear = Call(Named("torch.nn.modules.linear", "Linear"), (), state, new=True)
        yield "a state with special methods", f"{key} of a module", "m.pt", saved(linear)
        ordered = Call(Named("collections", "OrderedDict"), (), state)
        yield "a state with special methods", f"{key} of a dictionary", "m.pkl", dumped(ordered)
    slots = Call(Named("sklearn.pipeline", "Pipeline"), (), (None, {"steps": []}), new=True)
    yield "a state in slots", "Pipeline", "m.pkl", dumped(slots)
    yield (
        "a state for what is not allowed",
        "BUILD",
        "m.pkl",
        dumped(Call(Named("evil", "Net"), (), {"a": 1}, new=True)),
    )
    yield (
        "a state for what is not allowed",
        "BUILD of a function",
        "m.pkl",
        b"\x80\x02" + samples.named("os", "system") + b"}b.",
    )
    for position in (-1, 625, 1 << 30):
        generator = Call(Named("numpy.random._pickle", "__bit_generator_ctor"), ("MT19937",))
        generator.state = {"bit_generator": "MT19937", "state": {"key": 0, "pos": position}}
        yield "a state that C believes", f"position {position}", "m.pkl", dumped(generator)
    for offset, shape in ((100, (2,)), (0, (1 << 40,)), (-1, (1,))):
        moved = tensor(2)
        moved.args = (moved.args[0], offset, shape, (1,), *moved.args[4:])
        yield "a tensor outside its storage", f"{offset} {shape}", "m.pt", saved(moved)
    yield (
        "items of what is no dictionary",
        "a tensor",
        "m.pt",
        samples.torch_zip(
            samples.state_dict(a=samples.tensor("0", (2, 3)) + b"(K\x00K\x01u", b=samples.tensor("1", (3,)))
        ),
    )
    yield "a persistent id", "in a bare pickle", "m.pkl", b"\x80\x02" + samples.text("os.system") + b"Q."
    yield (
        "a persistent id",
        "of its own kind",
        "m.pt",
        samples.torch_zip(b"\x80\x02" + samples.args("module", "os") + b"Q."),
    )
    yield "a persistent id", "of a key that is not there", "m.pt", saved_tar({"w": Key(1)}, [])


def _nested() -> Iterator[Case]:
    inner = payload(4)
    for module, name in (
        ("pickle", "loads"), ("_pickle", "loads"), ("torch.storage", "_load_from_bytes"), ("marshal", "loads"),
        ("joblib", "load"), ("dill", "loads"), ("cloudpickle", "loads"), ("torch", "load"), ("numpy", "load"),
    ):  # fmt: skip
        yield "a pickle in bytes", f"{module}.{name}", "m.pkl", dumped(Call(Named(module, name), (inner,)), 4)
    for protocol in (2, 4, 5):
        array = Call(Named("numpy.core.multiarray", "_reconstruct"), (Named("numpy", "ndarray"), (0,), b"b"))
        kind = Call(Named("numpy", "dtype"), ("O8", False, True), (3, "|", None, None, None, -1, -1, 63))
        array.state = (1, (1,), kind, False, [Call(Named("os", "system"), (MARKER,))])
        yield "an array of objects", f"protocol {protocol}", "m.pkl", dumped(array, protocol)


def _streams() -> Iterator[Case]:
    good, bad = pickle.dumps({"a": 1}), payload(4)
    for count in (1, 2, 50, 999):
        yield "pickles in a row", f"the last of {count + 1}", "m.pkl", good * count + bad
    for protocol in range(6):
        whole = payload(protocol)
        for name, data in (
            ("cut", whole[:-1]), ("ends in rubbish", whole[:-1] + b"\xff"),
            ("an unknown operation", whole[:-1] + b"\x00."),
            ("no mark", whole[:-1] + b"t."), ("an empty stack", whole[:-1] + b"000000."),
            ("a bad memo", whole[:-1] + b"h\xfe."),
        ):  # fmt: skip
            yield "a pickle that breaks off", f"{name}, protocol {protocol}", "m.pkl", data
    yield "a pickle that breaks off", "a text without end", "m.pkl", bad[:-1] + b"X\xff\xff\xff\x7f"
    yield (
        "a pickle that breaks off",
        "a frame without end",
        "m.pkl",
        bad[:2] + b"\x95" + b"\xff" * 7 + b"\x7f" + bad[2:],
    )
    yield "a pickle that breaks off", "a number that is none", "m.pkl", bad[:-1] + b"I1z\n."
    for number in (b"0x10", b"1_0", b" 7 ", b"0b1", b"+7"):
        yield "a number that only Python reads", repr(number), "m.pkl", b"I" + number + b"\n0" + bad[2:]
    for name, data in (("a long text", b"S'" + b"a" * 300_000 + b"'\n0"), ("many operations", b"N0" * 100_000)):
        yield "far behind", name, "m.pkl", b"\x80\x04" + data + bad[2:]
    yield "far behind", "4 million operations", "m.pkl", b"\x80\x04" + b"N0" * 2_000_001 + bad[2:]


def _tar(**members: bytes) -> bytes:
    """A tar archive of torch without tensors."""
    count = pickle.dumps(0, 2)
    plain = {"sys_info": count, "pickle": count, "tensors": count, "storages": count + pickle.dumps([], 2)}
    return tar_of(plain | members)


WRAPS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "torch archive": ("m.pt", samples.torch_zip),
    "torch archive, deflated": ("m.pt", lambda data: samples.torch_zip(data, method=zipfile.ZIP_DEFLATED)),
    "torch archive, another folder": ("m.bin", lambda data: samples.torch_zip(data, prefix="a b")),
    "torch archive, a second pickle": ("m.pt", lambda data: samples.torch_zip(extra={"data/evil.pkl": data})),
    "torch archive, a renamed pickle": ("m.pt", lambda data: samples.torch_zip(extra={"config.json": data})),
    "torch archive, in a storage": ("m.pt", lambda data: samples.torch_zip(extra={"data/2": data})),
    "torch archive, two objects": ("m.pt", lambda data: samples.torch_zip(samples.state_dict() + data)),
    "torch before 1.6": ("m.pth", samples.legacy_torch),
    "torch before 1.6, first pickle": ("m.pth", lambda data: data + samples.legacy_torch()),
    "torch before 1.6, keys": ("m.pth", lambda data: samples.legacy_torch(keys=data)),
    "torch before 1.6, behind": ("m.pth", lambda data: samples.legacy_torch() + data),
    "torch tar": ("m.pt", lambda data: _tar(pickle=data)),
    "torch tar, system": ("m.pt", lambda data: _tar(sys_info=data)),
    "torch tar, storages": ("m.pt", lambda data: _tar(storages=data)),
    "torch tar, tensors": ("m.pt", lambda data: _tar(tensors=data)),
    "tar": ("m.tar", lambda data: tar_of({"a/model.txt": data})),
    "gzip": ("m.pkl.gz", gzip.compress),
    "gzip under another name": ("m.pkl", gzip.compress),
    "gzip twice": ("m.pkl.gz", lambda data: gzip.compress(gzip.compress(data))),
    "gzip, the second stream": ("m.pkl.gz", lambda data: gzip.compress(pickle.dumps(1)) + gzip.compress(data)),
    "zlib": ("m.joblib", zlib.compress),
    "bz2": ("m.pkl.bz2", bz2.compress),
    "xz": ("m.pkl.xz", lzma.compress),
    "lzma": ("m.joblib", lambda data: lzma.compress(data, lzma.FORMAT_ALONE)),
    "lz4": ("m.pkl.lz4", lambda data: b"\x04\x22\x4d\x18" + data),
    "zstd": ("m.pkl.zst", lambda data: b"\x28\xb5\x2f\xfd" + data),
    "7z": ("m.bin", lambda data: b"7z\xbc\xaf'\x1c\x00\x04" + data),
    "zip": ("m.zip", lambda data: samples.zip_bytes({"model/weights": data})),
    "zip in a zip": ("m.zip", lambda data: samples.zip_bytes({"a.zip": samples.zip_bytes({"b": data})})),
    ".npy of objects": ("a.npy", lambda data: samples.npy("'|O'", "(1,)", data)),
    ".npy of numbers": ("a.npy", lambda data: samples.npy(data=data)),
    ".npz": ("a.npz", lambda data: samples.zip_bytes({"a.npy": samples.npy("'|O'", "(1,)", data)})),
    ".npz, deflated": ("a.npz", lambda data: samples.zip_bytes({"a.npy": samples.npy("'|O'", "(1,)", data)}, method=8)),
    "behind an archive": ("m.pt", lambda data: samples.torch_zip() + data),
    "before an archive": ("m.pt", lambda data: data + samples.torch_zip()),
    "joblib, an array of objects": ("m.joblib", lambda data: _described(None, data)),
    "joblib, compressed": ("m.joblib", lambda data: zlib.compress(_described(None, data))),
    "joblib, behind an array": ("m.joblib", lambda data: _described(8, b"\x01\xff" + b"\0" * 8, data[2:])),
}  # fmt: skip


def _wrappings() -> Iterator[Case]:
    for name, (path, wrap) in WRAPS.items():
        for protocol in (0, 2, 4, 5):
            yield f"wrapped: {name}", f"protocol {protocol}", path, wrap(payload(protocol))
        yield f"wrapped: {name}", "broken", path, wrap(payload(4)[:-1])
    old = saved_legacy({"w": tensor(2), "x": Call(Named("os", "system"), (MARKER,))})
    yield "wrapped: torch before 1.6", "among tensors", "m.pth", old
    among = {"w": tensor(2), "x": Call(Named("os", "system"), (MARKER,))}
    yield "wrapped: torch archive", "among tensors", "m.pt", saved(among)


_SUFFIXES = """bin pt pth ckpt pkl pickle joblib dat data model npy safetensors json txt md yaml csv onnx gguf h5 keras
    png config p dump 7z zip tar gz unknown PKL"""


def _names() -> Iterator[Case]:
    for suffix in _SUFFIXES.split():
        for protocol in (2, 4):
            yield "another name", f".{suffix}, protocol {protocol}", f"model.{suffix}", payload(protocol)
    for name in ("README", "model", ".hidden", "weights/part-1", "LICENSE"):
        yield "another name", name, name, payload(4)
    for head in (b"# a comment\n", b"{}", b"PK", b"\x93NUMPY"):
        yield "another name", f"behind {head!r}", "m.pkl", head + payload(4)


def _zips() -> Iterator[Case]:
    whole = samples.torch_zip(payload(2))
    central = whole.index(b"PK\x01\x02")
    for bit in range(16):
        flags = struct.pack("<H", 1 << bit)
        yield (
            "flags of an archive",
            f"bit {bit}, directory",
            "m.pt",
            whole[: central + 8] + flags + whole[central + 10 :],
        )
        yield "flags of an archive", f"bit {bit}, header", "m.pt", whole[:6] + flags + whole[8:]
    yield "checksum of an archive", "wrong", "m.pt", whole[:14] + b"\1\2\3\4" + whole[18:]
    renamed = whole.replace(b"archive/data.pkl", b"archive/data.txt", 1)
    yield "two names of a member", "header", "m.pt", renamed
    yield (
        "two names of a member",
        "directory",
        "m.pt",
        whole[:central] + whole[central:].replace(b"data.pkl", b"data.txt", 1),
    )
    yield "method of an archive", "unknown", "m.pt", whole[: central + 10] + b"\x63\0" + whole[central + 12 :]
    yield "cut archive", "no directory", "m.pt", whole[:central]
    yield "cut archive", "no end", "m.pt", whole[:-10]
    yield "two archives", "one after the other", "m.pt", samples.torch_zip() + whole
    yield "two archives", "in a comment", "m.pt", samples.zip_bytes({"a": b"x"}, comment=whole[:60_000])
    out = io.BytesIO(samples.torch_zip())
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("archive/DATA.PKL", payload(2))
    yield "two names of a member", "by case", "m.pt", out.getvalue()


def _readings() -> Iterator[Case]:
    """What one reader of joblib's arrays takes for numbers, and another one for operations."""
    hostile = payload(4)[2:]
    inside = b"(" + b"\xff" * 7 + hostile
    for name, data in (
        ("by pickle.load", _described(len(hostile), hostile, padded=False)),
        ("padding that is an operation", _described(len(inside), inside)),
        ("padding that nobody reads", _described(16, b"\x01\xff" + hostile)),
        ("by joblib before 1.2", _old_joblib()),
        ("in a frame", _described(8, b"\x01\xff" + b"\0" * 8, frame=1 << 6)),
        ("described twice", _described(8, b"\x01\xff" + b"\0" * 8, b"h\x02}b.")),
    ):
        yield "arrays read in another way", name, "m.joblib", data


def _described(size: int | None, data: bytes, end: bytes = b".", *, padded: bool = True, frame: int = 0) -> bytes:
    """A file of joblib with one array: of bytes, or of objects if there is no size."""
    code, flags = ("O8", b"K?") if size is None else ("u1", b"K\x00")
    kind = samples.named("numpy", "dtype") + samples.text(code) + b"\x89\x88\x87R"
    kind += b"(K\x03" + samples.text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xff" + flags + b"tb"
    fields = samples.text("subclass") + samples.named("numpy", "ndarray")
    fields += samples.text("shape") + b"J" + struct.pack("<i", 1 if size is None else size) + b"\x85"
    fields += (
        samples.text("order") + samples.text("C") + samples.text("dtype") + kind + samples.text("allow_mmap") + b"\x88"
    )
    if padded:
        fields += samples.text("numpy_array_alignment_bytes") + b"K\x10"
    start = samples.named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81q\x02}(" + fields + b"ub"
    head = (
        b"\x80\x04" if not frame else b"\x80\x04\x95" + struct.pack("<Q", len(start) + min(frame, len(data) + len(end)))
    )
    return head + start + data + end


def _old_joblib() -> bytes:
    """For joblib before 1.2 the array ends where its padding makes it end: the last bytes are operations."""
    tail = b"0h\x08h\x09\x93N\x85R."
    names = samples.text("os") + b"q\x080" + samples.text("system") + b"q\x090"
    data = b"\x10" + b"\xff" * 16 + b"\0" * 15 + tail.rjust(17, b"N")
    whole = _described(32, data, b".")
    return whole[:2] + names + whole[2:]
