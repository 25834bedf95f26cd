"""Files of each format, built part by part: true structure with hostile values in it, or with what must never pass."""

from __future__ import annotations

import json
import struct
from typing import Any, Final

import yaml
from hypothesis import strategies as st

from tests.fuzz import parts
from tests.fuzz.mutation import HOSTILE_TEXTS, JSONS, SCALARS
from tests.fuzz.target import Sample
from tests.support import ggufs as gguf_parts
from tests.support import hdf5s as hdf5_parts
from tests.support import protobufs as pb
from tests.support import samples

COUNTS: Final = st.sampled_from((0, 1, 2, 255, 65536, (1 << 31) - 1, 1 << 32, (1 << 63) - 1, (1 << 64) - 1))
SMALL: Final = st.integers(0, 3)
WORDS: Final = st.sampled_from(("a", "b", "name", "weight", *HOSTILE_TEXTS))


@st.composite
def pickle_files(draw: st.DrawFn) -> Sample:
    """Pickles by themselves, as torch writes them, and with bytes that are none behind them."""
    name = draw(st.sampled_from(("model.pkl", "pytorch_model.bin", "a.joblib", "x.pt", "noname.dat")))
    match draw(st.integers(0, 5)):
        case 0:
            return Sample(name, draw(parts.pickles()) + draw(st.binary(max_size=20)))
        case 1:
            return Sample(name, samples.legacy_torch(draw(parts.infected())), dangerous=True)
        case 2:
            return Sample(name, samples.legacy_torch(keys=draw(parts.infected())), dangerous=True)
        case _:
            return Sample(name, draw(parts.infected()), dangerous=True)


@st.composite
def arrays(draw: st.DrawFn) -> Sample:
    if draw(st.booleans()):
        version = draw(st.sampled_from((1, 2, 3)))
        data = samples.npy("'|O'", "(1,)", draw(parts.infected()), version=version)
        return Sample("a.npy", data, dangerous=True)
    code = st.sampled_from(("'<f8'", "'|O'", "'<U9'", "'|V0'", "[]", "'<M8[ns]'", "'>c16'", "1", "None", "''"))
    fields = st.lists(st.tuples(st.just("f"), code), max_size=3)
    descr = draw(code | fields.map(lambda items: f"[{', '.join(f'({name!r}, {kind})' for name, kind in items)}]"))
    shape = draw(st.lists(COUNTS | st.just(-1), max_size=4).map(tuple).map(str))
    wrap = draw(st.sampled_from(("{}", "({},)", "-{}", "[{}]", "{}" + " " * 400, "not {}")))
    deep = draw(st.sampled_from(("", "(" * 150, "-" * 3000, "[" * 90)))
    return Sample("a.npy", samples.npy(descr, deep + wrap.format(shape), draw(st.binary(max_size=30))))


@st.composite
def archives(draw: st.DrawFn) -> Sample:
    """Zip archives of all kinds with something dangerous in them."""
    method = draw(parts.METHODS)
    match draw(st.integers(0, 4)):
        case 0:
            return Sample("model.pt", samples.torch_zip(draw(parts.infected()), method=method), dangerous=True)
        case 1:
            name = draw(st.sampled_from(("extra.pkl", "data/7.pkl", "x.py", "byteorder")))
            content = b"import os\n" * 60 if name.endswith(".py") else draw(parts.infected())
            return Sample("model.pt", samples.torch_zip(extra={name: content}, method=method), dangerous=True)
        case 2:
            evil = samples.npy("'|O'", "(1,)", draw(parts.infected()))
            members = {"a.npy": samples.npy(), "b.npy": evil}
            return Sample("a.npz", samples.zip_bytes(members, method=method), dangerous=True)
        case 3:
            names = draw(
                st.lists(st.sampled_from(("../a.txt", "/a.txt", "a\\b.txt", "C:a.txt")), min_size=1, max_size=2)
            )
            return Sample("a.zip", samples.zip_bytes(dict.fromkeys(names, b"x"), method=method), dangerous=True)
        case _:
            return draw(parts.wrapped(parts.dangers()).filter(lambda sample: sample.name == "box.zip"))


@st.composite
def tar_files(draw: st.DrawFn) -> Sample:
    members = draw(parts.folders(parts.wrapped(parts.dangers(), 1)))
    return Sample("a.tar", parts.tarred(members, draw(parts.FORMS)), dangerous=True)


