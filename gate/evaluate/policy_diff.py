"""What differs between two policies, and whether it makes them looser.

Only what says so by itself counts as looser or stricter: a mode, a severity, a waiver that is allowed, a kind, target
or claim that is left out. Whether changed Rego or another value of a parameter lets more through, reading it tells.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.catalogue import SEVERITIES, control_id, load_profile, without_metadata
from gate.model.control import ControlInfo, Mode, Parameter, Profile
from gate.model.digest import sha256_digest
from gate.model.json import JsonValue
from gate.model.policy import Catalogue, Change, Effect, ItemDiff, PolicyDiff, Presence

T = TypeVar("T")

_STRICTNESS: Final = {Mode.OFF: 0, Mode.WARN: 1, Mode.ENFORCE: 2}


def catalogue_of(bundle: PolicyBundle) -> Catalogue:
    """The controls and profiles of a policy; raises `PolicyError` or `ConfigError` for one that is malformed."""
    profiles = {
        name: load_profile(name, text, bundle.catalogue, {}, others=bundle.profiles)
        for name, text in sorted(bundle.profiles.items())
    }
    return Catalogue(bundle.digest, bundle.catalogue, profiles)


def diff_policies(old: PolicyBundle, new: PolicyBundle) -> PolicyDiff:
    """All differences of what is evaluated, in the order of their names."""
    before, after = catalogue_of(old), catalogue_of(new)
    old_rego, new_rego = _rego(old), _rego(new)

    def control(name: str) -> Iterator[Change]:
        yield from _metadata(before.controls[name], after.controls[name])
        yield from _digests("Rego", old_rego[name], new_rego[name])

    old_modules, new_modules = _modules(old), _modules(new)
    return PolicyDiff(
        old=old.digest,
        new=new.digest,
        controls=_items(before.controls, after.controls, control, removed=Effect.LOOSENS),
        # A configuration that names a profile which is gone is refused, so nothing is let through.
        profiles=_items(
            before.profiles, after.profiles, lambda name: _profile(before.profiles[name], after.profiles[name])
        ),
        modules=_items(
            old_modules,
            new_modules,
            lambda name: _digests("Rego", old_modules[name], new_modules[name]),
            added=Effect.UNCLEAR,
            removed=Effect.UNCLEAR,
        ),
    )


def _rego(bundle: PolicyBundle) -> Mapping[str, str]:
    """The digests of the controls' rules; what their METADATA says is compared by itself."""
    found = {}
    for path, text in bundle.modules.items():
        control = control_id(path)
        if control is not None:
            found[control] = sha256_digest(without_metadata(text).encode("utf-8"))
    return found


def _modules(bundle: PolicyBundle) -> Mapping[str, str]:
    modules = bundle.modules.items()
    return {path: sha256_digest(text.encode("utf-8")) for path, text in modules if control_id(path) is None}


def _items(
    old: Mapping[str, T],
    new: Mapping[str, T],
    compare: Callable[[str], Iterator[Change]],
    *,
    added: Effect = Effect.NONE,
    removed: Effect = Effect.NONE,
) -> tuple[ItemDiff, ...]:
    found = []
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            found.append(ItemDiff(name, Presence.ADDED, added))
        elif name not in new:
            found.append(ItemDiff(name, Presence.REMOVED, removed))
        elif changes := tuple(compare(name)):
            found.append(ItemDiff(name, Presence.CHANGED, Effect.NONE, changes))
    return tuple(found)


def _digests(what: str, old: str, new: str) -> Iterator[Change]:
    return _values(what, old, new, Effect.UNCLEAR)


def _values(what: str, old: JsonValue, new: JsonValue, effect: Effect = Effect.NONE) -> Iterator[Change]:
    if old != new or type(old) is not type(new):
        yield Change(what, old, new, effect)


def _metadata(old: ControlInfo, new: ControlInfo) -> Iterator[Change]:
    yield from _values("title", old.title, new.title)
    yield from _values("description", old.description, new.description)
    yield from _values("severity", old.severity, new.severity, _ranked(SEVERITIES.index, old.severity, new.severity))
    yield from _values(
        "waivable", old.waivable, new.waivable, _ranked(lambda value: not value, old.waivable, new.waivable)
    )
    yield from _sets("claims", old.claims, new.claims)
    yield from _sets("artifacts", old.artifacts, new.artifacts)
    yield from _sets("targets", old.targets, new.targets)
    yield from _values("fix", old.fix, new.fix)
    for name in _names(old.frameworks, new.frameworks):
        yield from _values(f"framework {name}", _reference(old, name), _reference(new, name))
    yield from _parameters({item.name: item for item in old.parameters}, {item.name: item for item in new.parameters})


def _ranked(rank: Callable[[T], int], old: T, new: T) -> Effect:
    if rank(old) == rank(new):
        return Effect.NONE
    return Effect.LOOSENS if rank(new) < rank(old) else Effect.TIGHTENS


def _sets(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    if set(old) != set(new):
        effect = Effect.LOOSENS if set(old) - set(new) else Effect.TIGHTENS
        yield Change(what, sorted(old), sorted(new), effect)


def _names(old: Mapping[str, T], new: Mapping[str, T]) -> Sequence[str]:
    return sorted(old.keys() | new.keys())


def _reference(control: ControlInfo, name: str) -> JsonValue:
    reference = control.frameworks.get(name)
    return None if reference is None else {"relation": reference.relation, "ids": sorted(reference.ids)}


def _parameters(old: Mapping[str, Parameter], new: Mapping[str, Parameter]) -> Iterator[Change]:
    for name in _names(old, new):
        before, after = old.get(name), new.get(name)
        if before is None or after is None:
            effect = Effect.NONE if before is None else Effect.UNCLEAR
            yield Change(f"parameter {name}", _parameter(before), _parameter(after), effect)
            continue
        yield from _values(f"type of parameter {name}", before.type, after.type)
        yield from _values(f"meaning of parameter {name}", before.meaning, after.meaning)
        yield from _values(f"choices of parameter {name}", list(before.choices), list(after.choices), Effect.UNCLEAR)
        yield from _values(f"least of parameter {name}", before.least, after.least, Effect.UNCLEAR)
        yield from _values(f"default of parameter {name}", before.default, after.default, Effect.UNCLEAR)


def _parameter(parameter: Parameter | None) -> JsonValue:
    if parameter is None:
        return None
    return {
        "type": parameter.type,
        "meaning": parameter.meaning,
        "default": parameter.default,
        "choices": list(parameter.choices),
        "least": parameter.least,
    }


def _profile(old: Profile, new: Profile) -> Iterator[Change]:
    for control in _names(old.controls, new.controls):
        before, after = old.controls.get(control, Mode.OFF), new.controls.get(control, Mode.OFF)
        yield from _values(control, before.value, after.value, _ranked(_STRICTNESS.__getitem__, before, after))
    for control in _names(old.parameters, new.parameters):
        before_values, after_values = old.parameters.get(control, {}), new.parameters.get(control, {})
        for name in _names(before_values, after_values):
            yield from _values(f"{control}: {name}", before_values.get(name), after_values.get(name), Effect.UNCLEAR)
