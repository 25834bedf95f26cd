"""A policy-as-code gate for the supply chain of AI artifacts.

For Python programs (docs/how-to/use-from-python.md); each name is imported when it is used first:

    admit             returns only when the decision is ALLOW, else raises `Refused`
    verified_model    a private copy of an admitted model, to be loaded from
    open_verified     one admitted file, open for reading
    guard             a loader that loads only what was admitted
    training_run      collects the provenance of a training job and states it
    check             the decision, whatever it is
    verify_evidence   what the evidence is worth
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.api import (
        Admission,
        AttestError,
        ConfigError,
        Decision,
        EvidenceError,
        GateError,
        PolicyError,
        Reason,
        Refused,
        Verdict,
        admit,
        check,
        reasons,
        verify_evidence,
    )
    from gate.loading import guard, open_verified, verified_model
    from gate.training import training_run

__version__ = "0.1.0"

__all__ = [
    "Admission",
    "AttestError",
    "ConfigError",
    "Decision",
    "EvidenceError",
    "GateError",
    "PolicyError",
    "Reason",
    "Refused",
    "Verdict",
    "__version__",
    "admit",
    "check",
    "guard",
    "open_verified",
    "reasons",
    "training_run",
    "verified_model",
    "verify_evidence",
]
_ELSEWHERE = {
    "guard": "gate.loading",
    "open_verified": "gate.loading",
    "training_run": "gate.training",
    "verified_model": "gate.loading",
}
_MODULES = ("api", "errors", "loading", "training")


def __getattr__(name: str) -> object:
    """Imports what is asked for: `import gate` alone loads nothing."""
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"gate.{name}")
    if name not in __all__:
        raise AttributeError(f"module 'gate' has no attribute {name!r}")
    found: object = getattr(importlib.import_module(_ELSEWHERE.get(name, "gate.api")), name)
    return found


def __dir__() -> list[str]:
    """All that can be asked for."""
    return sorted({*globals(), *__all__, *_MODULES})