@st.composite
def safetensors(draw: st.DrawFn) -> Sample:
    """Tensors that follow one another; or with one thing about them that no good file has."""
    header: dict[str, Any] = {}
    end = 0
    for number in range(draw(SMALL)):
        size = draw(st.integers(0, 9))
        header[f"t{number}"] = {"dtype": "U8", "shape": [size], "data_offsets": [end, end + size]}
        end += size
    data = bytes(end)
    wrong = draw(st.integers(0, 6))
    if wrong == 0:
        header["__metadata__"] = {draw(st.sampled_from(("_target_", "auto_map", "x{{"))): draw(st.text(max_size=9))}
    elif wrong == 1:
        data += draw(st.binary(min_size=1, max_size=20))
    elif wrong == 2:
        header["x"] = {"dtype": "U8", "shape": [draw(COUNTS)] * 4, "data_offsets": [end, end + 7]}
        data += bytes(7)
    elif wrong == 3:
        header["x"] = {"dtype": draw(WORDS), "shape": draw(JSONS), "data_offsets": draw(JSONS)}
    elif wrong == 4:
        start = draw(st.integers(0, 1 << 40))
        header["x"] = {"dtype": "F32", "shape": [1], "data_offsets": [start, start + 4]}
    elif wrong == 5:
        return Sample("w.safetensors", samples.safetensors(header, data, length=draw(COUNTS) & (1 << 64) - 1))
    dangerous = wrong < 5 and not (wrong == 4 and header["x"]["data_offsets"][0] == end and end + 4 == len(data))
    return Sample("w.safetensors", samples.safetensors(header, data), dangerous)


@st.composite
def ggufs(draw: st.DrawFn) -> Sample:
    """Keys of every type, templates good and bad, counts and offsets that lie."""
    order = draw(st.sampled_from(("<", "<", ">")))
    pairs, dangerous = [], False
    for number in range(draw(SMALL)):
        match draw(st.integers(0, 4)):
            case 0:
                pairs.append(gguf_parts.text_pair(f"k{number}", draw(WORDS), order))
            case 1:
                kind = draw(st.integers(0, 13))
                pairs.append((f"k{number}".encode(), kind, draw(st.binary(max_size=16))))
            case 2:
                count, kind = draw(COUNTS), draw(st.integers(0, 13))
                pairs.append((f"k{number}".encode(), 9, struct.pack(f"{order}IQ", kind, count) + draw(st.binary())))
            case 3:
                pairs.append((b"general.alignment", 4, struct.pack(f"{order}I", draw(COUNTS) & 0xFFFFFFFF)))
            case _:
                text, bad = draw(template_texts())
                key = draw(st.sampled_from(("tokenizer.chat_template", "tokenizer.chat_template.tool_use")))
                pairs.append(gguf_parts.text_pair(key, text, order))
                dangerous |= bad
    tensors = [
        gguf_parts.tensor(f"t{number}", draw(st.lists(COUNTS, max_size=4)), draw(COUNTS), draw(SMALL), order)
        for number in range(draw(SMALL))
    ]
    counts = draw(st.none() | st.tuples(COUNTS, COUNTS))
    data = gguf_parts.gguf(pairs, tensors, draw(st.binary(max_size=80)), order=order, counts=counts)
    # Whatever stands before the template may break the file off, but then that is a finding.
    return Sample("a.gguf", data, dangerous and counts is None)


@st.composite
def onnx(draw: st.DrawFn) -> Sample:
    """Graphs in graphs, with an operator or a path that leads out of the file."""
    bad = draw(st.integers(0, 4))
    operator, domain = {0: ("PyOp", "com.microsoft"), 1: ("Custom", "evil.domain")}.get(bad, ("Add", ""))
    place = {2: "../../etc/passwd", 3: "/etc/passwd"}.get(bad, "weights.bin")
    entries = (("location", place), ("offset", str(draw(COUNTS))))
    inner = pb.graph(pb.node("Relu"), pb.node(operator, domain), tensors=(pb.tensor(*entries),))
    for _ in range(draw(st.integers(0, 4))):
        attribute = pb.message((1, "body"), (draw(st.sampled_from((6, 11))), inner), (20, 5))
        inner = pb.graph(pb.node("Loop", "", (5, attribute)))
    return Sample("m.onnx", pb.onnx(inner, *draw(_fields())), dangerous=bad < 4)


