"""Pickles in files that pass for something else, and what the gate must not call clean when it loses the thread."""

from __future__ import annotations

import gzip
import pickle
import time
from collections import OrderedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gate.inspect.pickle_machine import walk
from gate.inspect.pickle_policy import pickle_policy
from gate.inspect.pickle_values import WalkRules
from gate.inspect.source import BytesSource
from tests.support import samples
from tests.support.looking import is_clean, look, rules

TAIL = b"0cos\nsystem\n(S'echo harmless'\ntR."
POLYGLOT = samples.safetensors_and_pickle(TAIL[1:])
RULES = WalkRules(pickle_policy(), persistent=False, operations=10_000, line_bytes=1000)


@pytest.mark.parametrize("name", ["model.pkl", "pytorch_model.bin", "model.safetensors", "noname"])
def test_safetensors_that_begin_with_a_jump_into_their_header(name: str) -> None:
    assert "file.polyglot" in rules(look(name, POLYGLOT))


def test_safetensors_that_begin_like_a_pickle_are_clean() -> None:
    header = b'{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}'
    for length in range(len(header), 0x200):
        assert is_clean(look("m.safetensors", samples.safetensors(raw=header.ljust(length), data=b""))), length
    begins_with_persid = b'{"a":{"dtype":"U8","shape":[9],"data_offsets":[0,9]}}'.ljust(0x50)
    data = samples.safetensors(raw=begins_with_persid, data=b"\n\x82\x01)R.xyz")
    assert is_clean(look("m.safetensors", data)), look("m.safetensors", data)


def test_numbers_of_the_extension_registry() -> None:
    for data in (b"\x82\x00", b"\x83\x00\x00", b"\x84\xff\xff\xff\xff"):
        assert walk(BytesSource(data + b"."), 0, RULES).error is not None
    assert walk(BytesSource(b"\x84\x01\x00\x00\x00."), 0, RULES).calls


def test_safetensors_named_like_a_pickle_and_broken_off_late_are_not_inspected() -> None:
    unclear = samples.safetensors_and_pickle(b"NNNN\xff")
    assert not look("model.pkl", unclear).inspected
    assert look("model.safetensors", unclear).inspected


NUMBERS = [
    b"I0x1\n", b"I 5 \n", b"I1_0\n", b"I-0b11\n", b"I0o17\n", b"I010\n", b"I5\x00junk\n", b"I\x00x\n",
    b"L1_0L\n", b"L0x1fL\n",
    b"Finfinity\n", b"F-Infinity\n", b"FNaN\n", b"F1e5\x00x\n", b"I" + b"9" * 5000 + b"\n", b"F" + b"1" * 5000 + b"\n",
    b"Np +5\n0g5\n", b"Np0_5\n0g5 \n", b"Np5\x00x\n0g5\n", b"V" + b"a" * 100_000 + b"\n",
    b"S'" + b"a" * 100_000 + b"'\n", b"L+7\n", b"V" + b"a" * 17_000_000 + b"\n", b"L" + b"0" * 100_000 + b"1L\n",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: repr(number[:12]))
@pytest.mark.parametrize("name", ["version.pkl", "readme.bin", "license.pt", "model.pkl", "vocab.txt", "blob"])
def test_numbers_in_the_syntax_of_the_unpickler_do_not_end_the_walk(name: str, number: bytes) -> None:
    found = look(name, number + TAIL)
    if name == "vocab.txt":
        assert "file.polyglot" in rules(found)
    else:
        assert "pickle.global" in rules(found), found
        assert found.format == "pickle"


@pytest.mark.parametrize(
    "line", [b"Ix\n", b"I\n", b"I1 2\n", b"I1__0\n", b"L\n", b"L5LL\n", b"Fx\n", b"F\n", b"Ngx\n", b"Np-1\n", b"Np\n"]
)
def test_what_the_unpickler_refuses_ends_the_walk(line: bytes) -> None:
    assert walk(BytesSource(line + TAIL), 0, RULES).error is not None


@settings(max_examples=500, deadline=None)
@given(st.sampled_from("ILF"), st.text("0123456789abcxXoObB_+-. \t\r\0LeEinfINFtyan", max_size=8))
def test_the_unpickler_accepts_no_number_that_ends_the_walk(operation: str, operand: str) -> None:
    data = f"{operation}{operand}\n.".encode()
    try:
        pickle.loads(data)  # one number: the operand has no line feed
    except (ValueError, OverflowError, pickle.UnpicklingError):
        return
    assert walk(BytesSource(data), 0, RULES).error is None


def test_numbers_have_their_value() -> None:
    for line, value in ((b"I0x10\n", 16), (b"I010\n", 8), (b"I-1_0\n", -10), (b"L7L\n", 7)):
        assert walk(BytesSource(line + b"."), 0, RULES).value == value


