"""What evaluates the policy, as `gate.yaml` and the command line ask for it."""

from __future__ import annotations

from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.interface import Engine
from gate.model.settings import EngineSettings


def open_engine(settings: EngineSettings, bundle: PolicyBundle) -> Engine:
    """The engine, loaded with a policy; raises `PolicyError` when it cannot be."""
    if settings.isolated:
        from gate.evaluate.isolated import IsolatedEngine, IsolationLimits

        return IsolatedEngine(bundle, limits=IsolationLimits(evaluation_s=settings.timeout_s))
    from gate.evaluate.regorus import RegorusEngine

    return RegorusEngine(bundle, time_limit_s=settings.timeout_s)
