"""The only place that writes the input document (`urn:gate:input:v1`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gate.errors import LimitError, PolicyError
from gate.formats import canonical_json, schema
from gate.formats.rfc3339 import format_time
from gate.model.admission import AdmissionFacts
from gate.model.artifact import Artifact
from gate.model.change import ChangeSet
from gate.model.control import Profile
from gate.model.dependencies import Lock
from gate.model.digest import sha256_digest
from gate.model.document import INPUT_SCHEMA, InputDocument
from gate.model.evidence import VerifiedSet
from gate.model.json import JsonObject, JsonValue
from gate.model.reuse import Summary
from gate.model.scan import Scan
from gate.model.settings import Settings
from gate.model.signal import Signal
from gate.model.waiver import Waiver
from gate.model.workload import Workload
from gate.normalize.sections.admission import admission_section
from gate.normalize.sections.artifacts import artifacts_section
from gate.normalize.sections.change import change_sections
from gate.normalize.sections.dependencies import dependencies_section
from gate.normalize.sections.evidence import attestations_section, claims_section, rejected_section
from gate.normalize.sections.profile import profile_sections
from gate.normalize.sections.scans import attested_scans, scans_sections
from gate.normalize.sections.signals import attested_signals, signals_section
from gate.normalize.sections.vex import judged_findings
from gate.normalize.sections.workloads import workloads_section


@dataclass(frozen=True, slots=True)
class Facts:
    """What the stages before found out."""

    settings: Settings
    profile: Profile
    artifacts: Mapping[str, Artifact]
    change: ChangeSet
    evidence: VerifiedSet
    scans: Sequence[Scan]
    waivers: Mapping[str, Waiver]
    now_s: int
    reuse: Sequence[Summary] = ()
    dependencies: Mapping[str, Mapping[str, Lock]] = field(default_factory=dict)
    workloads: Mapping[str, Workload] = field(default_factory=dict)
    signals: Sequence[Signal] = ()
    admission: AdmissionFacts | None = None


def build_document(facts: Facts) -> InputDocument:
    """The document, validated against its schema; the same facts give the same bytes.

    What looks like a secret is not in it. Raises `SecretsError` when two names would be one without their secrets,
    `LimitError` when it is larger than `limits.document_bytes`, and `PolicyError` when it does not fit its schema: then
    something came through that nobody foresaw, and nothing may be decided on it.
    """
    try:
        document = canonical_json.without_secrets(_document(facts), is_outside=True)
        value = canonical_json.read(document.data)
    except canonical_json.CanonicalJsonError as error:
        raise PolicyError(f"the input document has no canonical form: {error}") from None
    limit = facts.settings.limits.document_bytes
    if len(document.data) > limit:
        raise LimitError(
            f"the input document has {len(document.data)} bytes, limits.document_bytes allows {limit}",
            hint="raise the limit in gate.yaml, or judge fewer files at once",
        )
    problem = schema.problem("input.json", value)
    if problem is not None:
        raise PolicyError(f"the input document does not fit its schema: {problem}", hint="please report this as a bug")
    return InputDocument(value, document.data, sha256_digest(document.data))


def _document(facts: Facts) -> JsonObject:
    settings = facts.settings
    change, gates = change_sections(facts.change, settings.gates, settings.steering, facts.evidence.verified)
    attested = attested_scans(facts.evidence.verified, facts.artifacts)
    every = (*facts.scans, *attested)
    judged = judged_findings(every, facts.evidence.verified, facts.artifacts, facts.now_s)
    scans, findings = scans_sections(every, judged)
    signals = signals_section((*facts.signals, *attested_signals(facts.evidence.verified, facts.artifacts)))
    return {
        "schema": INPUT_SCHEMA,
        "context": {
            "target": settings.target.value,
            "environment": settings.environment,
            "now": format_time(facts.now_s),
            "now_s": facts.now_s,
        },
        **profile_sections(facts.profile),
        "artifacts": artifacts_section(facts.artifacts),
        "change": change,
        "gates": gates,
        "builders": {
            name: {"id": builder.id, "signers": list(builder.signers), "level": builder.level}
            for name, builder in settings.trust.builders.items()
        },
        "attestations": attestations_section(facts.evidence.verified),
        "claims": claims_section(facts.evidence.verified),
        "rejected": rejected_section(facts.evidence.rejected),
        "scans": scans,
        "findings": findings,
        "dependencies": dependencies_section(facts.dependencies, facts.evidence.verified),
        "workloads": workloads_section(facts.workloads, settings.manifests),
        **admission_section(facts.admission),
        "signals": signals,
        "waivers": {waiver.id: _waiver(waiver, facts.now_s) for waiver in facts.waivers.values()},
        "reuse": _reuse(facts.reuse),
        "skipped": _skipped(facts),
    }


def _reuse(summaries: Sequence[Summary]) -> JsonObject:
    """By artifact and payload digest, what a verification summary is good for."""
    found: dict[str, dict[str, JsonValue]] = {}
    for item in summaries:
        found.setdefault(item.artifact, {})[item.statement] = {
            "verifier": item.verifier,
            "controls": list(item.controls),
            "problems": list(item.problems),
            "here": sorted(item.here),
        }
    return dict(found)


def _waiver(waiver: Waiver, now_s: int) -> JsonObject:
    return {
        "control": waiver.control,
        "artifact": waiver.artifact,
        "finding": waiver.finding,
        "created_s": waiver.created_s,
        "expires_s": waiver.expires_s,
        "state": waiver.state(now_s).value,
        "problem": waiver.problem,
        "reason": waiver.reason,
        "ticket": waiver.ticket,
        "owner": waiver.owner,
        "approver": waiver.approver,
    }


def _skipped(facts: Facts) -> JsonObject:
    found: dict[str, str] = {}
    sections = {
        "artifacts": facts.settings.artifacts,
        "evidence": facts.settings.evidence_directories or facts.settings.evidence_registries,
        "reports": facts.settings.reports,
        "workloads": facts.settings.manifests or facts.workloads,
        "signals": facts.settings.signals,
        "gates": facts.settings.gates,
        "waivers": facts.settings.waivers_path or facts.waivers,
    }
    found |= {name: "not configured" for name, configured in sections.items() if not configured}
    for name, artifact in facts.artifacts.items():
        ignored = "{kind}; gate.yaml says to ignore it, so nothing of it was read and no evidence covers it"
        found |= {f"artifact {name}: {path}": ignored.format(kind=kind) for path, kind in artifact.ignored.items()}
    found |= {f"evidence {path}": reason for path, reason in facts.evidence.skipped.items()}
    return found
