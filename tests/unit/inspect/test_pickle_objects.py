"""Objects of libraries: made without their constructors, with states of a known shape."""

from __future__ import annotations

import io
from typing import Any

import pytest

from gate.inspect.interface import inspect_file
from gate.inspect.pickle_policy import pickle_policy
from gate.model.scan import FileInspection, Severity
from tests.support import samples
from tests.support.looking import is_clean, look, rules
from tests.support.torch_files import Call, Named, dumped, saved

KIND = Named("sklearn.pipeline", "Pipeline")
RECONSTRUCTOR = Named("copyreg", "_reconstructor")
OBJECT = Named("builtins", "object")
BITS = Named("numpy.random._pickle", "__bit_generator_ctor")
GENERATOR = Named("numpy.random._pickle", "__generator_ctor")
MASKED = Named("numpy.ma.core", "_mareconstruct")
ARRAY_CLASSES = (Named("numpy.ma", "MaskedArray"), Named("numpy", "ndarray"))


def dtype(code: str = "f8", size: int = -1, fields: Any = None, names: Any = None, flags: int = 0) -> Call:
    state = (3, "|", None, names, fields, size, -1, flags)
    return Call(Named("numpy", "dtype"), (code, False, True), state)


def array() -> Call:
    made = Call(Named("numpy.core.multiarray", "_reconstruct"), (Named("numpy", "ndarray"), (0,), b"b"))
    made.state = (1, (1,), dtype(), False, b"\0" * 8)
    return made


def seed(state: Any) -> Call:
    where = "numpy.random.bit_generator"
    made = Call(Named(where, "__pyx_unpickle_SeedSequence"), (Named(where, "SeedSequence"), 65774114, None))
    made.state = state
    return made


def words(name: str, **inner: Any) -> dict[str, Any]:
    return {"bit_generator": name, "state": inner}


def seeded() -> Call:
    return seed((1, 0, array(), 4, ()))


