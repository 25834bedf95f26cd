"""What `gate doctor` says about the admission webhook: what is let in, and what becomes of outages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from gate.app.notes import Level, Note
from gate.app.workspace import Workspace
from gate.model.admission_settings import AdmissionMode, AdmissionSettings, Outage, Tags
from gate.model.settings import Target

_LONG_LAST_SEEN_S: Final = 4 * 3600
_LONG_LISTING_S: Final = 120


def examine_admission(workspace: Workspace) -> Iterator[Note]:
    """What is weak in the section `admission`; nothing without it. No registry is asked."""
    settings = workspace.settings.admission
    if settings is None:
        return
    hosts = ", ".join(settings.registries) or "none"
    yield Note(Level.OK, f"admission webhook: {settings.mode.value}; images may come from: {hosts}")
    if workspace.settings.target is not Target.DEPLOYMENT:
        text = (
            f"admission webhook: the target is {workspace.settings.target.value}, and what a cluster runs is deployed"
        )
        yield Note(Level.WEAK, text, "target: deployment")
    yield from _what_is_let_in(settings)
    yield from _registries(settings)
    yield from _outages(settings)
    if workspace.settings.record is None:
        text = "admission webhook: its answers are not recorded, and it can make no exceptions"
        yield Note(Level.WEAK, text, "set record (docs/how-to/decision-log.md)")


def _what_is_let_in(settings: AdmissionSettings) -> Iterator[Note]:
    if settings.mode is AdmissionMode.DRY_RUN:
        text = "admission webhook: nothing is enforced; what would be refused is let in with a warning"
        yield Note(Level.WEAK, text, "admission.mode: enforce")
    if settings.tags is Tags.RESOLVE:
        text = "admission webhook: a tag is looked up, and the cluster may pull something else a moment later"
        yield Note(Level.WEAK, text, "admission.tags: refuse, and images by digest")
    if settings.break_glass is None:
        text = "admission webhook: nobody can make an exception, so in an emergency somebody will remove the webhook"
        yield Note(Level.WEAK, text, "set admission.break_glass")
    elif len(settings.break_glass.signers) == 1 and not settings.break_glass.namespaces:
        (name,) = settings.break_glass.signers
        text = f"admission webhook: {name} alone can let anything into every namespace"
        yield Note(Level.WEAK, text, "set admission.break_glass.namespaces")


def _registries(settings: AdmissionSettings) -> Iterator[Note]:
    if not settings.registries:
        yield Note(Level.WEAK, "admission webhook: no registry is named, so every image is refused", "set registries")
    for host, registry in settings.registries.items():
        if registry.access.insecure:
            text = f"admission webhook: {host} is asked over plain HTTP; who can change that can hide evidence"
            yield Note(Level.WEAK, text, "serve the registry over HTTPS")
        if registry.access.timeout_s > 4 * settings.limits.deadline_s:
            text = f"admission webhook: {host} has {registry.access.timeout_s} seconds, and an answer far less"
            yield Note(Level.WEAK, text, "lower its timeout_s")


def _outages(settings: AdmissionSettings) -> Iterator[Note]:
    if settings.outage is Outage.LAST_SEEN and settings.last_seen_s > _LONG_LAST_SEEN_S:
        hours = settings.last_seen_s // 3600
        text = f"admission webhook: what was attached {hours} hours ago stands for a registry that cannot be reached"
        yield Note(Level.WEAK, text, "shorten admission.last_seen")
    if settings.listing_s > _LONG_LISTING_S:
        text = f"admission webhook: what is removed from a registry still counts for {settings.listing_s} seconds"
        yield Note(Level.WEAK, text, "shorten admission.listing")
