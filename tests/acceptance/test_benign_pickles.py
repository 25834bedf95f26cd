"""What people save with PyTorch, transformers, NumPy, joblib and scikit-learn passes, or is refused by name."""

from __future__ import annotations

import io
import random
from pathlib import Path

import joblib
import numpy as np
import pytest

from gate.formats.pickle_names import problem_of_allowed
from tests.support.benign_table import Outcome, outcomes, table
from tests.support.looking import is_clean, look

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "pickles.md"


# One worker saves and reads them all.
once = pytest.mark.xdist_group("benign-pickles")


@pytest.fixture(scope="module")
def found() -> dict[str, list[Outcome]]:
    return outcomes()


@once
def test_the_page_says_how_many_are_refused(found: dict[str, list[Outcome]]) -> None:
    wanted = table(found)
    assert wanted in PAGE.read_text(), f"put this table into {PAGE.name}:\n{wanted}"


@once
def test_at_least_four_of_five_pass_and_the_others_can_be_allowed(found: dict[str, list[Outcome]]) -> None:
    items = [item for group in found.values() for item in group]
    assert len(items) >= 300
    assert sum(item.passes for item in items) >= 0.8 * len(items)
    assert [item.name for item in items if item.allowed is None] == []
    assert {name for item in items for name in item.allowed or () if problem_of_allowed(name)} == set()


@pytest.mark.parametrize("operation", [b"N", b"]", b"}", b")", b"\x94", b"(", b"0", b".", b"2", b"K\x01", b"h\x00"])
@pytest.mark.parametrize("count", [16, 31, 40])
def test_arrays_whose_bytes_are_operations_are_harmless(operation: bytes, count: int) -> None:
    value = [{"a": np.frombuffer(operation * count, "u1")}, np.ones(3), {"b": np.ones(2), "c": "x"}]
    assert is_clean(look("a.joblib", _dumped(value)))


def test_arrays_of_any_bytes_are_harmless() -> None:
    numbers = random.Random(7)
    for _ in range(300):
        found = look("a.joblib", _dumped({"a": np.frombuffer(numbers.randbytes(24), "u1"), "b": np.ones(2)}))
        assert is_clean(found), found


def _dumped(value: object) -> bytes:
    out = io.BytesIO()
    joblib.dump(value, out)
    return out.getvalue()
