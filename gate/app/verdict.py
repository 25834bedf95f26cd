"""The verdict as attestations: statements of others' types about a decision, signed by the gate's own key.

What is signed is what verification reads: a statement that the gate itself would refuse is not made. A signature says
that this gate decided so. A decision in a file is signed as it is read there, and nothing proves who wrote it: one that
git tracks is refused, since a change can bring it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from gate.app.produce import AnySigner, path_below, real_path, sign_payload
from gate.attest.statement import check_statement
from gate.collect.git import Repository, find_root
from gate.errors import AttestError, ConfigError
from gate.formats.strict_yaml import suggestion
from gate.model.decision import Decision
from gate.model.path import fold
from gate.report.attested import Naming
from gate.report.summary import member
from gate.report.svr import svr_statements
from gate.report.vsa import vsa_statements

Statements = Callable[[Decision, Naming], tuple[str, ...]]
ATTESTATIONS: Final[Mapping[str, Statements]] = MappingProxyType({"vsa": vsa_statements, "svr": svr_statements})
"""The reports that are statements, by name."""


def verdict_lines(form: str, decision: Decision, naming: Naming, signer: AnySigner | None) -> str:
    """One line for each artifact: its statement, or with a signer the bundle around it.

    Raises `ConfigError` for names that the decision does not have, `AttestError` for what cannot be signed.
    """
    _check_names(decision, naming)
    statements = ATTESTATIONS[form](decision, naming)
    for statement in statements:
        check_statement(statement.encode("utf-8"))
    if signer is None:
        return "".join(f"{statement}\n" for statement in statements)
    bundles = [sign_payload(statement.encode("utf-8"), signer) for statement in statements]
    return "".join(f"{bundle.decode('utf-8').strip()}\n" for bundle in bundles)


def refuse_tracked_decision(path: Path) -> None:
    """Raises `AttestError` for a saved decision, or a log of them, that git tracks: a change could have brought it."""
    if _is_tracked(real_path(path)) or _is_tracked(path.resolve()):
        raise AttestError(
            f"git tracks {path}: a change could have brought the decision, and nothing was signed",
            hint="sign in the job that decides: gate check --report vsa=FILE --key KEY",
        )


def _is_tracked(path: Path) -> bool:
    top = find_root(path.parent)
    below = None if top is None else path_below(path, top)
    return top is not None and below is not None and fold(below) in {fold(name) for name in Repository(top).tracked()}


def _check_names(decision: Decision, naming: Naming) -> None:
    if ":" not in naming.verifier:
        raise ConfigError(f"--verifier: {naming.verifier!r} is no URI", hint="--verifier https://gate.example/staging")
    artifacts = member(decision.subject, "artifacts")
    known = sorted(artifacts) if isinstance(artifacts, Mapping) else []
    for name in naming.resources:
        if name not in known:
            raise ConfigError(f"--resource: the decision is about no artifact {name!r}{suggestion(name, known)}")
