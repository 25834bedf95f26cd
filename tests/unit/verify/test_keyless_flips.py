"""No bundle with a byte changed is accepted, but for bytes that mean nothing (SECURITY 5, 8)."""

from __future__ import annotations

import pytest

from tests.support.byte_flips import BUNDLES, accepted_flips


@pytest.mark.parametrize("name", BUNDLES)
def test_s08_a_changed_byte_is_noticed(name: str) -> None:
    assert list(accepted_flips(name, 600, seed=1)) == []
