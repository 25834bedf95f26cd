"""What rests on what: the pure part of a recall.

Statements rest on a statement that they build on (`depends_on`), and on one whose subject they name as an origin: a
model that was made from recalled data. Over-inclusion is the safe side here, so every way counts, and each result says
why it is there. Cycles end: each statement is reached once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gate.model.digest import Digest
from gate.model.recall import (
    Counted,
    Place,
    Record,
    Resting,
    RestingDecision,
    SavedDecision,
    Standing,
    Target,
    Why,
)

_ORDER = (Standing.PROVED, Standing.RECORDED, Standing.UNPROVED)


@dataclass(frozen=True, slots=True)
class Reached:
    """How a statement was reached first, and all that it rests on."""

    why: Why
    because: tuple[str, ...]


class Field:
    """All statements that were found, by what they say they rest on. Several envelopes may hold one statement."""

    def __init__(self, records: Iterable[Record]) -> None:
        self.groups: dict[Digest, list[Record]] = {}
        # The same payload may be read in several ways, as its places say; none of them hides another.
        self._depending: dict[str, dict[Digest, None]] = {}
        self._made_from: dict[str, dict[Digest, None]] = {}
        self._about: dict[str, dict[Digest, None]] = {}
        for record in sorted(records, key=lambda item: (item.payload, item.origin, item.evidence)):
            self.groups.setdefault(record.payload, []).append(record)
            for index, keys in (
                (self._depending, record.depends_on),
                (self._made_from, record.inputs),
                (self._about, record.about),
            ):
                for key in keys:
                    index.setdefault(key, {})[record.payload] = None

    def claim(self, payload: Digest) -> str | None:
        """The claim that a statement says it makes."""
        return self.groups[payload][0].claim

    def seeds(self, target: Target) -> Mapping[Digest, Why]:
        """The statements that were signed by the target, are it, or are about it."""
        found: dict[Digest, Why] = {}
        for payload, group in self.groups.items():
            if any(record.signed is not None for record in group):
                found[payload] = Why.SIGNED
            elif target.kind == "evidence" and not target.words.isdisjoint({payload, *(r.evidence for r in group)}):
                found[payload] = Why.IS
        for word in sorted(target.words) if target.kind == "artifact" else ():
            for payload in self._about.get(word, ()):
                found[payload] = Why.ABOUT
        return dict(sorted(found.items()))

    def reach(
        self, seeds: Mapping[Digest, Why], grounds: Mapping[str, Why], allowed: Collection[Digest] | None = None
    ) -> Mapping[Digest, Reached]:
        """Everything that rests on seeds and on digests; with `allowed`, over those statements alone."""
        why: dict[Digest, Why] = {}
        because: dict[Digest, set[str]] = {}
        steps = deque([(payload, how, "") for payload, how in seeds.items()])
        steps.extend((payload, how, word) for word, how in sorted(grounds.items()) for payload in self._naming(word))
        while steps:
            payload, how, ground = steps.popleft()
            if allowed is not None and payload not in allowed:
                continue
            because.setdefault(payload, set()).update({ground} - {""})
            if payload not in why:
                why[payload] = how
                steps.extend(self._steps(payload, how))
        return {payload: Reached(how, tuple(sorted(because[payload]))) for payload, how in why.items()}

    def _steps(self, payload: Digest, how: Why) -> Iterator[tuple[Digest, Why, str]]:
        """What rests on a statement at once, how, and on what of it."""
        for own in sorted({payload, *(record.evidence for record in self.groups.get(payload, ()))}):
            for depending in self._naming(own):
                yield depending, Why.BUILDS_ON, own
        # What a statement about a recalled artifact covers besides does not rest on the artifact.
        group = self.groups.get(payload, []) if how is not Why.ABOUT else []
        for word in sorted({word for record in group for word in record.about}):
            for made in self._made_from.get(word, ()):
                if made != payload:
                    yield made, Why.MADE_FROM, word

    def _naming(self, word: str) -> Iterable[Digest]:
        """The statements that build on a digest, or name it as an origin."""
        return dict.fromkeys([*self._depending.get(word, ()), *self._made_from.get(word, ())])


def resting_statements(
    field: Field,
    target: Target,
    recorded: Mapping[Digest, Counted],
    stands: Mapping[Digest, tuple[str, ...]] | None,
) -> tuple[Resting, ...]:
    """All statements that rest on the target.

    `recorded` are statements that saved decisions call signed by it, `stands` the signers behind each statement
    without it, `None` where nobody knows whom to trust.
    """
    seeds = {**dict.fromkeys(recorded, Why.SIGNED), **field.seeds(target)}
    how = Why.MADE_FROM if target.kind == "artifact" else Why.BUILDS_ON
    grounds: dict[str, Why] = {item.evidence: Why.BUILDS_ON for item in recorded.values()}
    grounds |= dict.fromkeys(target.words, how)
    everything = field.reach(seeds, grounds)
    own = {payload: _own(field, payload, how.why, recorded, stands) for payload, how in everything.items()}
    known = {payload for payload, standing in own.items() if standing is not Standing.UNPROVED}
    firm = field.reach({payload: why for payload, why in seeds.items() if payload in known}, grounds, known)
    found = [
        _resting(field, payload, how, own[payload] if payload in firm else Standing.UNPROVED, recorded, stands)
        for payload, how in everything.items()
    ]
    order = list(Why)
    return tuple(sorted(found, key=lambda r: (order.index(r.why), _ORDER.index(r.standing), r.claim or "", r.payload)))


def _own(
    field: Field,
    payload: Digest,
    why: Why,
    recorded: Mapping[Digest, Counted],
    stands: Mapping[Digest, tuple[str, ...]] | None,
) -> Standing:
    """How surely the statement says what it says, apart from what it rests on."""
    group = field.groups.get(payload, ())
    if why is Why.SIGNED:
        signed = [record.signed for record in group if record.signed is not None]
        signed += [Standing.RECORDED] if payload in recorded else []
        return min(signed, key=_ORDER.index)
    return Standing.PROVED if why is Why.IS or (stands or {}).get(payload) else Standing.UNPROVED


def _resting(
    field: Field,
    payload: Digest,
    reached: Reached,
    standing: Standing,
    recorded: Mapping[Digest, Counted],
    stands: Mapping[Digest, tuple[str, ...]] | None,
) -> Resting:
    group = field.groups.get(payload, [])
    counted = recorded.get(payload)
    claim = group[0].claim if group else counted.claim if counted is not None else None
    subjects = group[0].subjects if group else counted.subjects if counted is not None else ()
    places = tuple(Place(record.origin, record.evidence, record.signed, record.note) for record in group)
    others = None if stands is None else stands.get(payload, ())
    return Resting(payload, claim, reached.why, standing, reached.because, subjects, places, others)


# -- decisions ---------------------------------------------------------------------------------------------------------


def also_called(target: Target, saved: SavedDecision) -> Target:
    """The target with what a decision calls a recalled piece of evidence besides: by its payload and its envelope."""
    if target.kind != "evidence":
        return target
    same = [{item.payload, item.evidence} for item in saved.verified]
    return replace(target, words=target.words.union(*(pair for pair in same if not target.words.isdisjoint(pair))))


def signed_by(target: Target, item: Counted) -> bool:
    """Whether a decision calls a statement signed by the target."""
    for spki, issuer, subject in item.signers:
        if target.spki is not None and spki == target.spki:
            return True
        if target.subject is not None and subject == target.subject and target.issuer in {None, issuer}:
            return True
    return False


def resting_decision(target: Target, statements: Sequence[Resting], saved: SavedDecision) -> RestingDecision | None:
    """What a decision counted of it; `None` when nothing."""
    payloads = {item.payload for item in statements}
    evidence = {place.evidence for item in statements for place in item.places}
    counted = {
        item.payload: item.evidence
        for item in saved.verified
        if item.payload in payloads
        or item.evidence in evidence
        or signed_by(target, item)
        or not target.words.isdisjoint({item.payload, item.evidence, *(word for _, word in item.subjects)})
    }
    is_about = target.kind == "artifact" and not target.words.isdisjoint(filter(None, saved.artifacts.values()))
    if not counted and not is_about:
        return None
    named = {*counted, *counted.values()}
    controls = tuple(sorted(name for name, used in saved.controls.items() if not used.isdisjoint(named)))
    return RestingDecision(
        saved.place, saved.id, saved.verdict, saved.decided_at, saved.artifacts, tuple(sorted(counted)), controls
    )
