from __future__ import annotations

import pickle

import pytest

from tests.support import samples
from tests.support.looking import is_clean, look, rules


@pytest.mark.parametrize(
    ("descr", "shape", "size"),
    [
        ("'<f8'", "(2,)", 16),
        ("'|b1'", "(3, 4)", 12),
        ("'<U3'", "(2,)", 24),
        ("'|S5'", "(1,)", 5),
        ("'>M8[ns]'", "()", 8),
        ("'<c16'", "(0, 7)", 0),
        ("'?'", "(2,)", 2),
        ("[('a', '<i4'), ('b', '<U2', (3,)), ('c', [('d', '|u1')])]", "(2,)", 2 * (4 + 24 + 1)),
    ],
)
@pytest.mark.parametrize("version", [1, 2, 3])
def test_arrays_of_numbers_and_text_are_clean(descr: str, shape: str, size: int, version: int) -> None:
    found = look("a.npy", samples.npy(descr, shape, bytes(size), version=version))
    assert is_clean(found), found
    assert found.format == "numpy"


def test_an_array_of_objects_is_a_pickle() -> None:
    assert is_clean(look("a.npy", samples.npy("'|O'", "(1,)", pickle.dumps([1]))))
    for descr in ("'|O'", "'O'", "'|O8'", "[('a', '<i4'), ('b', '|O')]", "[('b', 'O'), ('a', '<i4')]"):
        found = look("a.npy", samples.npy(descr, "(1,)", samples.call("os", "system")))
        assert "pickle.global" in rules(found)


@pytest.mark.parametrize(
    "data",
    [
        samples.npy("'object'"),
        samples.npy("'i4,O'"),
        samples.npy("'<i'"),
        samples.npy("4"),
        samples.npy("[4]"),
        samples.npy("[('a',)]"),
        samples.npy("[[[[[[[[[[[('a','<i4')]]]]]]]]]]]"),
        samples.npy("[('a'," * 12 + "'<i4'" + ")]" * 12),
        samples.npy(shape="[2]"),
        samples.npy(shape="(-2,)"),
        samples.npy(shape="(True,)"),
        samples.npy(shape="(" + "1," * 65 + ")"),
        samples.npy(order="1"),
        samples.npy("__import__('os').system('x')"),
        samples.npy("(" * 1000 + ")" * 1000),
        samples.npy(version=4),
        samples.npy(version=3).replace(b"descr", b"d\xff\xff\xffr"),
        samples.npy()[:20],
        b"\x93NUMPY",
        b"\x93NUMPY\x01\x00\x02\x00{}",
        b"\x93NUMPY\x02\x00\xff\xff\xff\x7f{}",
    ],
)
def test_headers_that_numpy_does_not_write_are_findings(data: bytes) -> None:
    assert "numpy.header" in rules(look("a.npy", data))


@pytest.mark.parametrize("data", [samples.npy() + b"x", samples.npy()[:-1], samples.npy(shape="(3,)")])
def test_an_array_takes_all_of_its_file(data: bytes) -> None:
    assert "numpy.size" in rules(look("a.npy", data))
