"""`gate check --format summary`: the page of a CI job. It begins and ends as the comment does."""

from __future__ import annotations

from tests.support.readings.markdown import read

__all__ = ["read"]