def test_an_index_too_long_to_be_read_may_be_any() -> None:
    data = b"Np" + b"0" * 5000 + b"5\n" + TAIL
    assert walk(BytesSource(data), 0, WalkRules(pickle_policy(), False, 10_000, 10_000)).exhausted
    assert not look("model.pkl", data).inspected
    assert not look("vocab.txt", data).inspected


def test_names_in_lines_beyond_the_limit() -> None:
    data = b"c" + "\u00e9".encode() * 40_000 + b"\nx\n."
    assert "pickle.global" in rules(look("model.pkl", data))


def test_names_of_text_do_not_win_over_those_of_pickles() -> None:
    for name in ("version.pkl", "README.bin", "license.pt", "notice.joblib"):
        assert look(name, b"just text\n").inspected is False
    for name in ("README", "a/LICENSE", "readme.md", "version.txt", "notice.rst"):
        assert is_clean(look(name, b"just text\n"))


@pytest.mark.parametrize("name", ["vocab.txt", "run.py", "config.json", "a.yaml", "model.safetensors", "chat.jinja"])
def test_a_walk_that_ran_out_is_not_clean(name: str) -> None:
    data = b"N0" * 5_000_001 + TAIL
    began = time.process_time()
    found = look(name, data)
    assert not found.inspected
    assert time.process_time() - began < 5


def test_texts_in_an_archive_share_what_may_be_spent() -> None:
    texts = {f"{number}.txt": b"N0" * 20_000 for number in range(10)}
    found = look("x.zip", samples.zip_bytes(texts), pickle_operations=100_000)
    assert not found.inspected
    assert "may be a pickle too" in (found.reason or "")
    assert is_clean(look("x.zip", samples.zip_bytes({f"{number}.txt": b"Nothing\n" for number in range(100)})))


def test_text_of_many_lines_is_clean() -> None:
    for line in (b"It is 5 o'clock\n", b"I\n", b"1\n", b"Version 1\nof\n", b"cat\ndog\n\n", b"(a)\n", b"Name,Price\n"):
        assert is_clean(look("notes.txt", line * 100_000)), line


def test_wrappers_of_what_no_loader_expects() -> None:
    assert "file.mismatch" in rules(look("a.joblib", gzip.compress(samples.npy())))
    assert "file.mismatch" in rules(look("a.joblib", gzip.compress(samples.safetensors())))


DEEP = b")" + b"\x85" * 600
WIDE = b")" + b"2\x86" * 30
ORDERED = b"ccollections\nOrderedDict\n"


@pytest.mark.parametrize("key", [DEEP, WIDE, b"(" + b"N" * 1001 + b"t"], ids=["deep", "wide", "long"])
@pytest.mark.parametrize(
    "around",
    [
        (b"}", b"Ns."), (b"}(", b"Nu."), (b"(", b"Nd."), (b"\x8f(", b"\x90."), (b"(", b"\x91."),
        (b"cbuiltins\nset\n](", b"e\x85R."), (b"cbuiltins\nfrozenset\n](", b"e\x85R."),
        (ORDERED + b"](](", b"Nee\x85R."), (ORDERED + b"](", b"N\x86e\x85R."), (ORDERED + b")R", b"Ns."),
        (b"ccollections\nCounter\n](", b"e\x85R."),
    ],
)  # fmt: skip
def test_keys_that_end_or_hang_a_loader(around: tuple[bytes, bytes], key: bytes) -> None:
    found = look("model.pkl", b"\x80\4" + around[0] + key + around[1])
    assert rules(found) <= {"pickle.key", "pickle.call"}, found
    assert rules(found), found


def test_keys_of_a_few_parts_are_ordinary() -> None:
    assert is_clean(look("model.pkl", pickle.dumps({(1, (2, "a")): (1,) * 2000, frozenset({(1, 2)}): {(3, (4,))}})))
    assert is_clean(look("model.pkl", b"\x80\4](" + DEEP + b"e."))
    assert is_clean(look("model.pkl", pickle.dumps(OrderedDict([((1, 2), [1] * 5000)]))))
    assert is_clean(look("model.pkl", b"\x80\2" + ORDERED + b"](](K\1(" + b"N" * 3000 + b"tee\x85R."))


RECONSTRUCT = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n"


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"Nr\xff\xff\xff\x7f.", "pickle.memo"),
        (b"Np9999999999\n.", "pickle.memo"),
        (RECONSTRUCT + b"J\xff\xff\xff\x7f\x85U\1O\x87R.", "pickle.call"),
        (b"cbuiltins\nbytearray\nX\1\0\0\0aX\x08\0\0\0punycode\x86R.", "pickle.call"),
    ],
)
def test_few_bytes_that_take_a_loader_all_memory_or_time(data: bytes, rule: str) -> None:
    assert rules(look("model.pkl", b"\x80\2" + data)) == {rule}
    assert is_clean(look("model.pkl", b"\x80\2Nr\0\0\x10\0" + RECONSTRUCT + b"K\0\x85U\1b\x87R."))
