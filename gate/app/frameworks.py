"""Frameworks of requirements: a team's own lists, and what the controls of a policy or a decision support."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from gate.collect.files import read_folder, read_regular
from gate.errors import ConfigError
from gate.evaluate.frameworks import known_frameworks, matrix, packaged_frameworks, read_framework
from gate.formats.strict_yaml import MAX_BYTES, suggestion
from gate.model.control import ControlInfo
from gate.model.decision import Decision
from gate.model.framework import Framework, Matrix
from gate.model.policy import Catalogue

SUFFIXES: Final = (".json", ".yaml", ".yml")
_FILES: Final = 1_000


def own_frameworks(paths: Iterable[str]) -> tuple[Framework, ...]:
    """The lists of requirements in files, and in all JSON and YAML files of folders.

    None may have the name of a packaged one or of another. Raises `ConfigError`, `EvidenceError` or `LimitError` for
    what cannot be read, `PolicyError` for what is no list.
    """
    found: dict[str, Framework] = {}
    taken = packaged_frameworks()
    for place, text in _texts(paths):
        framework = read_framework(place, text)
        if framework.id in taken or framework.id in found:
            other = "a packaged list" if framework.id in taken else "another list"
            raise ConfigError(
                f"{place}: {other} is called {framework.id!r} too",
                hint="give it an id of its own: who reads it must know",
            )
        found[framework.id] = framework
    return tuple(found.values())


def _texts(paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        try:
            place = Path(path).resolve(strict=True)
        except (OSError, RuntimeError, ValueError):  # also links in a circle, and what can be no name
            raise ConfigError(
                f"there is no list of requirements {path!r}", hint="name a file, or a folder of them"
            ) from None
        if not place.is_dir():
            yield path, read_regular(place.parent, place.name, MAX_BYTES)
            continue
        texts = read_folder(place.parent, place.name, lambda name: name.endswith(SUFFIXES), _FILES, MAX_BYTES)
        if not texts:
            raise ConfigError(f"{path!r} holds no list of requirements", hint=f"they end with {', '.join(SUFFIXES)}")
        yield from ((f"{path}/{name}", text) for name, text in sorted(texts.items()))


def matrices(found: Catalogue, framework: str | None = None, own: Sequence[Framework] = ()) -> tuple[Matrix, ...]:
    """The matrix of one framework, or of all that are listed or named; raises `ConfigError` for an unknown one.

    So it does for a control that an own list maps and nobody has.
    """
    return _matrices(tuple(found.controls.values()), framework, own)


def decision_matrices(
    decision: Decision, found: Catalogue, framework: str | None = None, own: Sequence[Framework] = ()
) -> tuple[Matrix, ...]:
    """The same for a decision: its controls as they were, then those of a policy that it did not ask for."""
    judged = [control.info for control in decision.controls.values()]
    others = [info for name, info in found.controls.items() if name not in decision.controls]
    return _matrices((*judged, *others), framework, own)


def _matrices(controls: tuple[ControlInfo, ...], framework: str | None, own: Sequence[Framework]) -> tuple[Matrix, ...]:
    ids = sorted(info.id for info in controls)
    for listed in own:
        for name in listed.controls:
            if name not in ids:
                raise ConfigError(f"{listed.id} maps the control {name!r}, which is not there{suggestion(name, ids)}")
    known = known_frameworks(controls, own)
    if framework is not None and framework not in known:
        raise ConfigError(f"there is no framework {framework!r}{suggestion(framework, sorted(known))}")
    names = known if framework is None else [framework]
    return tuple(matrix(known[name], controls) for name in names)
