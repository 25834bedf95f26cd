from __future__ import annotations

import _compat_pickle
import io
import json
import pickle
import pickletools
import struct
from pathlib import Path
from typing import Any

import pytest

from gate.inspect import pickle_policy as policy_module
from gate.inspect.pickle_calls import FUNCTIONS
from gate.inspect.pickle_judge import ALL_CALLS
from gate.inspect.pickle_machine import walk
from gate.inspect.pickle_objects import NEW_ONLY
from gate.inspect.pickle_policy import OWN_ROLE, pickle_policy
from gate.inspect.pickle_values import WalkRules
from gate.inspect.source import BytesSource
from gate.model.scan import Severity
from tests.support import samples
from tests.support.looking import is_clean, look, rules

BYPASSES = samples.bypasses()
RULES = WalkRules(pickle_policy(), persistent=False, operations=10_000, line_bytes=1 << 20)


@pytest.mark.parametrize("name", BYPASSES)
def test_no_known_bypass_passes(name: str) -> None:
    assert not is_clean(look("pytorch_model.bin", BYPASSES[name]))


def test_there_are_many_bypasses() -> None:
    assert len(BYPASSES) >= 54


@pytest.mark.parametrize("wrap", ["torch", "zip", "npy", "gzip", "legacy", "npz"])
def test_no_bypass_passes_inside_a_container(wrap: str) -> None:
    import gzip

    for name, data in BYPASSES.items():
        wrapped = {
            "torch": lambda data=data: samples.torch_zip(data),
            "zip": lambda data=data: samples.zip_bytes({"model/weights": data}),
            "npy": lambda data=data: samples.npy("'|O'", "(1,)", data),
            "gzip": lambda data=data: gzip.compress(data),
            "legacy": lambda data=data: samples.legacy_torch(data),
            "npz": lambda data=data: samples.zip_bytes({"a.npy": samples.npy("'|O'", "(1,)", data)}),
        }[wrap]()
        assert not is_clean(look("model.pt", wrapped)), name


@pytest.mark.parametrize("protocol", samples.PROTOCOLS)
def test_an_object_that_runs_code_is_found_in_every_protocol(protocol: int) -> None:
    class Boom:
        def __reduce__(self) -> Any:
            return eval, ("1",)

    found = look("model.pkl", pickle.dumps([{"a": Boom()}], protocol))
    assert rules(found) == {"pickle.global"}
    assert found.findings[0].severity is Severity.CRITICAL


@pytest.mark.parametrize("protocol", samples.PROTOCOLS)
@pytest.mark.parametrize("value", samples.plain_values(), ids=lambda value: repr(value)[:20])
def test_plain_data_is_clean(value: Any, protocol: int) -> None:
    assert is_clean(look("data.pkl", pickle.dumps(value, protocol)))


@pytest.mark.parametrize("protocol", samples.PROTOCOLS)
def test_containers_of_the_standard_library_are_clean(protocol: int) -> None:
    import collections

    value = [collections.OrderedDict(a=1), collections.defaultdict(list, a=[1]), collections.Counter("aab")]
    assert is_clean(look("data.pkl", pickle.dumps(value, protocol)))


def test_arrays_are_clean() -> None:
    assert is_clean(look("a.joblib", samples.array_pickle()))
    assert is_clean(look("a.joblib", samples.array_pickle("numpy._core.multiarray")))


@pytest.mark.parametrize(
    "body",
    [
        samples.named("numpy.core.multiarray", "scalar") + samples.dtype_pickle() + b"C\x08" + b"\0" * 8 + b"\x86R",
        samples.named("numpy._core.numeric", "_frombuffer")
        + b"(C\x08" + b"\0" * 8 + samples.dtype_pickle() + b"K\x01\x85" + samples.text("C") + b"tR",
        samples.named("_codecs", "encode") + samples.args("x", "latin1") + b"R",
        samples.named("builtins", "bytearray") + b"C\x01x\x85R",
        samples.named("__builtin__", "complex") + b"G" + b"\0" * 8 + b"G" + b"\0" * 8 + b"\x86R",
        samples.named("torch", "Size") + samples.numbers(2, 3) + b"\x85R",
        samples.named("torch", "device") + b"X\x04\0\0\0cudaK\x00\x86R",
        samples.named("torch.serialization", "_get_layout") + samples.args("torch.sparse_coo") + b"R",
        samples.named("torch", "bfloat16"),
        samples.named("collections", "OrderedDict") + b")R" + b"Nb",
    ],
)  # fmt: skip
def test_calls_that_libraries_write_are_clean(body: bytes) -> None:
    found = look("a.pkl", b"\x80\x03" + body + b".")
    assert is_clean(found), found


