"""`gate doctor`: what is installed, what is missing, and what is weak in a configuration that is not wrong."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from importlib.metadata import version
from typing import Final

from gate import __version__
from gate.app.admission_notes import examine_admission
from gate.app.engines import EngineOptions, overridden
from gate.app.init import PUBLIC
from gate.app.notes import Level, Note
from gate.app.record_notes import examine_record
from gate.app.sidecar import examine_sidecar
from gate.app.workspace import Request, Workspace, open_workspace
from gate.collect.git import git_version
from gate.errors import ConfigError, GateError
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.evaluate.regorus import RegorusEngine
from gate.formats.rfc3339 import format_time
from gate.model.control import Mode
from gate.model.waiver import WaiverState
from gate.verify.trust import root_weaknesses

_GIT_FLOOR: Final = (2, 36)
_YEAR_S: Final = 366 * 24 * 3600
# Parameters whose looser value lets more through, with that value.
_LOOSE: Final = {
    ("change.attested", "on_empty_diff", "allow"): "an empty diff counts as a pass",
    ("scan.malware", "accept_suppressed", True): "findings that a tool suppressed do not refuse",
    ("scan.malware", "accept_not_affected", True): "findings judged not to apply do not refuse",
}


def examine(request: Request, options: EngineOptions) -> tuple[Note, ...]:
    """Everything worth saying; a broken part becomes a note and hides no other."""
    notes = list(_installation())
    try:
        workspace = open_workspace(request)
        engine = overridden(workspace.settings.engine, options)
    except ConfigError as error:
        return (*notes, Note(Level.WRONG, str(error), error.hint))
    except GateError as error:
        return (*notes, Note(Level.WRONG, str(error), error.hint))
    notes.append(Note(Level.OK, f"{workspace.settings.path} is valid (profile {workspace.profile.name})"))
    notes += _judging(workspace.bundle)
    notes += _signers(workspace)
    notes += _root(workspace)
    notes += _inputs(workspace)
    notes += _policy(workspace)
    notes += examine_record(workspace)
    notes += examine_admission(workspace)
    if engine.name == "opa":
        notes += examine_sidecar(engine, workspace.bundle)
    return tuple(notes)


def _judging(bundle: PolicyBundle) -> Iterator[Note]:
    """The policy that `gate.yaml` asks for, where it is not the packaged one that was named before."""
    if bundle.own or bundle.serial is not None:
        serial = "" if bundle.serial is None else f", serial {bundle.serial}"
        own = f"{len(bundle.own)} own, {len(bundle.replaced)} of them in the library's place"
        text = f"judged by policy {bundle.digest[:19]}..., {len(bundle.catalogue)} controls: {own}{serial}"
        yield Note(Level.OK, text)


def _installation() -> Iterator[Note]:
    yield Note(Level.OK, f"gate {__version__}, Python {platform.python_version()}")
    packages = ", ".join(f"{name} {version(name)}" for name in ("click", "cryptography", "jsonschema-rs"))
    yield Note(Level.OK, packages)
    yield from _git()
    try:
        bundle: PolicyBundle = packaged_bundle()
        engine = RegorusEngine(bundle)
        yield Note(
            Level.OK,
            f"policy {bundle.digest[:19]}..., {len(bundle.catalogue)} controls; {engine.name} {engine.version}",
        )
    except GateError as error:
        yield Note(Level.WRONG, str(error), error.hint or "install gate again")


def _git() -> Iterator[Note]:
    try:
        found = git_version()
    except GateError as error:
        yield Note(Level.WRONG, str(error), error.hint)
        return
    if found < _GIT_FLOOR:
        floor = ".".join(map(str, _GIT_FLOOR))
        yield Note(
            Level.WRONG, f"git {'.'.join(map(str, found))} is older than {floor}", f"install git {floor} or newer"
        )
    else:
        yield Note(Level.OK, f"git {'.'.join(map(str, found))}")


def _signers(workspace: Workspace) -> Iterator[Note]:
    settings = workspace.settings
    if not settings.trust.signers:
        yield Note(Level.WEAK, "no signer is trusted, so no evidence can count", "gate keygen, then trust.signers")
    for name, signer in settings.trust.signers.items():
        if signer.identity is not None:
            if settings.trust.sigstore_root is None:
                yield Note(
                    Level.WEAK,
                    f"signer {name}: without a trusted root nobody can prove this identity",
                    "set trust.sigstore (trusted_root and sha256)",
                )
            continue
        if signer.key_path == PUBLIC:
            yield Note(
                Level.WEAK,
                f"signer {name}: `gate init` made its key, for trying; who has this folder can sign with it",
                "gate keygen for the job that releases, or docs/how-to/sign-keyless.md",
            )
        if signer.valid_until_s is None:
            yield Note(Level.WEAK, f"signer {name}: its key never expires", "set valid_until")
        elif signer.valid_until_s < workspace.now_s:
            when = format_time(signer.valid_until_s)
            yield Note(Level.WRONG, f"signer {name}: its key expired at {when}", "rotate the key")
        elif signer.valid_until_s - workspace.now_s > _YEAR_S:
            yield Note(Level.WEAK, f"signer {name}: its key is valid for more than a year", "shorten valid_until")
    keys: dict[bytes, str] = {}
    for name, signer in settings.trust.signers.items():
        pem = (signer.key_pem or b"").strip()
        if pem and pem in keys:
            yield Note(Level.WEAK, f"signers {keys[pem]} and {name} share one key", "give each its own")
        keys.setdefault(pem, name)


def _root(workspace: Workspace) -> Iterator[Note]:
    for problem in root_weaknesses(workspace.settings.trust, workspace.now_s):
        path = workspace.settings.trust.sigstore_trusted_root
        yield Note(Level.WEAK, f"trusted root {path}: {problem}", "pin the newer one (docs/how-to/sign-keyless.md)")


def _inputs(workspace: Workspace) -> Iterator[Note]:
    settings = workspace.settings
    if not settings.evidence_directories and not settings.evidence_registries and settings.admission is None:
        yield Note(Level.WEAK, "no evidence is configured, so everything attested is missing", "set evidence")
    for directory in settings.evidence_directories:
        if not (workspace.root / directory).is_dir():
            yield Note(Level.WEAK, f"evidence directory {directory} does not exist", "gate sign writes there")
    if not settings.gates:
        yield Note(Level.WEAK, "no gate is configured: changed paths are not required to be attested", "set gates")
    for report in settings.reports:
        if not any(workspace.root.glob(report.path)):
            yield Note(Level.WEAK, f"report {report.path} does not exist", f"run {report.tool} before the gate")


def _policy(workspace: Workspace) -> Iterator[Note]:
    for control, mode in workspace.profile.controls.items():
        if mode is not Mode.ENFORCE:
            yield Note(Level.WEAK, f"{control} is {mode.value} in profile {workspace.profile.name}", "enforce it")
    bundle = workspace.bundle
    left = bundle.catalogue.keys() - workspace.profile.controls.keys()
    # What a named profile leaves out of the library is for other artifacts than those that it is made for.
    names = sorted(left & set(bundle.own) if workspace.profile.name in bundle.profiles else left)
    if names:
        text = f"profile {workspace.profile.name} leaves out {', '.join(names)}"
        yield Note(Level.WEAK, text, "begin it with `extends: baseline`, or add those that matter to you")
    for (control, name, loose), meaning in _LOOSE.items():
        if workspace.profile.parameters.get(control, {}).get(name) == loose:
            yield Note(Level.WEAK, f"{control}: {meaning} ({name})", "remove the parameter")
    for waiver in workspace.waivers.values():
        state = waiver.state(workspace.now_s)
        if state is not WaiverState.ACTIVE:
            yield Note(Level.WEAK, f"waiver {waiver.id} for {waiver.control} is {state.value}", "renew or remove it")
