"""Re-use of decisions: a verification summary that stands for evidence which is not here.

Somebody trusted says that they verified an artifact under a policy (SLSA VSA v1). Where `gate.yaml` names them, the
summary may stand for evidence that a control does not find, and for nothing else: whatever is here is judged here.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gate.model.artifact import Artifact
from gate.model.control import ControlInfo, Violation
from gate.model.digest import Digest
from gate.model.evidence import Concern, Rejected, Verified
from gate.model.json import JsonObject

CLAIM: Final = "verification.summary"
SKEW_S: Final = 300
"""How far two clocks may be apart."""
_LEVEL: Final = re.compile(r"(SLSA_[A-Z]+_LEVEL_)([0-9])")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A verifier whose summaries count, one entry of `reuse` in `gate.yaml`.

    `policies` are digests of rules, besides those of this very decision, under which a summary may have been made.
    `levels` must all be reached. `controls` are those for whose missing evidence a summary stands. `resources` say by
    artifact which URI it must be about; for an image that is its repository unless said. `max_age_s` is in seconds.
    """

    name: str
    id: str
    signers: frozenset[str]
    policies: frozenset[Digest]
    levels: tuple[str, ...]
    controls: tuple[str, ...]
    resources: Mapping[str, str]
    max_age_s: int


@dataclass(frozen=True, slots=True)
class Summary:
    """What one verified summary is good for. Without `problems` it stands for `controls`, for the artifact named.

    `here` are the claims of all verified statements about that artifact or any of its files.
    """

    statement: Digest
    verifier: str | None
    artifact: str
    controls: tuple[str, ...]
    problems: tuple[str, ...]
    here: frozenset[str] = frozenset()

    def covers(self, info: ControlInfo, violation: Violation) -> bool:
        """Whether it stands for what a violation misses: evidence of which nothing is here.

        What is here is judged here: one statement of any claim of the control, and it stands for nothing.
        """
        return self.is_for(info, violation) and bool(info.claims) and self.here.isdisjoint(info.claims)

    def is_for(self, info: ControlInfo, violation: Violation) -> bool:
        """Whether it would stand for a violation if nothing of that kind were here."""
        return (
            not self.problems
            and info.waivable
            and info.id in self.controls
            and violation.artifact == self.artifact
            and violation.is_missing
            and not violation.evidence
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """What summaries are compared with: the decision that is being made. `rules` is the digest of its rules."""

    verifiers: Mapping[str, Verifier]
    artifacts: Mapping[str, Artifact]
    rules: Digest
    revoked: Collection[str]
    now_s: int


def summaries(verified: Iterable[Verified], rejected: Iterable[Rejected], setting: Setting) -> tuple[Summary, ...]:
    """What the verified summaries are good for, by artifact, sorted; nothing where no verifier is configured."""
    if not setting.verifiers:
        return ()
    everything, refusals = tuple(verified), tuple(rejected)
    made = [item for item in everything if item.statement.claim == CLAIM]
    refused = {digest for item in refusals for digest in (item.evidence, item.payload)} | set(setting.revoked)
    found: list[Summary] = []
    for name in {name for item in made for name in item.artifacts}:
        about = [item for item in everything if _touches(item, setting.artifacts[name])]
        is_refused = any(_concerns(item, name) for item in refusals)
        mine = (item for item in made if name in item.artifacts)
        found += (_summary(item, name, about, refused, setting, is_refused=is_refused) for item in mine)
    return tuple(sorted(found, key=lambda summary: (summary.artifact, summary.statement)))


def _touches(item: Verified, artifact: Artifact) -> bool:
    """Whether a statement is about an artifact, or about any of its bytes."""
    own = {artifact.digest, *(file.digest for file in artifact.files.values())} - {None}
    named = {subject.digest for subject in (*item.statement.subjects, *item.statement.resources)}
    return artifact.name in item.artifacts or not own.isdisjoint(named)


def _concerns(item: Rejected, artifact: str) -> bool:
    """Whether refused evidence is about an artifact, or about something at stake that cannot be told."""
    return artifact in item.artifacts or (item.concern is Concern.AT_STAKE and not item.artifacts)


def _summary(
    item: Verified,
    artifact: str,
    about: Collection[Verified],
    refused: Collection[str | None],
    setting: Setting,
    *,
    is_refused: bool,
) -> Summary:
    """`about` is all that is verified about the artifact or a part of it; `is_refused` that some evidence is not."""
    verifier = _verifier_of(item, setting)
    if verifier is None:
        return Summary(item.payload, None, artifact, (), ("its verifier and signer are not in reuse of gate.yaml",))
    problems = [*_about(item, artifact, verifier, setting), *_made(item, verifier, setting)]
    inputs = _texts(item.statement.facts.get("inputs"))
    if not inputs:
        problems.append("it names no evidence that was verified")
    if item.statement.facts.get("unnamed_inputs") != 0:
        problems.append("it names evidence without its SHA-256")
    if any(digest in refused for digest in inputs):
        problems.append("evidence that it rests on is refused or revoked here")
    if any(_contradicts(other, item, verifier, setting) for other in about):
        problems.append("its verifier says later, or at the same time, that verification failed")
    if is_refused:
        problems.append("evidence about the artifact is refused here")
    here = frozenset(other.statement.claim for other in about)
    return Summary(item.payload, verifier.name, artifact, verifier.controls, tuple(problems), here)


def _verifier_of(item: Verified, setting: Setting) -> Verifier | None:
    """The verifier that made it: the id that it names, signed by one who may speak for that id."""
    signers = {signer.name for signer in item.signers}
    for _, verifier in sorted(setting.verifiers.items()):
        if verifier.id == item.statement.facts.get("verifier_id") and signers & verifier.signers:
            return verifier
    return None


def _about(item: Verified, artifact: str, verifier: Verifier, setting: Setting) -> Iterable[str]:
    """What is wrong with what it is about, and with what it says of that."""
    facts = item.statement.facts
    expected = verifier.resources.get(artifact) or _repository(setting.artifacts[artifact])
    if expected is None:
        yield f"gate.yaml does not say which resource {artifact} is (reuse: resources)"
    elif facts.get("resource_uri") != expected:
        yield "it is about another resource"
    if facts.get("result") != "passed":
        yield "verification failed"
    reached = _texts(facts.get("levels"))
    missed = [level for level in verifier.levels if not any(_reaches(other, level) for other in reached)]
    if missed:
        yield f"it does not reach {', '.join(missed)}"


def _made(item: Verified, verifier: Verifier, setting: Setting) -> Iterable[str]:
    """What is wrong with how and when it was made."""
    policy = item.statement.facts.get("policy")
    digest = policy.get("digest") if isinstance(policy, Mapping) else None
    if digest != setting.rules and digest not in verifier.policies:
        yield "it was made under other rules"
    at_s = _made_at(item)
    if at_s is None:
        yield "it does not say when verification took place"
    elif at_s > setting.now_s + SKEW_S:
        yield "it comes from the future"
    elif setting.now_s - at_s > verifier.max_age_s:
        yield "it is too old"


def _contradicts(other: Verified, item: Verified, verifier: Verifier, setting: Setting) -> bool:
    """Whether another statement about some of the same bytes is that verifier's later word, and no pass."""
    is_other_word = other.statement.claim == CLAIM and other.payload != item.payload
    if not is_other_word or other.statement.facts.get("result") == "passed":
        return False
    before, after, by = _made_at(item), _made_at(other), _verifier_of(other, setting)
    # One verifier may be listed more than once, with other keys or rules.
    is_theirs = by is not None and by.id == verifier.id
    return is_theirs and (before is None or after is None or after >= before)


def _made_at(item: Verified) -> int | None:
    """When verification took place: as stated, or when it was signed, whichever is earlier."""
    times = [item.statement.facts.get("time_verified_s"), item.signed_at_s]
    found = [at_s for at_s in times if isinstance(at_s, int)]
    return min(found) if isinstance(times[0], int) else None


def _reaches(level: str, wanted: str) -> bool:
    """Whether a level is the one wanted, or a higher one of its track."""
    one, other = _LEVEL.fullmatch(level), _LEVEL.fullmatch(wanted)
    if one is None or other is None:
        return level == wanted
    return one[1] == other[1] and int(one[2]) >= int(other[2])


def _repository(artifact: Artifact) -> str | None:
    """An image without its digest."""
    return None if artifact.reference is None else artifact.reference.partition("@")[0]


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list | tuple) else []


def verifier_json(verifier: Verifier) -> JsonObject:
    """The verifier as what it is compared by, for a digest of the rules."""
    return {
        "id": verifier.id,
        "signers": sorted(verifier.signers),
        "policies": sorted(verifier.policies),
        "levels": list(verifier.levels),
        "controls": list(verifier.controls),
        "resources": dict(verifier.resources),
        "max_age_s": verifier.max_age_s,
    }
