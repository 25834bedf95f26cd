"""No report of a decision shows what looks like a secret, wherever in the decision it stands (SECURITY 35)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from enum import Enum
from typing import Any

import pytest

from gate.model.decision import Decision
from gate.model.digest import parse_digest
from gate.report.escape import markdown, markdown_code, spreadsheet, terminal
from gate.report.interface import REPORTS
from gate.report.text import render_text
from tests.support.decisions import approval, refusal, undecided
from tests.support.secrets import SECRETS, core

DECISIONS = {"refusal": refusal(), "approval": approval(), "undecided": undecided()}
FIXED = {"id", "decided_at", "kind", "mode", "relation"}
"""What only the gate writes."""


def leaking(value: Any, secret: str, name: str = "") -> Any:
    """The value with the secret behind every text of it that could come from outside."""
    if name in FIXED or isinstance(value, Enum) or (isinstance(value, str) and parse_digest(value)):
        return value
    if isinstance(value, str):
        return f"{value} {secret}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = ((field.name, getattr(value, field.name)) for field in dataclasses.fields(value))
        return dataclasses.replace(value, **{name: leaking(member, secret, name) for name, member in members})
    if isinstance(value, Mapping):
        return {key: leaking(member, secret, key) for key, member in value.items()}
    if isinstance(value, tuple | list):
        return type(value)(leaking(member, secret) for member in value)
    return value


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", REPORTS)
def test_s35_no_report_shows_a_secret(kind: str, form: str) -> None:
    for name, decision in DECISIONS.items():
        full: Decision = leaking(decision, SECRETS[kind])
        assert full.exit_code == decision.exit_code
        shown = REPORTS[form](full)
        assert not any(secret in shown for secret in core(SECRETS[kind])), name


@pytest.mark.parametrize("kind", SECRETS)
def test_s35_no_terminal_shows_a_secret(kind: str) -> None:
    shown = render_text(leaking(refusal(), SECRETS[kind]), colour=True)
    assert not any(secret in shown for secret in core(SECRETS[kind]))


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("sink", [terminal, markdown, markdown_code, spreadsheet])
def test_s35_no_text_is_cut_through_a_secret(kind: str, sink: Any) -> None:
    """A secret of which only the head is shown would no longer be known for one."""
    for before in range(0, 60, 7):
        shown = sink(" " * before + SECRETS[kind] + " " + "x" * 100, 60)
        whole = max(core(SECRETS[kind]), key=len)
        assert not any(whole[start : start + 24] in shown for start in range(len(whole) - 23) if "://" not in whole)


def test_s35_the_ends_of_a_long_text_hold_no_secret() -> None:
    """Only the ends are shown, so only they are looked at, with as much around them as a private key has."""
    secret = SECRETS["private key"]
    shown = terminal(f"{secret}{'x ' * 50_000}{secret}", 600)
    assert shown.count("[redacted private-key ") == 2
    assert not any(part in shown for part in core(secret))
    assert len(shown) <= 600
