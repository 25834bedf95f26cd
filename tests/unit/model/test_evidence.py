"""Stages of verification and their exit codes."""

from __future__ import annotations

import pytest

from gate.model.evidence import Stage


@pytest.mark.parametrize(
    ("stage", "code"),
    [(Stage.ENVELOPE, 14), (Stage.SIGNATURE, 11), (Stage.STATEMENT, 14), (Stage.SUBJECT, 12), (Stage.CHAIN, 14)],
)
def test_s16_each_stage_has_its_exit_code(stage: Stage, code: int) -> None:
    assert stage.exit_code == code
