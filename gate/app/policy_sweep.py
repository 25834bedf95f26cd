"""Taking passing inputs apart, and telling what a control does not miss: `gate policy sweep`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import resources
from gate.app.workshop import Sources
from gate.collect.directory import file_exists, read_regular
from gate.collect.files import read_folder
from gate.errors import ConfigError, PolicyError
from gate.evaluate.catalogue import control_id
from gate.evaluate.reach import Reach
from gate.evaluate.regorus import CompiledRules
from gate.evaluate.sweep import ANY, CHANGES, Entry, Place, Reads, changes, unread_sections
from gate.evaluate.syntax import Module, parse
from gate.formats.strict_json import StrictJsonError, loads
from gate.formats.strict_yaml import suggestion
from gate.model.json import JsonObject, JsonValue

ALLOWED: Final = "sweep.json"
_BYTES: Final = 8 << 20
_FILES: Final = 10_000
_INPUT: Final = re.compile(r"[^/]+/input\.json")
_PASS: Final = '"pass"'
_NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class AllowList:
    """What the controls may let pass. `groups` are paths that controls do not read, by the groups' names.

    `does_not_read` names groups by control; for a control that is not there the syntax tree says it.
    `may_stay` are single changes by control, `whenever_read` those for all of them, and `unless_named` those for
    controls that leave it to the library: their own modules do not name the keys.
    """

    groups: Mapping[str, tuple[Entry, ...]]
    whenever_read: tuple[Entry, ...]
    unless_named: tuple[Entry, ...]
    does_not_read: Mapping[str, tuple[str, ...]]
    may_stay: Mapping[str, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True)
class Unnoticed:
    """A change that leaves a pass. `rule` should have noticed, and stands in the file at `place`, `line`."""

    control: str
    input: str
    path: Place
    change: str
    rule: str
    place: str
    line: int


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What came of all changes of all inputs; `needless` are exceptions of one control that nothing needed."""

    changes: int
    inputs: int
    findings: tuple[Unnoticed, ...]
    needless: tuple[tuple[str, Entry], ...]

    @property
    def is_clean(self) -> bool:
        """Whether every change was noticed or allowed, and no exception is needless."""
        return not self.findings and not self.needless


def sweep(sources: Sources, inputs: Mapping[str, Mapping[str, JsonObject]], allowed: AllowList) -> SweepReport:
    """Takes the passing ones of the inputs of each control apart; `inputs` are documents by control and name.

    Raises `ConfigError` for a control that no input passes, `PolicyError` for a policy that does not load.
    """
    modules = {path: parse(path, source) for path, source in sources.bundle.modules.items()}
    known = {found: path for path in sources.own if (found := control_id(path)) is not None}
    findings: list[Unnoticed] = []
    needless: list[tuple[str, Entry]] = []
    total, used_inputs = 0, set()
    for control, documents in inputs.items():
        swept = _Control(sources, modules, known[control], control, allowed)
        passing = {name: document for name, document in documents.items() if swept.passes(document)}
        if not passing:
            raise ConfigError(
                f"no input passes {control}, so nothing can be taken away from a pass",
                hint=f"put one at scenarios/{control}/<name>/input.json in the policy directory, or use --input",
            )
        for name, document in passing.items():
            used_inputs.add(name)
            total += swept.take_apart(name, document)
        findings += swept.findings
        needless += [(control, entry) for entry in allowed.may_stay.get(control, ()) if entry not in swept.used]
    return SweepReport(total, len(used_inputs), tuple(findings), tuple(needless))


class _Control:
    """One control, compiled for its status."""

    def __init__(
        self, sources: Sources, modules: Mapping[str, Module], path: str, control: str, allowed: AllowList
    ) -> None:
        self._module, self._control = modules[path], control
        self._place = sources.place(path)
        self._status = f"data.{'.'.join(self._module.package)}.status"
        closure = Reach(modules).closure([path])
        self._rules = CompiledRules({name: modules[name].source for name in sorted(closure)}, [self._status])
        self._reads = Reads({name: modules[name] for name in closure}, self._module)
        own = [modules[name] for name in closure if name in sources.own]
        names = self._reads.names(own)
        nobody = allowed.groups.get(_NOBODY, ())
        self._groups = allowed.does_not_read.get(control)
        self._allowed = allowed
        self._may_stay = (*allowed.may_stay.get(control, ()), *allowed.whenever_read)
        if self._groups is None:
            # What the library does not read, or leaves open, an own control may be about.
            nobody = _unnamed(nobody, names)
            self._may_stay += _unnamed(allowed.unless_named, names)
        self._nobody = nobody
        self.findings: list[Unnoticed] = []
        self.used: set[Entry] = set()

    def passes(self, document: JsonObject) -> bool:
        """Whether the status is `pass`; an error is none."""
        try:
            return self._rules.value(self._status, json.dumps(document).encode("ascii")) == _PASS
        except PolicyError:
            return False

    def take_apart(self, name: str, document: JsonObject) -> int:
        """Tries all changes of a passing document; returns how many there were."""
        count = 0
        for place, change, result in changes(document, self._unread(document)):
            count += 1
            if not self.passes(result):
                continue
            fitting = [entry for entry in self._may_stay if entry.allows(place, change)]
            self.used.update(fitting)
            if not fitting:
                rule = self._reads.noticing(place)
                self.findings.append(
                    Unnoticed(self._control, name, place, change, ".".join(rule.name), self._place, rule.head.line)
                )
        return count

    def _unread(self, document: JsonObject) -> tuple[Entry, ...]:
        if self._groups is None:
            return (*self._nobody, *unread_sections(document, self._reads))
        return (*self._nobody, *(entry for group in self._groups for entry in self._allowed.groups[group]))