GOOD: dict[str, Any] = {
    "an object": Call(KIND, (), {"steps": []}, new=True),
    "an object without a state": Call(KIND, (), new=True),
    "protocol 0": Call(RECONSTRUCTOR, (KIND, OBJECT, None), {"steps": []}),
    "an enumeration": Call(Named("transformers.trainer_utils", "SchedulerType"), ("linear",)),
    "a loss in C": Call(Named("sklearn.linear_model._sgd_fast", "Hinge"), (1.0,)),
    "a slice": Call(Named("builtins", "slice"), (None, 3, 1)),
    "a time": Call(Named("datetime", "datetime"), (b"\x07\xea\1\1\0\0\0\0\0\0",)),
    "a difference": Call(Named("datetime", "timedelta"), (1, 2, 3)),
    "a zone": Call(Named("datetime", "timezone"), (Call(Named("datetime", "timedelta"), (0,)),)),
    "a decimal": Call(Named("decimal", "Decimal"), ("1.5",)),
    "a bit generator": Call(BITS, ("MT19937",), words("MT19937", key=array(), pos=624)),
    "a bit generator by class": Call(BITS, (Named("numpy.random._pcg64", "PCG64"),), words("PCG64", state=1, inc=2)),
    "a bit generator with a seed": Call(BITS, ("PCG64",), (words("PCG64", state=1, inc=2), seeded())),
    "a generator": Call(GENERATOR, (Call(BITS, ("PCG64",)),)),
    "a generator by name": Call(GENERATOR, ("PCG64", BITS), words("PCG64", state=1 << 300, inc=2)),
    "a generator with a buffer": Call(BITS, ("Philox",), {**words("Philox", counter=array()), "buffer_pos": 4}),
    "a masked array": Call(MASKED, (*ARRAY_CLASSES, (0,), b"b"), (1, (1,), dtype(), False, b"\0" * 8, b"\0", None)),
    "records": dtype("V8", 8, {"a": (dtype("i4"), 0), "b": (dtype("i4"), 4)}, ("a", "b")),
}
BAD: dict[str, Any] = {
    "an object with arguments": Call(KIND, (1,), new=True),
    "an object by its constructor": Call(KIND, ()),
    "a state that is no dictionary": Call(KIND, (), [1], new=True),
    "a state of a special method": Call(KIND, (), {"__setstate__": 1}, new=True),
    "a state of numbered attributes": Call(KIND, (), {1: 1}, new=True),
    "an object of an unknown class": Call(RECONSTRUCTOR, (Named("numpy", "dtype"), OBJECT, None)),
    "an object with another base": Call(RECONSTRUCTOR, (KIND, Named("builtins", "dict"), None)),
    "an object with a base and a state": Call(RECONSTRUCTOR, (KIND, OBJECT, 1)),
    "an enumeration of two": Call(Named("transformers.trainer_utils", "SchedulerType"), ("a", "b")),
    "an enumeration of an object": Call(Named("transformers.trainer_utils", "SchedulerType"), ([],)),
    "a state of an enumeration": Call(Named("transformers.trainer_utils", "SchedulerType"), ("linear",), {"a": 1}),
    "a loss of a text": Call(Named("sklearn.linear_model._sgd_fast", "Hinge"), ("x",)),
    "a slice of texts": Call(Named("builtins", "slice"), ("a", "b", "c")),
    "a time of numbers": Call(Named("datetime", "datetime"), (2026, 1, 1)),
    "a time in an unknown zone": Call(Named("datetime", "datetime"), (b"x", [])),
    "a difference of texts": Call(Named("datetime", "timedelta"), ("x",)),
    "a zone of a number": Call(Named("datetime", "timezone"), (1,)),
    "a decimal of a list": Call(Named("decimal", "Decimal"), ([],)),
    "an unknown bit generator": Call(BITS, ("os",)),
    "two bit generators": Call(BITS, ("PCG64", "PCG64")),
    "a bit generator of any class": Call(BITS, (KIND,)),
    "a function made an object": Call(BITS, ("PCG64",), new=True),
    "the state of another generator": Call(BITS, ("PCG64",), words("MT19937", key=array(), pos=1)),
    "a position outside": Call(BITS, ("MT19937",), words("MT19937", key=array(), pos=625)),
    "a position that is no number": Call(BITS, ("MT19937",), words("MT19937", key=array(), pos=1 << 200)),
    "no position": Call(BITS, ("MT19937",), words("MT19937", key=array())),
    "a buffer outside": Call(BITS, ("Philox",), {**words("Philox", counter=array()), "buffer_pos": 5}),
    "a state with more": Call(BITS, ("PCG64",), {**words("PCG64", state=1, inc=1), "more": 1}),
    "a state of texts": Call(BITS, ("PCG64",), words("PCG64", state="x")),
    "a state that is no state": Call(BITS, ("PCG64",), {"bit_generator": "PCG64", "state": 1}),
    "a seed that is none": Call(BITS, ("PCG64",), (words("PCG64", state=1), 1)),
    "a generator of a number": Call(GENERATOR, (1,)),
    "a generator of three": Call(GENERATOR, ("PCG64", BITS, BITS)),
    "a generator with another maker": Call(GENERATOR, ("PCG64", KIND)),
    "a seed of another class": Call(
        Named("numpy.random.bit_generator", "__pyx_unpickle_SeedSequence"), (KIND, 1, None)
    ),
    "a seed with a dictionary": seed((1, 0, array(), 4, (), {"a": 1})),
    "a masked array of another class": Call(MASKED, (KIND, KIND, (0,), b"b")),
    "a masked array of another state": Call(MASKED, (*ARRAY_CLASSES, (0,), b"b"), (1, 2)),
    "a type of another size": dtype("i4", 100),
    "a field outside": dtype("V8", 8, {"a": (dtype("i4"), 5)}, ("a",)),
    "a field before": dtype("V8", 8, {"a": (dtype("i4"), -1)}, ("a",)),
    "a field of a type without size": dtype("V8", 8, {"a": (dtype("i"), 0)}, ("a",)),
    "a field that is none": dtype("V8", 8, {"a": 1}, ("a",)),
    "fields without names": dtype("V8", 8, {"a": (dtype("i4"), 0)}),
    "names without fields": dtype("V8", 8, None, ("a",)),
    "a name that is no text": dtype("V8", 8, {"a": (dtype("i4"), 0)}, (1,)),
    "fields of a size that nobody says": dtype("i", -1, {"a": (dtype("i4"), 0)}, ("a",)),
    "a type of no size": dtype("V"),
    "a character of another size": dtype("c", 1 << 20),
    "a character whose size is taken back": dtype("|c", -1),
    "a type whose size is taken back": dtype("V8", -1),
    "texts whose size is taken back": dtype("U8", -1),
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("protocol", [2, 4])
def test_what_libraries_write_is_clean(name: str, protocol: int) -> None:
    found = look("m.pkl", dumped(GOOD[name], protocol))
    assert is_clean(found), found


@pytest.mark.parametrize("name", BAD)
def test_other_shapes_are_findings(name: str) -> None:
    found = look("m.pkl", dumped(BAD[name], 2))
    assert rules(found) <= {"pickle.call", "pickle.state"}
    assert not is_clean(found)


def test_a_generator_may_have_no_state() -> None:
    assert is_clean(look("m.pkl", dumped(GOOD["a generator"])[:-1] + b"Nb."))


def test_a_base_class_that_is_none_is_refused() -> None:
    data = dumped(Call(Named("numpy.core.multiarray", "_reconstruct"), (1, (0,), b"b")))
    assert rules(look("m.pkl", data)) == {"pickle.call"}


def test_a_dictionary_of_many_keys_is_no_state_that_is_looked_at() -> None:
    fields = {f"f{number}": (dtype("i1"), number) for number in range(30)}
    assert "pickle.state" in rules(look("m.pkl", dumped(dtype("V30", 30, fields, tuple(fields)))))
    many = Call(KIND, (), {f"a{number}": number for number in range(200)}, new=True)
    assert is_clean(look("m.pkl", dumped(many)))
    assert is_clean(look("m.pkl", dumped({number: number for number in range(3000)})))


def test_dictionaries_beyond_a_number_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gate.inspect.pickle_machine._TABLES", 2)
    value = [{"a": 1}, {"b": 2}, Call(BITS, ("PCG64",), words("PCG64", state=1, inc=2))]
    assert rules(look("m.pkl", dumped(value))) == {"pickle.state"}


# --- what the configuration allows ------------------------------------------------------------------------------------


def allowing(data: bytes, *names: str) -> FileInspection:
    return inspect_file("m.pkl", io.BytesIO(data), len(data), allowed=frozenset(names))


def test_an_allowed_global_is_used_in_any_way_and_named() -> None:
    net = Named("acme.models", "Net")
    uses = [
        Call(net, (1, "x")),
        Call(net, (), {"__setstate__": 1}, new=True),
        Call(Named("numpy.core.multiarray", "_reconstruct"), (net, (0,), b"b")),
    ]
    data = dumped(uses, 4)
    assert not is_clean(look("m.pkl", data))
    found = allowing(data, "acme.models.Net")
    assert is_clean(found)
    assert [(item.rule, item.severity) for item in found.findings] == [("pickle.allowed", Severity.NONE)]
    assert found.findings[0].message == "names acme.models.Net, which the configuration allows"
    made = b"\x80\x02" + samples.named("acme.models", "Net") + b")R"
    for items in (b"K\x01a", b"(K\x01e", b"K\x01K\x02s", b"(K\x01K\x02u"):
        assert is_clean(allowing(made + items + b".", "acme.models.Net"))


def test_a_finding_says_how_a_global_is_allowed_unless_nobody_may() -> None:
    (finding,) = look("m.pkl", dumped(Call(Named("acme.models", "Net"), ()))).findings
    assert finding.message.endswith("; who trusts it lists it in gate.yaml: inspection.allow_globals")
    (finding,) = look("m.pkl", dumped(Call(Named("os", "system"), ("x",)))).findings
    assert finding.message == "names os.system, which is not on the allow-list"


def test_what_is_inside_an_allowed_call_is_still_judged() -> None:
    data = dumped(Call(Named("acme.models", "Net"), (Call(Named("os", "system"), ("x",)),)))
    assert rules(allowing(data, "acme.models.Net")) == {"pickle.allowed", "pickle.global"}


def test_what_never_may_be_allowed_stops_inspection() -> None:
    found = allowing(dumped(1), "os.system")
    assert (found.inspected, found.reason) == (False, "the inspection failed (ValueError)")
    assert ("os", "system") not in pickle_policy().roles


def test_the_list_reaches_into_archives() -> None:
    data = saved({"a": Call(Named("acme.models", "Net"), ())})
    assert not is_clean(allowing(data))
    assert is_clean(allowing(data, "acme.models.Net"))


# --- how much one pickle may hold -------------------------------------------------------------------------------------


@pytest.mark.parametrize("operations", [b"]" * 1_100_000, b"(" * 140_000])
def test_a_pickle_that_fills_the_stack_is_not_inspected(operations: bytes) -> None:
    found = look("m.pkl", b"\x80\x02" + operations + b"N.")
    assert not found.inspected


def test_the_common_operations_are_read_across_the_window() -> None:
    from gate.inspect.pickle_reader import WINDOW_BYTES

    for shift in range(4):
        data = b"\x80\x02" + b"N0" * ((WINDOW_BYTES - 4) // 2) + b"N" * shift + b"K\x01q\x01h\x01\x94K\x02."
        assert is_clean(look("m.pkl", data + b"" if shift else data)), shift
    for broken in (b"\x94.", b"q\x01.", b"h\x01.", b"K"):
        assert "pickle.malformed" in rules(look("m.pkl", b"\x80\x02" + broken))
