"""Arrays that joblib writes between the operations of a pickle."""

from __future__ import annotations

import io
import struct
from typing import Any

import joblib
import numpy as np
import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules

WRAPPER = samples.named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81q\x02"
KIND = samples.named("numpy", "dtype") + samples.text("u1") + b"\x89\x88\x87R"
KIND += b"(K\x03" + samples.text("|") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
PADDING = b"\x01\xff"


def described(**changes: bytes | None) -> bytes:
    """The state of a wrapper of four bytes."""
    fields: dict[str, bytes | None] = {
        "subclass": samples.named("numpy", "ndarray"), "shape": b"K\x04\x85", "order": samples.text("C"), "dtype": KIND,
        "allow_mmap": b"\x88", "numpy_array_alignment_bytes": b"K\x10",
    }  # fmt: skip
    fields |= changes
    items = b"".join(samples.text(name) + value for name, value in fields.items() if value is not None)
    return b"}(" + items + b"u"


def wrapped(state: bytes, rest: bytes = PADDING + b"\0\0\0\0.") -> bytes:
    return b"\x80\x04" + WRAPPER + state + b"b" + rest


def dump(value: Any, **options: Any) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out, **options)
    return out.getvalue()


def test_arrays_are_passed_over() -> None:
    found = look("a.joblib", wrapped(described()))
    assert is_clean(found), found
    assert is_clean(look("a.joblib", wrapped(described(numpy_array_alignment_bytes=None), b"\0\0\0\0.")))
    assert is_clean(look("a.joblib", wrapped(described(shape=b")"), PADDING + b"\0.")))


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_joblib_writes_is_clean(protocol: int) -> None:
    values = [np.arange(4), np.array(["a", None], object), np.ones((2, 0)), np.zeros(3, "S3"), "text"]
    found = look("a.pkl", dump(values * 3, protocol=protocol))
    assert is_clean(found), found


@pytest.mark.parametrize(
    "state",
    [
        b")", b"K\x01", b"}", described(subclass=samples.named("builtins", "dict")), described(shape=b"]"),
        described(shape=b"J\xff\xff\xff\xff\x85"), described(order=samples.text("A")), described(dtype=b"N"),
        described(dtype=samples.named("numpy", "dtype") + samples.text("i") + b"\x89\x88\x87R"),
        described(allow_mmap=b"N"), described(numpy_array_alignment_bytes=b"K\x20"), described(more=b"N"),
        described(dtype=None), described(subclass=None),
    ],
)  # fmt: skip
def test_descriptions_that_joblib_does_not_write_are_not_followed(state: bytes) -> None:
    found = look("a.joblib", wrapped(state))
    assert (found.inspected, rules(found)) == (False, {"pickle.state"})


@pytest.mark.parametrize("rest", [b"\x11\xff\0\0\0\0.", b"\x00\0\0\0\0.", b"\x02\xff\xfe\0\0\0\0.", b"\x01\xff\0\0"])
def test_what_is_not_where_joblib_puts_it_is_a_finding(rest: bytes) -> None:
    assert "pickle.malformed" in rules(look("a.joblib", wrapped(described(), rest)))


def test_an_array_follows_a_frame_and_never_lies_in_one() -> None:
    start = WRAPPER + described() + b"b"
    for extra, clean in ((0, True), (3, False)):
        data = b"\x80\x04\x95" + struct.pack("<Q", len(start) + extra) + start + PADDING + b"\0\0\0\0."
        assert is_clean(look("a.joblib", data)) is clean


def test_one_wrapper_describes_one_array() -> None:
    again = PADDING + b"\0\0\0\0" + b"h\x02" + described() + b"b" + PADDING + b"\0\0\0\0."
    found = look("a.joblib", wrapped(described(), again))
    assert (found.inspected, rules(found)) == (False, {"pickle.state"})


def objects(inner: bytes, rest: bytes = b".") -> bytes:
    kind = KIND.replace(b"u1", b"O8").replace(b"K\x00tb", b"K?tb")
    return wrapped(described(dtype=kind), inner + rest)


def test_arrays_of_objects_are_pickles_of_their_own() -> None:
    assert is_clean(look("a.joblib", objects(b"\x80\x02]K\x01a.")))
    assert rules(look("a.joblib", objects(samples.call("os", "system")))) == {"pickle.global"}
    assert "pickle.malformed" in rules(look("a.joblib", objects(b"\x80\x02\xff")))
    assert not look("a.joblib", objects(b"\x80\x02" + b"N0" * 200 + b"N."), pickle_operations=100).inspected
    # What follows is judged too.
    assert "pickle.global" in rules(look("a.joblib", objects(b"\x80\x02N.", samples.call("os", "system")[2:])))


def test_the_bytes_of_an_array_are_harmless_as_operations_too() -> None:
    hostile = samples.call("os", "system")[2:]
    state = described(shape=b"K" + bytes((len(hostile),)) + b"\x85", numpy_array_alignment_bytes=None)
    found = look("a.joblib", wrapped(state, hostile + b"."))
    assert rules(found) == {"pickle.readings"}
    long = b"N0" * 200 + b"N"
    state = described(shape=b"M" + struct.pack("<H", len(long)) + b"\x85", numpy_array_alignment_bytes=None)
    assert not look("a.joblib", wrapped(state, long + b"."), pickle_operations=100).inspected


@pytest.mark.parametrize(
    ("state", "known"),
    [
        (b"K\x01", True),
        (b"N", True),
        (samples.text("a"), True),
        (b"}", True),
        (described(dtype=b"N"), True),
        (described(shape=None), True),
        (described(order=samples.text("A")), False),
        (b")", False),
    ],
)
def test_another_reading_that_surely_breaks_off_is_no_finding(state: bytes, known: bool) -> None:
    """Joblib before 1.2 finds a description in the last bytes of this array; it raises for some of them."""
    before = samples.named("joblib.numpy_pickle", "NumpyArrayWrapper") + b"q\x030" + state + b"q\x040"
    last = b"h\x03)\x81h\x04b".rjust(17, b"N")
    data = wrapped(described(shape=b"K\x20\x85"), b"\x10" + b"\xff" * 16 + b"\0" * 15 + last + b".")
    found = look("a.joblib", data[:2] + before + data[2:])
    assert (is_clean(found), found.inspected) == (known, known)


def test_names_of_arrays_mean_nothing_in_another_reading() -> None:
    """A pickle inside of an array counts its memo from zero; read in one go, its names come from elsewhere."""
    value = {"first": np.array(["a", "b"], object), "second": np.array([1.5], object), "third": np.ones(2)}
    found = look("a.joblib", dump(value))
    assert is_clean(found), found