def _fields() -> st.SearchStrategy[list[tuple[int, Any]]]:
    """Fields of a message that may stand anywhere in it."""
    known = st.sampled_from((1, 2, 3, 4, 5, 6, 14, 99))
    return st.lists(st.tuples(known, st.integers(0, 1 << 63) | st.binary(max_size=6)), max_size=2)


@st.composite
def saved_models(draw: st.DrawFn) -> Sample:
    operator = draw(st.sampled_from(("ReadFile", "WriteFile", "PyFunc", "EagerPyFunc", "Evil", "")))
    node = pb.message((1, "n"), (2, operator))
    good = [pb.message((1, "n"), (2, "AddV2"))] * draw(SMALL)
    if draw(st.booleans()):
        function = pb.message((1, pb.message((1, "__inference_f"))), *((3, item) for item in (*good, node)))
        graph = pb.message((2, pb.message((1, function))))
    else:
        graph = pb.message(*((1, item) for item in (*good, node, *good)))
    metas = [(2, pb.message((1, b""), (2, graph)))]
    metas.insert(draw(st.integers(0, 1)), (2, pb.message((1, b""), (2, b""))))
    return Sample("m/saved_model.pb", pb.message((1, 1), *metas), dangerous=True)


KERAS_CODE: Final = (
    {"class_name": "Lambda", "module": "keras.layers", "config": {}},
    {"class_name": "TFSMLayer", "module": "keras.layers", "config": {"filepath": "x"}},
    {"class_name": "get_file", "module": "keras.utils", "registered_name": None},
    {"class_name": "function", "module": "builtins", "config": "exec", "registered_name": "function"},
    {"class_name": "Dense", "module": "evil", "registered_name": "evil>Dense"},
)


def _nested(evil: object) -> st.SearchStrategy[Any]:
    """A value somewhere inside others."""
    return st.recursive(
        st.just(evil),
        lambda inner: (
            st.tuples(SCALARS, inner).map(list)
            | inner.map(lambda value: {"config": {"layers": [{"units": 3}, value]}})
            | st.tuples(st.text(max_size=4), SCALARS, inner).map(lambda item: {item[0]: item[1], "inside": item[2]})
        ),
        max_leaves=4,
    )


@st.composite
def keras(draw: st.DrawFn) -> Sample:
    config = draw(_nested(draw(st.sampled_from(KERAS_CODE))))
    members = {
        "metadata.json": b"{}",
        "config.json": parts.as_json(config),
        "model.weights.h5": hdf5_parts.newer(hdf5_parts.header()),
    }
    return Sample("m.keras", parts.zipped(members, draw(parts.METHODS)), dangerous=True)


@st.composite
def hdf5s(draw: st.DrawFn) -> Sample:
    """Objects with messages of every kind; settings with a class that runs code."""
    evil = parts.as_json(draw(_nested(draw(st.sampled_from(KERAS_CODE)))))
    version = draw(st.sampled_from((1, 3)))
    wanted = hdf5_parts.attribute("model_config", evil, version=version)
    kinds = st.sampled_from((0, 1, 2, 3, 5, 6, 7, 8, 0x0C, 0x10, 0x11, 0x15, 0x20))
    around = draw(st.lists(st.tuples(kinds, st.binary(max_size=40)), max_size=3))
    if len(evil) > 60_000:
        return Sample("a.h5", hdf5_parts.newer(b""))
    entries = [*around]
    entries.insert(draw(st.integers(0, len(around))), (0x0C, wanted))
    if version == 1:
        root = hdf5_parts.old_header(*((kind, data + bytes(-len(data) % 8)) for kind, data in entries))
        return Sample("a.h5", hdf5_parts.older(root, version=draw(st.integers(0, 1))), dangerous=True)
    root = hdf5_parts.header(*(hdf5_parts.message(kind, data) for kind, data in entries))
    return Sample("a.h5", hdf5_parts.newer(root), dangerous=True)


