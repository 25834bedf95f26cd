"""Makes hostile and harmless samples for inspection: pure functions from values to bytes. Nothing is ever loaded."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MARKER = "echo harmless"
PROTOCOLS = range(6)


# --- pickles, put together by hand ------------------------------------------------------------------------------------


def text(value: str) -> bytes:
    raw = value.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def named(module: str, name: str) -> bytes:
    """GLOBAL."""
    return b"c" + module.encode() + b"\n" + name.encode() + b"\n"


def stacked(module: str, name: str) -> bytes:
    """STACK_GLOBAL with its names on the stack."""
    return text(module) + text(name) + b"\x93"


def remembered(module: str, name: str, put: bytes = b"q\x07", get: bytes = b"h\x07") -> bytes:
    """STACK_GLOBAL with its module out of the memo."""
    return text(module) + put + b"0" + get + text(name) + b"\x93"


def args(*values: str) -> bytes:
    return b"(" + b"".join(text(value) for value in values) + b"t"


def call(module: str, name: str, *values: str, how: Callable[[str, str], bytes] = named) -> bytes:
    return b"\x80\x04" + how(module, name) + args(*(values or (MARKER,))) + b"R."


_GADGETS = """
    os:system posix:system nt:system subprocess:Popen subprocess:check_output builtins:eval builtins:exec
    builtins:getattr builtins:__import__ builtins:compile builtins:open builtins:map builtins:type builtins:print
    __builtin__:eval __builtin__:apply __builtin__:execfile __builtin__:file commands:getoutput pydoc:pipepager
    pydoc:locate pip:main pip._internal:main importlib:import_module importlib.machinery:SourceFileLoader
    operator:attrgetter operator:methodcaller functools:partial functools:reduce types:FunctionType types:CodeType
    code:interact torch.storage:_load_from_bytes torch.serialization:load torch:load torch.hub:load
    torch._utils:_import_dotted_name torch._tensor:_rebuild_from_type_v2 torch.jit:load
    torch._dynamo.guards:GuardBuilder.get torch.utils._config_module:ConfigModule.load_config
    torch.utils.collect_env:run torch._inductor.codecache:compile_file numpy.f2py.crackfortran:getlincoef
    numpy.f2py.crackfortran:myeval numpy.testing._private.utils:runstring numpy:load joblib.numpy_pickle:load
    dill._dill:_create_function cloudpickle.cloudpickle:_make_function
    asyncio.unix_events:_UnixSubprocessTransport._start bdb:Bdb.run cProfile:runctx profile:run pdb:run
    doctest:debug_script ensurepip:_run_pip lib2to3.pgen2.grammar:Grammar.loads
    lib2to3.pgen2.pgen:ParserGenerator.make_label idlelib.autocomplete:AutoComplete.get_entity
    idlelib.pyshell:ModifiedInterpreter.runcode idlelib.run:Executive.runcode logging.config:_resolve timeit:timeit
    trace:Trace.run runpy:run_path shutil:rmtree sys:exit socket:create_connection urllib.request:urlopen
    urllib:urlopen http.client:HTTPSConnection requests.api:get aiohttp.client:ClientSession
    ssl:get_server_certificate smtplib:SMTP webbrowser:open pty:spawn platform:popen
    multiprocessing.util:spawnv_passfds pickle:loads _pickle:loads marshal:loads ctypes:CDLL linecache:getline
    distutils.file_util:write_file _posixsubprocess:fork_exec sysconfig:_main venv:create uuid:_get_command_stdout
    _osx_support:_read_output _aix_support:_read_cmd_output imp:load_source site:execsitecustomize
    signal:raise_signal pkgutil:resolve_name test.support.script_helper:assert_python_ok
    sklearn.linear_model:LinearRegression evil:anything
