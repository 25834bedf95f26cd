"""The obligations of evidence, in their order. Each item meets all of them or is rejected with the first it misses.

 1. The container is a bundle or an envelope, exactly                             ENVELOPE   SECURITY 1, 5, 9
 2. It is not revoked                                                             SIGNATURE  SECURITY 7
 3. A trusted, current, unrevoked key or identity signed the PAE                  SIGNATURE  SECURITY 1-4, 7-9
 4. The signed bytes are a Statement v1 with well-formed subjects                 STATEMENT  SECURITY 6, 10, 11
 5. Its predicate type is known, its predicate fits it, its time its signature's  STATEMENT  SECURITY 10, 15
 6. Enough distinct signers may speak for its claim                               SIGNATURE  SECURITY 3, 7
 7. Its resources agree with the bytes that ask for admission                     SUBJECT    SECURITY 11, 12
 8. What it builds on is there, verified, of a claim that it may build on, and    CHAIN      SECURITY 14
    not stated later; no evidence is there twice

The first five are judged for each item alone (`alone.py`), the others here. Nothing raises for bad evidence, and one
bad item hides no other. The result depends on the set of items alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from gate.formats.message import FILE_TYPE, SINGLE_FILE
from gate.model.artifact import Artifact
from gate.model.digest import Digest, sha256_digest
from gate.model.evidence import (
    Concern,
    Evidence,
    Failure,
    Rejected,
    SignerIdentity,
    Stage,
    Statement,
    Subject,
    Verified,
    VerifiedSet,
)
from gate.verify.alone import Problem, Refused, Signed
from gate.verify.binding import Binder, OtherDigest, Relation, artifacts_among, build_targets
from gate.verify.chain import broken_edges, building_on, inherited, resolve_chain
from gate.verify.hints import Hints
from gate.verify.located import Place
from gate.verify.parallel import Bench, Tell, judge_all
from gate.verify.trust import Proof, Proven, TrustStore, Untrusted


def verify_evidence(
    items: Sequence[Evidence],
    trust: TrustStore,
    artifacts: Mapping[str, Artifact],
    changed: Mapping[str, Digest | None],
    *,
    limit: int,
    other_digest: OtherDigest,
) -> VerifiedSet:
    """Verifies all items together.

    `changed` are the changed files below gates by path, with the digest they have now. `limit` is the most bytes
    of one item. `other_digest` gives the sha384 or sha512 of a file known by its SHA-256.
    """
    return admit_evidence(items, trust, limit=limit).settle(artifacts, changed, other_digest)


def admit_evidence(
    items: Sequence[Evidence], trust: TrustStore, *, limit: int, jobs: int = 1, tell: Tell = lambda _: None
) -> Admission:
    """Obligations 1 to 5 for all items, which need nothing of what is at stake.

    At most `jobs` processes work where there is enough to do; what they find does not depend on their number.
    `tell` is told how many more items are done.
    """
    named = [(sha256_digest(item.data), item) for item in items]
    named.sort(key=lambda pair: (pair[0], pair[1].origin))
    admission = Admission(trust)
    for outcome in judge_all(Bench(named, trust, limit), jobs, tell):
        admission.admit(outcome)
    return admission


_OUTDATED: Final = "about an older state of its files; a newer statement of its claim is here"
_BUILT_ON_OUTDATED: Final = "builds on a statement about an older state"


class Admission:
    """Evidence on its way: what is signed by somebody trusted, and what is refused already."""

    def __init__(self, trust: TrustStore) -> None:
        self._trust = trust
        self._signed: dict[Digest, list[Signed]] = {}
        self._hints: dict[Digest, Hints] = {}
        self._refused: dict[Digest, tuple[str, Digest | None, Problem]] = {}

    def admit(self, outcome: Signed | Refused) -> None:
        """What became of one item."""
        if isinstance(outcome, Signed):
            self._signed.setdefault(outcome.payload, []).append(outcome)
            return
        if outcome.payload is not None:
            self._hints[outcome.payload] = outcome.hints
        self._refused[outcome.evidence] = outcome.origin, outcome.payload, outcome.problem

    def statements(self) -> Iterable[Statement]:
        """The statements that met obligations 1 to 5; whether they count is not known yet."""
        return [group[0].statement for _, group in sorted(self._signed.items())]

    def settle(
        self,
        artifacts: Mapping[str, Artifact],
        changed: Mapping[str, Digest | None],
        other_digest: OtherDigest,
        named: Mapping[str, Place] | None = None,
    ) -> VerifiedSet:
        """Obligations 6 to 8, which hold or fail for the set. The arguments are those of `verify_evidence`.

        `named` are the places that statements name and that are not at stake by themselves.
        """
        binder = Binder(build_targets(artifacts, changed), other_digest, named)
        authorised = dict(self._authorise())
        bound, outdated = self._bind(authorised, binder)
        edges = broken_edges({payload: item.statement for payload, item in bound.items()})
        joined = {payload: item.statement.depends_on for payload, item in bound.items() if payload not in edges}
        chains, broken = resolve_chain(joined)
        for payload, (code, detail) in {**edges, **broken}.items():
            self._reject_all(payload, Problem(Stage.CHAIN, code, detail))
        verified = [_above(item, chains[payload]) for payload, item in bound.items() if payload in chains]
        return VerifiedSet(
            tuple(sorted(verified, key=lambda item: item.payload)),
            tuple(sorted(self._rejected(binder), key=lambda item: item.evidence)),
            outdated,
        )

    def _authorise(self) -> Iterable[tuple[Digest, Verified]]:
        """Obligation 6. Several envelopes around one payload count together: the same statement, more signers."""
        allowed: dict[tuple[frozenset[Proven], str], tuple[SignerIdentity, ...]] = {}
        for payload, group in sorted(self._signed.items()):
            first = group[0]
            if len({item.evidence for item in group}) < len(group):
                places = ", ".join(sorted(item.origin for item in group))
                self._reject_all(payload, Problem(Stage.CHAIN, "duplicate", f"the same evidence lies at {places}"))
                continue
            names = first.signers.union(*(item.signers for item in group[1:]))
            asked = names, first.statement.claim
            try:
                signers = allowed.get(asked) or allowed.setdefault(asked, self._trust.authorised(*asked))
            except Untrusted as error:
                self._reject_all(payload, Problem(Stage.SIGNATURE, error.code, str(error)))
                continue
            counted = {signer.name for signer in signers}
            proofs = [item.proof for item in group if any(name in counted for name, _ in item.signers)]
            item = Verified(payload, first.evidence, first.origin, first.statement, signers)
            yield payload, _timed(item, proofs)

    def _bind(
        self, candidates: Mapping[Digest, Verified], binder: Binder
    ) -> tuple[Mapping[Digest, Verified], Mapping[str, str]]:
        """Obligation 7. A statement about other bytes is refused unless a statement of its claim fits those here.

        So last month's signature may lie beside this month's, but weights that no signature fits are refused as
        "the evidence is about other bytes", not as "nothing is there". A statement that names paths counts wholly or
        not at all: it is left out, with all that builds on it, where newer ones of its claim fit everything that it
        does not. The second answer says which, by origin.
        """
        relations = {payload: binder.relate(item.statement) for payload, item in candidates.items()}
        edges = broken_edges({payload: item.statement for payload, item in candidates.items()})
        covered = {
            (candidates[payload].statement.claim, key)
            for payload, relation in relations.items()
            if not (candidates[payload].statement.located and relation.mismatches)
            for key in relation.covers
        }
        bound = {}
        old: set[Digest] = set()
        for payload, item in candidates.items():
            problem = _mismatch(relations[payload], item.statement, covered)
            if problem is not None:
                others = [text for text in relations[payload].problems if text != problem[1]]
                also = [Failure(Stage.SUBJECT, f"{Stage.SUBJECT.value}.{problem[0]}", text) for text in others]
                if payload in edges:
                    code, detail = edges[payload]
                    also.append(Failure(Stage.CHAIN, f"{Stage.CHAIN.value}.{code}", detail))
                self._reject_all(payload, Problem(Stage.SUBJECT, *problem, tuple(also)))
                continue
            statement, signed = item.statement, relations[payload].files
            if statement.located and relations[payload].mismatches:
                old.add(payload)
                continue
            if signed is not None:
                files = tuple(Subject(name, digest) for name, digest in signed.items())
                statement = replace(statement, facts={**statement.facts, "files": dict(signed)}, resources=files)
            settled = relations[payload].resources
            if settled is not None:
                statement = _settled(statement, settled)
            names = artifacts_among(relations[payload].covers)
            # Most are about nothing at stake, and a copy takes as long as half of the rest.
            is_new = names or statement is not item.statement
            bound[payload] = replace(item, statement=statement, artifacts=names) if is_new else item
        above = building_on(old, {payload: item.statement.depends_on for payload, item in bound.items()})
        left = {candidates[payload].origin: _OUTDATED for payload in old}
        left |= {candidates[payload].origin: _BUILT_ON_OUTDATED for payload in above}
        return {payload: item for payload, item in bound.items() if payload not in above}, left

    def _reject_all(self, payload: Digest, problem: Problem) -> None:
        for item in self._signed[payload]:
            self._refused[item.evidence] = item.origin, payload, problem

    def _rejected(self, binder: Binder) -> Iterable[Rejected]:
        """What is refused, with what it concerns: what it mentions, and what the statements it builds on mention."""
        if not self._refused:
            return
        known = {payload: Hints.of(group[0].statement) for payload, group in self._signed.items()} | self._hints
        own = {payload: binder.mentioned(hints) for payload, hints in known.items()}
        mentioned = inherited(own, {payload: hints.depends_on for payload, hints in known.items()})
        for evidence, (origin, payload, problem) in self._refused.items():
            hints = Hints() if payload is None else known[payload]
            keys = binder.mentioned(hints) if payload is None else mentioned[payload]
            yield Rejected(
                evidence=evidence,
                origin=origin,
                stage=problem.stage,
                code=f"{problem.stage.value}.{problem.code}",
                detail=problem.detail,
                claimed=hints.claim,
                concern=Concern.AT_STAKE if keys else Concern.OTHERS,
                artifacts=artifacts_among(keys),
                also=problem.also,
                payload=payload,
                depends_on=hints.depends_on,
            )


def _settled(statement: Statement, resources: tuple[Subject, ...]) -> Statement:
    """The statement with the SHA-256 of what it gave another digest of; its resources are its subjects then."""
    facts = statement.facts
    if statement.predicate_type == FILE_TYPE and resources[0].digest is not None:
        facts = {**facts, "files": {SINGLE_FILE: resources[0].digest}}
    return replace(statement, subjects=resources, resources=resources, facts=facts)


def _timed(item: Verified, proofs: Sequence[Proof]) -> Verified:
    """The statement with the earliest trusted time of the signatures that count."""
    if not any(proof.log_included or proof.signed_at_s is not None for proof in proofs):
        return item
    times = [(p.signed_at_s, p.time_source) for p in proofs if p.signed_at_s is not None]
    at_s, source = min(times, key=lambda found: (found[0], found[1].value), default=(None, item.time_source))
    logged = any(proof.log_included for proof in proofs)
    return replace(item, signed_at_s=at_s, time_source=source, log_included=logged)


def _above(item: Verified, ancestors: tuple[Digest, ...]) -> Verified:
    """The statement with all that it depends on."""
    return replace(item, ancestors=ancestors) if ancestors else item


def _mismatch(relation: Relation, statement: Statement, covered: set[tuple[str, str]]) -> tuple[str, str] | None:
    claim = statement.claim
    if relation.conflict is not None:
        return "digest_conflict", relation.conflict
    if artifacts_among(relation.covers) and not statement.located:
        return None
    for key, problem in sorted(relation.mismatches.items()):
        # One changed file may be covered by a statement whose word on another one is out of date. An artifact is
        # not: a manifest that fits a changed file and not its model is about another state of the model.
        # A statement that names paths is about all of them.
        is_aside = relation.covers and not artifacts_among([key]) and not statement.located
        if (claim, key) not in covered and not is_aside:
            return "mismatch", problem
    return None
