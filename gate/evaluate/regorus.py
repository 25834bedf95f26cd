"""The embedded engine: the only importer of `gate._regorus`."""

from __future__ import annotations

from typing import Final

from gate import _regorus
from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.interface import ENTRYPOINT, TIME_LIMIT_S, Modules
from gate.model.document import InputDocument

ENGINE_VERSION: Final = "0.14.1"
"""The version of the crate that `native/Cargo.toml` pins."""


class RegorusEngine:
    """A bundle compiled once. One instance a thread: shared ones do not scale."""

    name = "regorus"
    version = ENGINE_VERSION

    def __init__(self, bundle: Modules, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Compiles; raises `PolicyError` for what the engine or its static checks refuse."""
        self._time_limit_s = time_limit_s
        try:
            self._policies = _regorus.PolicySet.compile(dict(bundle.modules), b"{}", [ENTRYPOINT])
        except _regorus.PolicyError as error:
            raise PolicyError(f"the policy does not load: {error}") from None

    def report(self, document: InputDocument) -> bytes:
        """See `Engine.report`."""
        try:
            result = self._policies.evaluate(ENTRYPOINT, document.canonical, time_limit_s=self._time_limit_s)
        except _regorus.PolicyTimeout:
            raise PolicyTimeout(
                f"the evaluation took longer than {self._time_limit_s} seconds",
                hint="judge fewer files at once, or look for a control that loops over too much",
            ) from None
        except _regorus.PolicyError as error:
            raise PolicyError(f"the policy failed: {error}") from None
        if result.json is None:
            raise PolicyError(f"{ENTRYPOINT} is undefined", hint="no decision can be made without it")
        return result.json.encode("utf-8")


def parse_module(path: str, source: str) -> str:
    """The engine's syntax tree of one module as JSON; raises `PolicyError` when it does not parse."""
    try:
        return _regorus.syntax(path, source)
    except _regorus.PolicyError as error:
        raise PolicyError(f"the policy does not load: {error}") from None
