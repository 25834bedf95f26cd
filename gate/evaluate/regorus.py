"""The embedded engine: the only importer of it from `gate._native`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gate import _native
from gate.errors import PolicyError, PolicyTimeout
from gate.evaluate.interface import ENTRYPOINT, REPORT_BYTES, TIME_LIMIT_S, Modules
from gate.formats import canonical_json
from gate.formats.strict_json import StrictJsonError, loads
from gate.model.document import InputDocument

ENGINE_VERSION: Final = "0.14.1"
"""The version of the crate that `native/Cargo.toml` pins."""
MAX_MODULES: Final = 2_000
MAX_POLICY_BYTES: Final = 4 << 20
"""Of all modules together, in UTF-8; the binding refuses one of more than 256 KiB."""

_LINES: Final = 100
_LINE: Final = 300


class RegorusEngine:
    """A bundle compiled once. One instance a thread: shared ones do not scale."""

    name = "regorus"
    version = ENGINE_VERSION

    def __init__(self, bundle: Modules, *, time_limit_s: float = TIME_LIMIT_S) -> None:
        """Compiles; raises `PolicyError` for what the engine or its static checks refuse."""
        self._time_limit_s = time_limit_s
        modules = dict(bundle.modules)
        _check_size(modules)
        try:
            self._policies = _native.PolicySet.compile(modules, b"{}", [ENTRYPOINT])
        except _native.PolicyError as error:
            raise PolicyError(f"the policy does not load: {_short(error)}") from None

    def report(self, document: InputDocument) -> bytes:
        """See `Engine.report`."""
        return canonical_report(self.text(document))

    def text(self, document: InputDocument) -> bytes:
        """The report as the engine writes it; raises like `report`."""
        try:
            result = self._policies.evaluate(ENTRYPOINT, document.canonical, time_limit_s=self._time_limit_s)
        except _native.PolicyTimeout:
            raise PolicyTimeout(
                f"the evaluation took longer than {self._time_limit_s:g} seconds",
                hint="judge fewer files at once, or look for a control that loops over too much",
            ) from None
        except _native.PolicyError as error:
            raise PolicyError(f"the policy failed: {_short(error)}") from None
        if result.json is None:
            raise PolicyError(f"{ENTRYPOINT} is undefined", hint="no decision can be made without it")
        return result.json.encode("utf-8")


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of one file that an evaluation reached, and those with code that it did not."""

    covered: frozenset[int]
    missed: frozenset[int]


class CompiledRules:
    """Modules with some rules that can be asked for, tests included: what the commands for authors run."""

    def __init__(self, modules: Mapping[str, str], rules: Sequence[str] = ()) -> None:
        """Compiles; raises `PolicyError` for what the engine or its static checks refuse."""
        _check_size(modules)
        try:
            self._policies = _native.PolicySet.compile(dict(modules), b"{}", rules)
        except _native.PolicyError as error:
            raise PolicyError(f"the policy does not load: {_short(error)}") from None

    @property
    def tests(self) -> tuple[str, ...]:
        """The rules named `test_*`, sorted, each as `data.<package>.<name>`."""
        return tuple(self._policies.test_rules())

    def value(self, rule: str, document: bytes = b"{}", *, time_limit_s: float = TIME_LIMIT_S) -> str | None:
        """The JSON text of a rule's value, `None` if it is undefined; raises `PolicyError` and `PolicyTimeout`."""
        return self._answer(rule, document, time_limit_s, coverage=False).json

    def value_and_lines(
        self, rule: str, document: bytes = b"{}", *, time_limit_s: float = TIME_LIMIT_S
    ) -> tuple[str | None, Mapping[str, Lines]]:
        """Like `value`, and which lines were reached, by file; files that nothing reached are left out."""
        answer = self._answer(rule, document, time_limit_s, coverage=True)
        found = json.loads(answer.coverage_json or "{}")
        lines = {path: Lines(frozenset(one["covered"]), frozenset(one["not_covered"])) for path, one in found.items()}
        return answer.json, lines

    def _answer(self, rule: str, document: bytes, time_limit_s: float, *, coverage: bool) -> _native.Evaluation:
        try:
            return self._policies.evaluate(rule, document, time_limit_s=time_limit_s, coverage=coverage)
        except _native.PolicyTimeout:
            raise PolicyTimeout(f"{rule} took longer than {time_limit_s:g} seconds") from None
        except _native.PolicyError as error:
            raise PolicyError(f"{rule} failed: {_short(error)}") from None


def canonical_report(report: bytes) -> bytes:
    """The same value has the same bytes, whichever engine gave it; raises `PolicyError` for one that has no such."""
    if len(report) > REPORT_BYTES:
        raise PolicyError(f"{ENTRYPOINT} has more than {REPORT_BYTES} bytes")
    try:
        return canonical_json.dumps(loads(report, limit=len(report)))
    except (StrictJsonError, canonical_json.CanonicalJsonError) as error:
        raise PolicyError(f"{ENTRYPOINT} has no canonical form: {error}") from None


def _check_size(modules: Mapping[str, str]) -> None:
    """Loading takes memory and time that grow with the policy, and no limit of either holds there."""
    if len(modules) > MAX_MODULES:
        raise PolicyError(f"the policy has {len(modules)} modules, more than the {MAX_MODULES} allowed")
    size = sum(len(source.encode("utf-8")) for source in modules.values())
    if size > MAX_POLICY_BYTES:
        raise PolicyError(f"the policy has {size} bytes, more than the {MAX_POLICY_BYTES} allowed")


def _short(error: _native.PolicyError) -> str:
    """What the engine says, without the rest of very long lines of source and of very many errors."""
    lines = str(error).splitlines()
    short = [line if len(line) <= _LINE else line[:_LINE] + "..." for line in lines[:_LINES]]
    return "\n".join([*short, f"({len(lines) - _LINES} more lines)"] if len(lines) > _LINES else short)


def parse_module(path: str, source: str) -> str:
    """The engine's syntax tree of one module as JSON; raises `PolicyError` when it does not parse."""
    try:
        return _native.syntax(path, source)
    except _native.PolicyError as error:
        raise PolicyError(f"the policy does not load: {_short(error)}") from None
