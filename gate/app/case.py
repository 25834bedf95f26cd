"""The case of a decision, read from the input document: with the policy, all that a verdict comes from.

Checking and replaying make their case here, so that nothing beside the document has a say (ARCHITECTURE 2, rule 4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gate.decide import Case
from gate.formats.input_document import InputFacts
from gate.model.control import ControlInfo, Evaluation
from gate.model.digest import Digest
from gate.model.document import InputDocument
from gate.model.policy import JudgingPolicy


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What a decision tells of how it was made; none of it can turn the verdict.

    `identity` is its id, `configuration_source` where `gate.yaml` was read, the digests are those of `Digests`.
    """

    identity: str
    configuration: Digest
    configuration_source: str
    trust: Digest
    rules: Digest
    policy: JudgingPolicy
    gate_version: str
    dry_run: bool


def case_of(
    document: InputDocument, catalogue: Mapping[str, ControlInfo], evaluation: Evaluation, how: Circumstances
) -> Case:
    """The case of a document and what the policy said of it."""
    facts = InputFacts(document)
    return Case(
        identity=how.identity,
        now_s=facts.now_s,
        evaluation=evaluation,
        profile=facts.profile,
        catalogue=catalogue,
        evidence=facts.evidence,
        artifacts=facts.artifacts,
        change=facts.change,
        waivers=facts.waivers,
        context=facts.context,
        configuration=how.configuration,
        configuration_source=how.configuration_source,
        trust=how.trust,
        policy=how.policy,
        gate_version=how.gate_version,
        skipped=facts.skipped,
        rules=how.rules,
        reuse=facts.reuse,
        builders=facts.builders,
        dry_run=how.dry_run,
        admission=facts.admission,
    )