"""
GADGETS = tuple((module, name) for module, _, name in (word.partition(":") for word in _GADGETS.split()))


def structural() -> Iterator[tuple[str, bytes]]:
    """Shapes that hide what is called, each naming something that is not allowed."""
    tail = args(MARKER) + b"R."
    for how in (stacked, remembered):
        yield f"{how.__name__}", call("os", "system", how=how)
    yield "long memo", call("os", "system", how=lambda m, n: remembered(m, n, b"r\x07\0\0\0", b"j\x07\0\0\0"))
    yield "line memo", call("os", "system", how=lambda m, n: remembered(m, n, b"p7\n", b"g7\n"))
    yield "memoize", call("os", "system", how=lambda m, n: remembered(m, n, b"\x94", b"h\x00"))
    yield "dup", b"\x80\x04" + text("os") + b"2\x93" + tail
    yield "dotted", b"\x80\x04" + stacked("collections", "OrderedDict.fromkeys.__func__") + tail
    yield "dotted allowed module", b"\x80\x04" + named("torch", "serialization.os.system") + tail
    yield "dotted builtins", b"\x80\x04" + stacked("builtins", "set.__class__") + tail
    yield "unresolved", b"\x80\x04" + b"C\x02os" + text("system") + b"\x93" + tail
    yield "escaped names", b"\x80\x04" + b"S'o\\x73'\n" + b"S'system'\n\x93" + tail
    yield "long name", b"\x80\x04" + text("o" * 600) + text("system") + b"\x93" + tail
    yield "name out of a tuple", b"\x80\x04" + text("os") + b"\x85" + text("system") + b"\x93" + tail
    yield "inst", b"(" + text(MARKER) + b"ios\nsystem\n."
    yield "inst without arguments", b"(ievil\nClass\n."
    yield "obj", b"(" + named("os", "system") + text(MARKER) + b"o."
    yield "newobj", b"\x80\x02" + named("evil", "Class") + b")\x81."
    yield "newobj_ex", b"\x80\x04" + stacked("evil", "Class") + b")}\x92."
    yield "build", b"\x80\x02" + named("evil", "Class") + b")\x81}" + text("a") + text("b") + b"sb."
    yield "build on a global", b"\x80\x02" + named("evil", "function") + b"}b."
    yield "ext1", b"\x80\x02\x82\x01" + tail
    yield "ext2", b"\x80\x02\x83\x01\x02" + tail
    yield "ext4", b"\x80\x02\x84\x01\x02\x03\x04" + tail


def misuses() -> Iterator[tuple[str, bytes]]:
    """Allowed names, used in ways that are not."""
    yield "line persid", b"Pos.system\n."
    yield "persid", b"\x80\x02" + text("os.system") + b"Q."
    yield (
        "state of a mapping",
        b"\x80\x02"
        + named("collections", "OrderedDict")
        + b")R}"
        + text("__setstate__")
        + (named("builtins", "int") + b"sb."),
    )
    yield "state of a class", b"\x80\x02" + named("collections", "OrderedDict") + b"}b."
    yield "slot state", b"\x80\x02" + named("collections", "OrderedDict") + b")RN}" + text("a") + text("b") + b"s\x86b."
    yield (
        "function handed on",
        b"\x80\x02" + named("collections", "defaultdict") + named("_codecs", "encode") + b"\x85R.",
    )
    yield "function in a list", b"]" + named("_codecs", "encode") + b"a."
    yield "function as an item", b"}" + text("x") + named("_codecs", "encode") + b"s."
    yield "other codec", b"\x80\x02" + named("_codecs", "encode") + args("x", "rot13") + b"R."
    yield "value called", b"\x80\x02" + named("torch", "float32") + b")R."
    yield "data called", b"\x80\x02" + text("x") + b")R."
    yield "function made an object", b"\x80\x02" + named("_codecs", "encode") + args("x", "latin1") + b"\x81."
    yield "arguments that are no tuple", b"\x80\x02" + named("collections", "OrderedDict") + b"]R."
    yield "append to a mapping", b"\x80\x02" + named("collections", "OrderedDict") + b")RK\x01a."
    yield "item of a list", b"]K\x01K\x02s."
    yield "items of an array", b"\x80\x02" + named("torch", "device") + args("cpu") + b"R(K\x01K\x02u."
    yield (
        "named arguments",
        b"\x80\x04" + stacked("collections", "OrderedDict") + b")}" + text("a") + text("b") + b"s\x92.",
    )
    yield "buffer", b"\x80\x05\x97."
    yield "readonly buffer", b"\x80\x05C\x01x\x98."


def broken() -> Iterator[tuple[str, bytes]]:
    """Streams that break off, go on, or bend the format."""
    yield "broken tail", b"\x80\x04" + named("os", "system") + args(MARKER) + b"R\xff\xff"
    yield "cut", call("os", "system")[:-1]
    yield "second pickle", pickle.dumps([1]) + call("os", "system")
    yield "third pickle", pickle.dumps([1]) + pickle.dumps({}) + call("os", "system", how=stacked)
    yield "behind a comment", b"S'" + b"a" * 300_000 + b"'\n0" + call("os", "system")[2:]
    yield "no protocol", named("os", "system") + args(MARKER) + b"R."
    yield "no stop", named("os", "system")
    yield "junk behind", pickle.dumps([1]) + b"\x00\x01junk"
    yield "unknown protocol", b"\x80\x07N."
    yield "frame too long", b"\x80\x04\x95" + b"\xff" * 8 + call("os", "system")
    yield (
        "numpy subclass",
        b"\x80\x02"
        + named("numpy.core.multiarray", "_reconstruct")
        + (named("evil", "Array") + b"K\x00\x85C\x01b\x87R."),
    )
    yield (
        "structured type",
        b"\x80\x02"
        + named("numpy", "dtype")
        + b"X\x02\0\0\0V8\x89\x88\x87R"
        + (b"(K\x03" + text("|") + b"N" + text("a") + b"\x85}K\x08K\x01K\x10tb."),
    )
    yield "crafted type", b"\x80\x02" + named("numpy", "dtype") + args("evil") + b"R."


def bypasses() -> Mapping[str, bytes]:
    """All pickles that must never pass, by name."""
    found = {f"{module}.{name}": call(module, name) for module, name in GADGETS}
    found |= {f"{module}.{name} from the stack": call(module, name, how=stacked) for module, name in GADGETS}
    return found | dict(structural()) | dict(misuses()) | dict(broken())


def plain_values() -> tuple[Any, ...]:
    """Values whose pickles are harmless."""
    shared = [1]
    return (
        None, True, 0, -1, 255, 65536, 2**31, -(2**70), 2**300, 1.5, float("inf"), -0.0, "", "text", "\u00e9\n\\u",
        "x" * 5000, b"", b"\x00" * 300, bytearray(b"x"), (), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4), [], [1],
        list(range(2000)), {}, {"a": {"b": [1]}}, {1: 2}, set(), {1, 2}, frozenset({3}), 1j, [shared, shared],
        {"k" * 600: 1},
    )  # fmt: skip


# --- torch ------------------------------------------------------------------------------------------------------------


def storage_id(key: str, count: int, kind: str = "FloatStorage", module: str = "torch") -> bytes:
    head = text("storage") + named(module, kind) + text(key) + text("cpu")
    return b"(" + head + b"J" + struct.pack("<i", count) + b"tQ"


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(b"J" + struct.pack("<i", value) for value in values) + b"t"


def tensor(
    key: str, shape: tuple[int, ...], *, offset: int = 0, strides: tuple[int, ...] = (), count: int = -1
) -> bytes:
    steps: list[int] = []
    total = 1
    for extent in reversed(shape):
        steps.insert(0, total)
        total *= extent
    body = storage_id(key, total if count < 0 else count) + b"J" + struct.pack("<i", offset)
    body += numbers(*shape) + numbers(*(strides or steps)) + b"\x89" + named("collections", "OrderedDict") + b")R"
    return named("torch._utils", "_rebuild_tensor_v2") + b"(" + body + b"tR"


def state_dict(**tensors: bytes) -> bytes:
    """What `torch.save(model.state_dict())` writes into data.pkl."""
    items = b"".join(text(name) + code for name, code in tensors.items())
    metadata = b"}" + text("_metadata") + named("collections", "OrderedDict") + b")Rsb"
    return b"\x80\x02" + named("collections", "OrderedDict") + b")R(" + items + b"u" + metadata + b"."


def zip_bytes(members: Mapping[str, bytes], *, method: int = zipfile.ZIP_STORED, comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, method)
        archive.comment = comment
    return out.getvalue()


def torch_zip(
    data: bytes | None = None,
    *,
    prefix: str = "archive",
    method: int = zipfile.ZIP_STORED,
    extra: Mapping[str, bytes] | None = None,
) -> bytes:
    members = {
        f"{prefix}/data.pkl": state_dict(weight=tensor("0", (2, 3)), bias=tensor("1", (3,))) if data is None else data,
        f"{prefix}/byteorder": b"little",
        f"{prefix}/data/0": b"\x00" * 24,
        f"{prefix}/data/1": b"\x01" * 12,
        f"{prefix}/version": b"3\n",
        f"{prefix}/.data/serialization_id": b"0123456789" * 4,
    }
    return zip_bytes(members | {f"{prefix}/{name}": value for name, value in (extra or {}).items()}, method=method)


def legacy_torch(data: bytes | None = None, keys: bytes | None = None, raw: bytes | None = None) -> bytes:
    """What `torch.save` wrote before version 1.6."""
    body = b"\x80\x02}" + text("weight") + tensor("7", (2,)) + b"s." if data is None else data
    head = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    tail = struct.pack("<q", 2) + b"\x00" * 8 if raw is None else raw
    return head + body + (pickle.dumps(["7"], 2) if keys is None else keys) + tail


# --- arrays and safetensors -------------------------------------------------------------------------------------------


def dtype_pickle(code: str = "f8", order: str = "<") -> bytes:
    state = b"(K\x03" + text(order) + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
    return named("numpy", "dtype") + text(code) + b"\x89\x88\x87R" + state


def array_pickle(module: str = "numpy.core.multiarray", data: bytes = b"\x00" * 16) -> bytes:
    """What pickling an array of two doubles gives, as joblib stores small ones."""
    start = named(module, "_reconstruct") + named("numpy", "ndarray") + b"K\x00\x85C\x01b\x87R"
    state = b"(K\x01K\x02\x85" + dtype_pickle() + b"\x89C" + bytes((len(data),)) + data + b"tb"
    return b"\x80\x03" + start + state + b"."


def npy(
    descr: str = "'<f8'", shape: str = "(2,)", data: bytes = b"\x00" * 16, *, version: int = 1, order: str = "False"
) -> bytes:
    header = f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode()
    width = "<H" if version == 1 else "<I"
    return b"\x93NUMPY" + bytes((version, 0)) + struct.pack(width, len(header)) + header + data


def safetensors_and_pickle(payload: bytes) -> bytes:
    """A whole safetensors file whose length reads as SHORT_BINBYTES (`C`): an unpickler jumps into the header.

    There SHORT_BINSTRING (`U`) jumps from one to the next, inside a JSON text, and at last over the header's end.
    """
    length, size, start = 0x6443, len(payload) + 100, 102
    tail = f'"}},"w":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}'.encode()
    header = b'{"__metadata__":{"a":"'.ljust(start - 8, b"x")
    while length - len(header) > 248:
        header += b"U~" + b"y" * 126
    last = 120  # bytes: the last jump ends exactly where the header does
    filler = length - len(header) - last - 2
    header += b"U" + bytes((filler,)) + b"z" * filler + b"U" + bytes((last - 2,)) + tail
    return struct.pack("<Q", length) + header.ljust(length) + payload.ljust(size, b"\0")


def safetensors(
    header: Any = None, data: bytes = b"\x00" * 8, *, raw: bytes | None = None, length: int | None = None
) -> bytes:
    if header is None:
        header = {"__metadata__": {"format": "pt"}, "w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
    text_ = json.dumps(header).encode() if raw is None else raw
    return struct.pack("<Q", len(text_) if length is None else length) + text_ + data