def test_tensors_of_all_kinds_are_clean() -> None:
    storage = samples.storage_id("0", 6)
    plain = samples.tensor("0", (2, 3))
    metadata = samples.named("collections", "OrderedDict") + b")R"
    head = storage + b"K\x00" + samples.numbers(6) + samples.numbers(1)
    v3 = (
        samples.named("torch._utils", "_rebuild_tensor_v3")
        + b"("
        + head
        + b"\x89"
        + metadata
        + (samples.named("torch", "float8_e4m3fn") + b"tR")
    )
    parameter = samples.named("torch._utils", "_rebuild_parameter") + plain + b"\x88" + metadata + b"\x87R"
    sparse = samples.named("torch._utils", "_rebuild_sparse_tensor") + samples.text("layout") + plain + b"\x85\x86R"
    quantized = samples.named("torch._utils", "_rebuild_qtensor") + b"(" + head + b"(NtN" + metadata + b"tR"
    size = samples.named("torch", "Size") + samples.numbers(6) + b"\x85R"
    old = (
        samples.named("torch._utils", "_rebuild_tensor") + b"(" + storage + b"K\x00" + size + samples.numbers(1) + b"tR"
    )
    empty = samples.tensor("0", (0, 3), count=6)
    for body in (v3, parameter, sparse, quantized, old, empty):
        found = look("m.pt", samples.torch_zip(samples.state_dict(a=body, b=samples.tensor("1", (3,)))))
        assert is_clean(found), found


@pytest.mark.parametrize(
    "bad",
    [
        samples.tensor("0", (2, 3), offset=1),
        samples.tensor("0", (2, 3), strides=(3, 2)),
        samples.tensor("0", (2, 3), strides=(3,)),
        samples.tensor("0", (2, 3), offset=-1),
        samples.tensor("0", (2, -3), count=6),
        samples.tensor("0", (1,) * 65, count=6),
        samples.named("torch._utils", "_rebuild_tensor_v2") + b"(NK\x00))tR",
        samples.named("torch._utils", "_rebuild_tensor_v2") + b"(N" + b"tR",
        samples.named("torch._utils", "_rebuild_tensor_v2") + b"(" + samples.storage_id("0", 6) + b"K\x00]}tR",
        samples.named("torch._utils", "_rebuild_tensor_v3") + b"(" + samples.storage_id("0", 6) + b"K\x00))NNNtR",
    ],
)
def test_a_tensor_that_is_not_inside_its_storage_is_a_finding(bad: bytes) -> None:
    found = look("m.pt", samples.torch_zip(samples.state_dict(a=bad, b=samples.tensor("1", (3,)))))
    assert "pickle.call" in rules(found)


@pytest.mark.parametrize(
    "identity",
    [
        samples.text("storage"),
        b"(" + samples.text("storage") + samples.named("torch", "float32") + samples.args("0", "cpu")[1:-1] + b"K\x06t",
        b"("
        + samples.text("storage")
        + samples.named("torch", "FloatStorage")
        + b"K\x00"
        + samples.text("cpu")
        + b"K\x06t",
        samples.storage_id("0", 6)[:-2] + b"K\x01tQ"[:-1],
        b"(" + samples.text("module") + b"NNNNt",
    ],
)
def test_only_torchs_own_storages_are_persistent(identity: bytes) -> None:
    found = look("m.pt", samples.torch_zip(b"\x80\x02" + identity + b"Q."))
    assert "pickle.persistent_id" in rules(found)


def test_a_storage_has_one_size() -> None:
    data = samples.state_dict(a=samples.tensor("0", (2, 3)), b=samples.tensor("0", (2,)))
    assert "pickle.persistent_id" in rules(look("m.pt", samples.torch_zip(data)))