@st.composite
def skops(draw: st.DrawFn) -> Sample:
    bad = draw(
        st.sampled_from(
            (
                {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"},
                {"__class__": "dict", "__module__": "builtins", "__loader__": "MethodNode"},
                {"__class__": "Popen", "__module__": "subprocess", "__loader__": "ObjectNode"},
                {"__class__": "attrgetter", "__module__": "operator", "__loader__": "OperatorFuncNode"},
            )
        )
    )
    schema = parts.as_json(draw(_nested(bad)))
    return Sample("m.skops", parts.zipped({"schema.json": schema, "1.npy": samples.npy()}, 0), dangerous=True)


def mar(model: object, **members: bytes) -> bytes:
    return samples.zip_bytes({"MAR-INF/MANIFEST.json": parts.as_json({"model": model}), **members})


@st.composite
def mars(draw: st.DrawFn) -> Sample:
    model: dict[str, Any] = {"modelName": draw(WORDS), "handler": "text_classifier"}
    bad: dict[str, Any] = draw(
        st.sampled_from(
            (
                {"handler": "handler.py"},
                {"handler": "handler.py:run"},
                {"requirementsFile": "requirements.txt"},
                {"serializedFile": "../x.pt"},
                {"modelFile": "/x.py"},
            )
        )
    )
    return Sample("m.mar", mar({**model, **bad, "extra": draw(JSONS)}), dangerous=True)


_CODE_SETTINGS: Final = (
    {"auto_map": {"AutoModel": "a.B"}},
    {"trust_remote_code": True},
    {"_target_": "os.system"},
    {"custom_pipeline": "evil/pipeline"},
    {"_attn_implementation": "evil/kernel"},
    {"py/object": "os.system"},
    {"weight_map": {"a": "../../x.safetensors"}},
    {"chat_template": "{{ x.__class__ }}"},
)


@st.composite
def settings(draw: st.DrawFn) -> Sample:
    """Settings in JSON and YAML of any style, with a member that makes a loader run code somewhere in them."""
    value = draw(_nested(draw(st.sampled_from(_CODE_SETTINGS))))
    style = draw(st.integers(0, 4))
    if style <= 1:
        text = json.dumps(value, indent=draw(st.none() | st.integers(0, 2)), ensure_ascii=style == 0)
        return Sample("config.json", text.encode("utf-8", "replace"), dangerous=True)
    flow = draw(st.sampled_from((True, False, None)))
    try:
        text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=style == 2, sort_keys=style == 3)
    except yaml.YAMLError:
        text = yaml.safe_dump(json.loads(json.dumps(value).replace("\\u", "")))
    lead = draw(st.sampled_from(("", "---\n", "a: 1\n---\n", "# c\n---\n", "%YAML 1.1\n---\n")))
    return Sample("config.yaml", (lead + text).encode("utf-8", "replace"), dangerous=True)


_GOOD_TEMPLATES: Final = (
    "text ", "{{ message.content }}", "{# a comment #}", "{% for m in messages %}{{ m['role'] | trim }}{% endfor %}",
    "{% if a is defined and a %}b{% else %}c{% endif %}", "{%- set x = messages[0] -%}",
    "{% raw %}{{ x.__a__ }}{% endraw %}",
    "{{ '\\n' }}", "\n", "{{ raise_exception('no') }}", "é",
)  # fmt: skip
_BAD_TEMPLATES: Final = (
    "{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x|attr('y') }}", "{% include 'a' %}", "{% extends 'a' %}",
    "{% import 'a' as b %}", "{{ cycler.__init__.__globals__.os }}", "{{ x.mro() }}", "{{ lipsum }}", "{{ self }}",
    "{% for k in ['__cla', 'ss__'] %}{{ x[k ~ k] }}{% endfor %}", "{{ ().__class__ }}",
    "{{ x | map(attribute='__class__') }}",
    "{{ x | format }}", "{{ x._private }}", "{{ '{0.__class__}'.format(x) }}", "{{ x['\\x5f_class__'] }}",
)  # fmt: skip


@st.composite
def template_texts(draw: st.DrawFn) -> tuple[str, bool]:
    """A template out of harmless pieces, and whether one of them is not."""
    pieces = draw(st.lists(st.sampled_from(_GOOD_TEMPLATES), max_size=5))
    bad = draw(st.booleans())
    if bad:
        pieces.insert(draw(st.integers(0, len(pieces))), draw(st.sampled_from(_BAD_TEMPLATES)))
    text = "".join(pieces)
    for _ in range(draw(st.sampled_from((0, 0, 1, 3, 200)))):
        text = f"{{% if a %}}{text}{{% endif %}}" if len(text) < 50_000 else text
    return text, bad


@st.composite
def templates(draw: st.DrawFn) -> Sample:
    text, bad = draw(template_texts())
    return Sample(draw(st.sampled_from(("chat_template.jinja", "a.j2", "chat_template.txt"))), text.encode(), bad)
