"""Random and mutated bytes: inspection answers, in bounded time, and never lets a bypass through."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.looking import is_clean, look

NAMES = (
    "model.safetensors",
    "model.pkl",
    "config.json",
    "a.npy",
    "a.npz",
    "README.md",
    "config.yaml",
    "noname",
    "m.pt",
)
GOOD = (
    samples.safetensors(), samples.torch_zip(), samples.legacy_torch(), samples.npy(), samples.array_pickle(),
    samples.zip_bytes({"a.npy": samples.npy()}), pickle.dumps({"a": [1, (2, 3)]}, 0), pickle.dumps({"a": {1}}, 5),
    b'{"auto_map": {"a": "b"}}', b"a: [1, 2]\n",
)  # fmt: skip
RELAXED = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@RELAXED
@given(st.sampled_from(NAMES), st.binary(max_size=400))
def test_random_bytes_never_raise(name: str, data: bytes) -> None:
    found = look(name, data)
    assert found.inspected or (found.reason and "failed" not in found.reason)


@RELAXED
@given(st.sampled_from(NAMES), st.sampled_from(GOOD), st.data())
def test_mutated_files_never_raise(name: str, good: bytes, data: st.DataObject) -> None:
    mutated = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(mutated)))
        mutated[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    found = look(name, bytes(mutated))
    assert found.inspected or (found.reason and "failed" not in found.reason)


HARMLESS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4) | st.tuples(inner)
    ),
    max_leaves=20,
)


@RELAXED
@given(HARMLESS, st.integers(0, 5))
def test_plain_data_is_always_clean(value: object, protocol: int) -> None:
    assert is_clean(look("a.pkl", pickle.dumps(value, protocol)))


@RELAXED
@given(
    HARMLESS,
    st.integers(0, 5),
    st.sampled_from(samples.GADGETS),
    st.sampled_from((samples.named, samples.stacked, samples.remembered)),
)
def test_a_gadget_behind_any_data_is_found(value: object, protocol: int, gadget: tuple[str, str], how: object) -> None:
    assert callable(how)
    body = pickle.dumps(value, protocol)[:-1] + b"0" + how(*gadget) + samples.args("x") + b"R."
    assert any(finding.rule.startswith("pickle.") for finding in look("a.pkl", body).findings)
    stream = pickle.dumps(value, protocol) + body
    assert any(finding.rule.startswith("pickle.") for finding in look("a.pkl", stream).findings)


@pytest.mark.parametrize("name", ["safetensors", "torch", "npy"])
def test_every_flipped_byte_gives_an_answer(name: str) -> None:
    good = {"safetensors": GOOD[0], "torch": GOOD[1], "npy": GOOD[3]}[name]
    for at in range(len(good)):
        for value in (0x00, 0xFF, good[at] ^ 1):
            found = look(f"model.{name}", good[:at] + bytes((value,)) + good[at + 1 :])
            assert found.inspected or (found.reason and "failed" not in found.reason)
            assert not (found.reason or "").startswith("the inspection failed"), (at, value, found)