@pytest.mark.parametrize(
    ("start", "state"),
    [
        ("mapping", b"}K\x01K\x02s"),
        ("mapping", b"}" + samples.text("a") + b"K\x01s"),
        ("dtype", b")"),
        ("dtype", b"(K\x09" + samples.text("<") + b"NNNK\x01K\x01K\x00t"),
        ("dtype", b"(K\x03" + samples.text("x") + b"NNNK\x01K\x01K\x00t"),
        ("dtype", b"(K\x03" + samples.text("<") + b"NNNNNNt"),
        ("dtype", b"(K\x03" + samples.text("<") + b"NNNK\x01K\x01K\x01t"),
        ("dtype", b"(K\x03" + samples.text("<") + b"NNNJ\xfe\xff\xff\xffK\x01K\x00t"),
        ("object", b"(K\x03" + samples.text("|") + b"NNNK\x08K\x08K\x00t"),
        ("array", b"(K\x01))\x89C\x00t"),
        ("array", b"]"),
        ("device", b"}"),
    ],
)
def test_states_of_unknown_shape_are_findings(start: str, state: bytes) -> None:
    made = {
        "mapping": samples.named("collections", "OrderedDict") + b")R",
        "dtype": samples.named("numpy", "dtype") + samples.args("f8") + b"R",
        "object": samples.named("numpy", "dtype") + samples.args("O8") + b"R",
        "array": samples.array_pickle()[2:].split(b"(", 1)[0],
        "device": samples.named("torch", "device") + samples.args("cpu") + b"R",
    }[start]
    assert "pickle.state" in rules(look("a.pkl", b"\x80\x02" + made + state + b"b."))


@pytest.mark.parametrize(
    "body",
    [
        samples.named("builtins", "set") + b"K\x01\x85R",
        samples.named("builtins", "bytes") + b"K\x7f\x85R",
        samples.named("builtins", "complex") + samples.args("1") + b"R",
        samples.named("numpy", "dtype") + samples.args("f8", "x") + b"R",
        samples.named("numpy", "dtype") + b")R",
        samples.named("collections", "OrderedDict") + b"K\x01K\x02K\x03\x87R",
    ],
)
def test_calls_of_unknown_shape_are_findings(body: bytes) -> None:
    assert "pickle.call" in rules(look("a.pkl", b"\x80\x02" + body + b"."))


@pytest.mark.parametrize(
    "data",
    [
        b".",
        b"0.",
        b"R.",
        b"(.",
        b"2.",
        b"t.",
        b"\x85.",
        b"e.",
        b"h\x00.",
        b"q\x00.",
        b"gx\n.",
        b"p-1\n.",
        b"I1x\n.",
        b"Fx\n.",
        b"Sx\n.",
        b"S'\n.",
        b"I1",
        b"\x8a",
        b"\x8b\xff\xff\xff\xff.",
        b"T\xff\xff\xff\xff.",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\xff.",
        b"X\xff\xff\xff\x7fabc.",
        b"(o.",
        b"}(K\x01u.",
        b"1.",
        b"c\xff\nx\n.",
        b"\x00",
        b"a.",
        b"Nb.",
        b"\x81.",
    ],
)
def test_malformed_pickles_are_findings(data: bytes) -> None:
    assert "pickle.malformed" in rules(look("a.pkl", b"\x80\x02" + data))


def test_odd_but_harmless_operations_are_read() -> None:
    data = (
        b"\x80\x02N0(0(N1S'a'\n0T\x01\x00\x00\x00a0U\x01"
        b"\xff0Va\\u0041\n0V\xe9\n0L5L\n0I99"
        b"999999999999999999999999"
        b"999999999999999999999999"
        b"\n0\x8b \x00\x00\x00\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01"
        b"\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x010\x8c\x01a0\x8d\x01\x00\x00"
        b"\x00\x00\x00\x00\x00a0\x8f(K\x01\x90(K\x01\x910(d0(l0\x96"
        b"\x01\x00\x00\x00\x00\x00\x00\x00x0\x8e\x01\x00\x00\x00\x00\x00\x00\x00x0B\x01\x00"
        b"\x00\x00x0Np5\ng5\n0Nr\x06\x00\x00\x00j\x06\x00\x00\x00."
    )
    assert is_clean(look("a.pkl", data))


PLAIN = tuple(pickle.dumps(value, protocol) for value in samples.plain_values() for protocol in samples.PROTOCOLS)


@pytest.mark.parametrize("data", [*BYPASSES.values(), *PLAIN])
def test_operations_are_those_of_pickletools(data: bytes) -> None:
    """The standard library's reader is the oracle for where operations begin and end."""
    found = walk(BytesSource(data), 0, RULES)
    count, end = 0, 0
    try:
        stream = io.BytesIO(data)
        for _ in pickletools.genops(stream):
            count += 1
        end = stream.tell()
    except Exception:  # noqa: BLE001 - whatever it is, it broke off there
        assert found.error is not None or found.notes
        return
    if found.error is None:
        assert (found.operations, found.end) == (count, end)


