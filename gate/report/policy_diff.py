"""What differs between two policies, with what makes the new one looser marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from gate.model.json import JsonObject, JsonValue
from gate.model.policy import Effect, ItemDiff, PolicyDiff, Presence
from gate.report.controls import shown
from gate.report.escape import terminal

SCHEMA: Final = "urn:gate:controls-diff:v1"
_SIGN: Final = {Presence.ADDED: "+", Presence.REMOVED: "-", Presence.CHANGED: "~"}
_WORDS: Final = {Effect.LOOSENS: "LOOSENS", Effect.UNCLEAR: "may loosen", Effect.TIGHTENS: "tightens", Effect.NONE: ""}
_VALUE: Final = 160


def diff_json(diff: PolicyDiff) -> JsonObject:
    """A `urn:gate:controls-diff:v1` document."""
    return {
        "schema": SCHEMA,
        "old": diff.old,
        "new": diff.new,
        "loosens": diff.count(Effect.LOOSENS),
        "unclear": diff.count(Effect.UNCLEAR),
        "controls": _items_json(diff.controls),
        "profiles": _items_json(diff.profiles),
        "modules": _items_json(diff.modules),
    }


def _items_json(items: Sequence[ItemDiff]) -> JsonValue:
    return [
        {
            "name": item.name,
            "presence": item.presence.value,
            "effect": item.effect.value,
            "changes": [
                {"what": change.what, "old": change.old, "new": change.new, "effect": change.effect.value}
                for change in item.changes
            ],
        }
        for item in items
    ]


def diff_text(diff: PolicyDiff) -> str:
    """For a terminal: `+` is new, `-` is gone, `~` differs."""
    lines = [f"old {diff.old}", f"new {diff.new}"]
    for title, items in (("controls", diff.controls), ("profiles", diff.profiles), ("other modules", diff.modules)):
        if items:
            lines += ["", title, *(line for item in items for line in _item(item))]
    return "\n".join([*lines, "", _summary(diff)])


def _item(item: ItemDiff) -> Iterator[str]:
    yield _marked(f"  {_SIGN[item.presence]} {terminal(item.name)}", item.effect)
    for change in item.changes:
        values = f"{terminal(shown(change.old), _VALUE)} -> {terminal(shown(change.new), _VALUE)}"
        yield _marked(f"      {terminal(change.what)}: {values}", change.effect)


def _marked(line: str, effect: Effect) -> str:
    return f"{line}   [{_WORDS[effect]}]" if _WORDS[effect] else line


def _summary(diff: PolicyDiff) -> str:
    if diff.old == diff.new:
        return "The policies are the same."
    if not (diff.controls or diff.profiles or diff.modules):
        return "The policies judge alike: they differ only in notes and in how their data is written."
    loosens, unclear = diff.count(Effect.LOOSENS), diff.count(Effect.UNCLEAR)
    return (
        f"{loosens} {'change loosens' if loosens == 1 else 'changes loosen'} the policy; {unclear} more may: read them."
    )