def _unnamed(entries: Iterable[Entry], names: frozenset[str]) -> tuple[Entry, ...]:
    return tuple(entry for entry in entries if not entry.names <= names)


def read_inputs(
    start: Path, sources: Sources, directories: Iterable[str], files: Sequence[str], control: str | None
) -> dict[str, dict[str, JsonObject]]:
    """The input documents by control and name: the given files for all, else each control's scenarios.

    Raises `ConfigError` for an unknown control, a control without any, and a file that holds no JSON object.
    """
    known = sorted(found for path in sources.own if (found := control_id(path)) is not None)
    if control is not None and control not in known:
        raise ConfigError(f"there is no control {control!r} here{suggestion(control, known)}")
    chosen = known if control is None else [control]
    given = {file: _document(file, read_regular(start, file, _BYTES)) for file in files}
    if files:
        return dict.fromkeys(chosen, given)
    return {name: _scenarios(start, directories, name) for name in chosen}


def _scenarios(start: Path, directories: Iterable[str], control: str) -> dict[str, JsonObject]:
    found = {}
    for directory in directories:
        folder = f"{directory}/scenarios/{control}"
        if file_exists(start, folder):
            inputs = read_folder(start, folder, lambda path: _INPUT.fullmatch(path) is not None, _FILES, _BYTES)
            for path, data in inputs.items():
                found[f"{folder}/{path}"] = _document(f"{folder}/{path}", data)
    return found


def _document(place: str, data: bytes) -> JsonObject:
    try:
        value = loads(data, limit=_BYTES)
    except StrictJsonError as error:
        raise ConfigError(f"{place}: {error}") from None
    if not isinstance(value, dict):
        raise ConfigError(f"{place}: an input document is a JSON object")
    return value


def read_allowed(start: Path, sources: Sources, file: str | None) -> AllowList:
    """The packaged list with that of a file, else with the `sweep.json` beside each control.

    Raises `ConfigError` for anything that is no allow-list, also for an entry without a reason.
    """
    parts = [("the packaged allow-list", _parsed("the packaged allow-list", resources.workshop_file(ALLOWED)))]
    if file is not None:
        parts.append((file, _parsed(file, read_regular(start, file, _BYTES))))
    else:
        for path in sources.own:
            place = f"{sources.place(path).rpartition('/')[0]}/{ALLOWED}"
            control = control_id(path)
            if control is not None and file_exists(start, place):
                entries = _parsed(place, read_regular(start, place, _BYTES))
                parts.append((place, {"controls": {control: {"may_stay": entries}}}))
    groups: dict[str, tuple[Entry, ...]] = {}
    whenever_read: list[Entry] = []
    unless_named: list[Entry] = []
    does_not_read: dict[str, tuple[str, ...]] = {}
    may_stay: dict[str, tuple[Entry, ...]] = {}
    for place, part in parts:
        members = _members(place, part)
        for name, group in _members(place, members.get("groups", {})).items():
            groups[name] = _group(place, group)
        whenever_read += _entries(place, members.get("whenever_read", []))
        unless_named += _entries(place, members.get("unless_named", []))
        for control, section in _members(place, members.get("controls", {})).items():
            fields = _members(place, section)
            may_stay[control] = _entries(place, fields.get("may_stay", []))
            if "does_not_read" in fields:
                does_not_read[control] = _texts(place, fields["does_not_read"])
                if not groups.keys() >= set(does_not_read[control]):
                    raise ConfigError(f"{place}: {control} names a group that is not there")
    return AllowList(groups, tuple(whenever_read), tuple(unless_named), does_not_read, may_stay)


def _parsed(place: str, data: bytes) -> JsonValue:
    try:
        return loads(data, limit=_BYTES)
    except StrictJsonError as error:
        raise ConfigError(f"{place}: {error}") from None


def _members(place: str, value: JsonValue) -> JsonObject:
    if not isinstance(value, dict):
        raise _malformed(place)
    return value


def _texts(place: str, value: JsonValue) -> tuple[str, ...]:
    texts = tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()
    if not isinstance(value, list) or len(texts) != len(value):
        raise _malformed(place)
    return texts


def _group(place: str, value: JsonValue) -> tuple[Entry, ...]:
    fields = _members(place, value)
    reason = _reason(place, fields)
    return tuple(Entry(_path(text), CHANGES, reason) for text in _texts(place, fields.get("paths")))


def _entries(place: str, value: JsonValue) -> tuple[Entry, ...]:
    if not isinstance(value, list):
        raise _malformed(place)
    found = []
    for item in value:
        fields = _members(place, item)
        path, listed = fields.get("path"), frozenset(_texts(place, fields.get("changes")))
        if not isinstance(path, str) or not path or not listed or not listed <= CHANGES | {ANY}:
            raise _malformed(place)
        found.append(Entry(_path(path), CHANGES if ANY in listed else listed, _reason(place, fields)))
    return tuple(found)


def _path(text: str) -> tuple[str, ...]:
    return tuple(text.split("/"))


def _reason(place: str, fields: JsonObject) -> str:
    reason = fields.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        raise ConfigError(f"{place}: an entry has no reason", hint="say why the pass may stay")
    return reason


def _malformed(place: str) -> ConfigError:
    return ConfigError(
        f"{place} is no allow-list",
        hint=f"beside a control it lists {{path, changes, reason}}; changes are {', '.join(sorted(CHANGES))} or {ANY}",
    )
