"""Fifty thousand changed bytes of five bundles: `.venv/bin/python -m pytest -n 2 tests/slow/test_keyless_flips.py`."""

from __future__ import annotations

import pytest

from tests.support.byte_flips import BUNDLES, accepted_flips


@pytest.mark.parametrize("seed", range(2, 12))
@pytest.mark.parametrize("name", BUNDLES)
def test_s08_a_changed_byte_is_noticed(name: str, seed: int) -> None:
    assert list(accepted_flips(name, 1000, seed)) == []
