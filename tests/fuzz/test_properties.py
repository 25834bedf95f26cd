"""What holds for every input of a kind: plain data is clean, and no flipped byte is without an answer."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support import samples
from tests.support.looking import is_clean, look

GOOD = {"safetensors": samples.safetensors(), "torch": samples.torch_zip(), "npy": samples.npy()}
RELAXED = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


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


@pytest.mark.parametrize("name", ["safetensors", "torch", "npy"])
def test_every_flipped_byte_gives_an_answer(name: str) -> None:
    good = GOOD[name]
    for at in range(len(good)):
        for value in (0x00, 0xFF, good[at] ^ 1):
            found = look(f"model.{name}", good[:at] + bytes((value,)) + good[at + 1 :])
            assert found.inspected or (found.reason and "failed" not in found.reason)
            assert not (found.reason or "").startswith("the inspection failed"), (at, value, found)