def test_long_pickles_go_through_a_window() -> None:
    blob = b"B" + struct.pack("<I", 1 << 20) + b"\0" * (1 << 20) + b"0"
    tail = samples.call("os", "system")[2:]
    assert "pickle.global" in rules(look("a.pkl", b"\x80\x03" + blob * 3 + tail))
    assert is_clean(look("a.pkl", b"\x80\x03" + (b"K\x010" * 200_000) + b"N."))
    assert is_clean(look("a.pkl", b"\x80\x03" + (b"J\1\0\0\x000" * 200_000) + b"N."))
    assert is_clean(look("a.pkl", b"V" + b"a" * 2_000_000 + b"\n."))
    assert "pickle.malformed" in rules(look("a.pkl", b"\x80\x02V" + b"a" * 2_000_000))


def test_a_pickle_beyond_the_cap_is_not_inspected_and_keeps_its_findings() -> None:
    data = samples.call("os", "system")[:-1] + b"N0" * 1000 + b"N."
    found = look("a.pkl", data, pickle_operations=100)
    assert not found.inspected
    assert "pickle.global" in rules(found)
    assert not look("a.pkl", pickle.dumps(1) * 20, pickle_streams=5).inspected
    for wrap in (samples.torch_zip(data), samples.legacy_torch(data)):
        assert not look("a.pt", wrap, pickle_operations=100).inspected


def test_there_being_more_findings_than_are_kept_is_a_finding() -> None:
    data = b"\x80\x02" + b"".join(samples.named("evil", f"n{i}") + b"0" for i in range(300)) + b"N."
    found = look("a.pkl", data)
    assert len(found.findings) == 101
    assert found.findings[-1].rule == "file.findings"


def test_what_comes_of_a_refused_call_is_not_reported_again() -> None:
    denied = samples.named("evil", "x") + b")R"
    for use in (b"K\x01a", b"(K\x01e", b"K\x01K\x02s", b"}b"):
        assert rules(look("a.pkl", b"\x80\x02" + denied + use + b".")) == {"pickle.global"}


def test_a_pickle_that_goes_on_and_on_is_stopped() -> None:
    data = b"\x80\x02" + (samples.named("evil", "x") + b"0") * 20_000 + b"N."
    found = look("a.pkl", data)
    assert (found.inspected, rules(found)) == (False, {"pickle.global"})


def test_arrays_of_objects_are_clean() -> None:
    state = b"(K\x03" + samples.text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb"
    made = samples.named("numpy", "dtype") + samples.text("O8") + b"\x89\x88\x87R" + state
    start = samples.array_pickle().split(b"(", 1)[0]
    found = look("a.pkl", start + b"(K\x01K\x02\x85" + made + b"\x89]" + b"(NNetb.")
    assert is_clean(found), found


def test_legacy_torch_files() -> None:
    good = samples.legacy_torch()
    assert look("m.pt", good).format == "torch.legacy"
    assert is_clean(look("m.pt", good))
    for bad in (
        good + b"x",
        good[:-1],
        samples.legacy_torch(keys=pickle.dumps(["8"], 2)),
        samples.legacy_torch(keys=pickle.dumps([], 2)),
        samples.legacy_torch(raw=struct.pack("<q", 3) + b"\0" * 12),
        samples.legacy_torch(raw=b""),
        samples.legacy_torch(keys=b"\xff"),
    ):
        assert not is_clean(look("m.pt", bad))


def test_the_old_names_of_python_2_do_not_lead_out_of_the_list() -> None:
    """Unpicklers rename the modules and names of Python 2; no allowed name may become another one."""
    for module, name in pickle_policy().roles:
        renamed = _compat_pickle.NAME_MAPPING.get((module, name), (module, name))
        renamed = (_compat_pickle.IMPORT_MAPPING.get(renamed[0], renamed[0]), renamed[1])
        assert renamed in pickle_policy().roles


def test_every_role_is_known() -> None:
    roles = {role.partition(":")[0] for role in pickle_policy().roles.values()}
    assert roles | {OWN_ROLE} == {*ALL_CALLS, "value", "storage", "bits"}
    assert set(ALL_CALLS) >= FUNCTIONS | NEW_ONLY


@pytest.mark.parametrize("listed", ["[]", '{"a": 1}'])
def test_a_damaged_list_stops_inspection(listed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pickle_allow.json").write_text(f'{{"globals": {listed}, "attributes": []}}')
    monkeypatch.setattr(policy_module, "__file__", str(tmp_path / "x.py"))
    pickle_policy.cache_clear()
    try:
        found = look("a.pkl", pickle.dumps(1))
        assert not found.inspected
        assert found.reason == "the inspection failed (TypeError)"
    finally:
        monkeypatch.undo()
        pickle_policy.cache_clear()


def test_the_list_is_strict_json() -> None:
    data = json.loads(Path(policy_module.__file__).with_name("pickle_allow.json").read_text())
    assert data["version"] == 1
