"""Weakening controls in every way, and telling what no test notices: `gate policy mutate`."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Final

from gate.app.workshop import Sources
from gate.collect.directory import file_exists, read_regular
from gate.errors import ConfigError, PolicyError, PolicyTimeout
from gate.evaluate.catalogue import control_id
from gate.evaluate.mutants import Mutant, mutants
from gate.evaluate.reach import Reach
from gate.evaluate.regorus import CompiledRules
from gate.evaluate.syntax import Module, parse
from gate.formats.strict_json import StrictJsonError, loads
from gate.formats.strict_yaml import suggestion
from gate.model.json import JsonValue

ACCEPTED: Final = "equivalent_mutants.json"
_ACCEPTED_BYTES: Final = 1 << 20
_TEST: Final = "test_"
_TEST_S: Final = 10.0
"""For one test with one mutant; a test that takes longer has noticed."""
_PART: Final = 60
"""Mutants that one process judges before it takes others."""


class Verdict(Enum):
    """What the tests say of a mutant."""

    KILLED = "killed"
    TIMED_OUT = "timed out"
    SURVIVED = "survived"
    REFUSED = "does not load"


@dataclass(frozen=True, slots=True)
class Accepted:
    """A mutant that no test has to notice, and why. `file` is a path of the policy, or where that lies on disk."""

    file: str
    mutant: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survivor:
    """A mutant that no test notices, where it lies on disk, and its line before and after."""

    mutant: Mutant
    place: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class MutationReport:
    """What came of all mutants. `total` counts those that load; `refused` are the others.

    `timed_out` are among the killed ones. `stale` are accepted mutants that are there no more, or that tests do kill.
    """

    total: int
    killed: int
    timed_out: int
    refused: int
    accepted: int
    survivors: tuple[Survivor, ...]
    stale: tuple[Accepted, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing survives and no accepted mutant is stale."""
        return not self.survivors and not self.stale


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process needs to judge some mutants of one module: groups of tests, nearest first, each complete."""

    module: Module
    groups: tuple[Mapping[str, str], ...]
    tests: tuple[frozenset[str], ...]
    mutants: tuple[Mutant, ...]
    accepted: frozenset[str] = field(default_factory=frozenset)


def mutate(
    sources: Sources,
    *,
    control: str | None = None,
    accepted: Sequence[Accepted] = (),
    jobs: int = 1,
    judged: Callable[[int, int], None] = lambda _done, _all: None,
) -> MutationReport:
    """Judges all mutants of the author's modules, or of one control's, in processes of their own.

    `judged` is told how many of how many are done. Raises `ConfigError` for an unknown control, a module without
    tests and a test that fails before any change, `PolicyError` for a policy that does not load.
    """
    workshop = Workshop(sources)
    chosen = _chosen(sources, control)
    works = [work for path in chosen for work in workshop.works(path, accepted)]
    total, done = sum(len(work.mutants) for work in works), 0
    verdicts: list[tuple[_Work, tuple[Verdict, ...]]] = []
    with ProcessPoolExecutor(max_workers=jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            for work, found in zip(works, pool.map(judge_quietly, works), strict=True):
                verdicts.append((work, found))
                done += len(found)
                judged(done, total)
        except BrokenProcessPool:
            raise PolicyError(
                "a process that judges mutants ended too early: a changed policy crashed it or took all memory",
                hint="judge one control at a time with --control to find out which",
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)
    return summary(sources, verdicts, accepted, chosen)


def summary(
    sources: Sources,
    verdicts: Iterable[tuple[_Work, Sequence[Verdict]]],
    accepted: Sequence[Accepted],
    chosen: Sequence[str],
) -> MutationReport:
    """The report of all verdicts."""
    pairs = [
        (work, mutant, verdict) for work, found in verdicts for mutant, verdict in zip(work.mutants, found, strict=True)
    ]
    counts = {verdict: sum(1 for _, _, other in pairs if other is verdict) for verdict in Verdict}
    survived = [(work, mutant) for work, mutant, verdict in pairs if verdict is Verdict.SURVIVED]
    needed = {(mutant.path, mutant.name) for work, mutant in survived if mutant.name in work.accepted}
    survivors = tuple(
        Survivor(mutant, sources.place(mutant.path), *mutant.lines(work.module))
        for work, mutant in survived
        if mutant.name not in work.accepted
    )
    stale = []
    for entry in accepted:
        path = _policy_path(sources, entry.file)
        # With --control the entries of other files say nothing.
        if (path is None or path in chosen) and (path, entry.mutant) not in needed:
            stale.append(entry)
    return MutationReport(
        total=len(pairs) - counts[Verdict.REFUSED],
        killed=counts[Verdict.KILLED] + counts[Verdict.TIMED_OUT],
        timed_out=counts[Verdict.TIMED_OUT],
        refused=counts[Verdict.REFUSED],
        accepted=len(needed),
        survivors=survivors,
        stale=tuple(stale),
    )


class Workshop:
    """A policy with its tests, ready to be cut into pieces of work."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self._modules = {path: parse(path, source) for path, source in sources.modules.items()}
        self._reach = Reach(self._modules)
        self._tests = frozenset(
            path for path in sources.tests if any(rule.name[-1].startswith(_TEST) for rule in self._modules[path].rules)
        )
        if not self._tests:
            raise ConfigError(
                "there are no tests, so nothing could notice a weaker control",
                hint="write some, or name their directory with --tests",
            )

    def works(self, path: str, accepted: Sequence[Accepted] = ()) -> list[_Work]:
        """All mutants of one module, in parts; raises `ConfigError` when no test concerns it."""
        module = self._modules[path]
        near, far = self._concerned(path)
        if not near and not far:
            raise ConfigError(
                f"no test concerns {self._sources.place(path)}",
                hint=f"write tests that use data.{'.'.join(module.package)}, or name their directory with --tests",
            )
        groups = [near] if near else []
        groups += [frozenset({test}) for test in sorted(far)]
        complete = tuple(self._complete(group) for group in groups)
        prefixes = tuple(
            frozenset(f"data.{'.'.join(self._modules[test].package)}." for test in group) for group in groups
        )
        names = frozenset(entry.mutant for entry in accepted if _policy_path(self._sources, entry.file) == path)
        found = mutants(module)
        return [
            _Work(module, complete, prefixes, found[start : start + _PART], names)
            for start in range(0, len(found), _PART)
        ]

    def _concerned(self, path: str) -> tuple[frozenset[str], frozenset[str]]:
        """The tests that name a module's package or lie beside it, and those that reach it through others."""
        folder = path.rpartition("/")[0]
        near = frozenset(
            test for test in self._tests if test.rpartition("/")[0] == folder or path in self._reach.direct(test)
        )
        if control_id(path) is not None:
            return near, frozenset()
        return near, frozenset(test for test in self._tests - near if path in self._reach.closure([test]))

    def _complete(self, tests: frozenset[str]) -> Mapping[str, str]:
        """Some tests with all that they reach, without the tests of others."""
        reached = self._reach.closure(tests) - (self._tests - tests)
        return {path: self._modules[path].source for path in sorted(reached)}


def judge(work: _Work) -> tuple[Verdict, ...]:
    """The verdicts of the tests on some mutants; raises `ConfigError` for a test that fails without any change."""
    bench = _Bench(work)
    return tuple(bench.verdict(mutant) for mutant in work.mutants)


def judge_quietly(work: _Work) -> tuple[Verdict, ...]:
    """`judge` in a process of its own, where the engine's remarks on standard error go nowhere."""
    with _quiet():
        return judge(work)


class _Bench:
    """The groups of tests of one module. A test that noticed is asked first the next time."""

    def __init__(self, work: _Work) -> None:
        self._work = work
        self._order: list[list[str]] = []

    def verdict(self, mutant: Mutant) -> Verdict:
        source = mutant.apply(self._work.module)
        for place, group in enumerate(self._work.groups):
            if place == len(self._order):
                self._order.append(self._sound(place))
            try:
                rules = CompiledRules({**group, mutant.path: source})
            except PolicyError:
                return Verdict.REFUSED
            noticed = self._noticed(rules, self._order[place])
            if noticed is not None:
                return noticed
            if mutant.name in self._work.accepted:
                break
        return Verdict.SURVIVED

    def _noticed(self, rules: CompiledRules, order: list[str]) -> Verdict | None:
        for index, test in enumerate(order):
            try:
                if passes(rules.value(test, time_limit_s=_TEST_S)):
                    continue
                verdict = Verdict.KILLED
            except PolicyTimeout:
                verdict = Verdict.TIMED_OUT
            except PolicyError:
                verdict = Verdict.KILLED
            order.insert(0, order.pop(index))
            return verdict
        return None

    def _sound(self, place: int) -> list[str]:
        """The tests of a group, each of which passes while nothing is changed."""
        rules = CompiledRules(self._work.groups[place])
        prefixes = tuple(self._work.tests[place])
        order = [test for test in rules.tests if test.startswith(prefixes)]
        for test in order:
            if self._noticed(rules, [test]) is not None:
                raise ConfigError(
                    f"{test.removeprefix('data.')} fails before anything is changed",
                    hint="make the tests pass first: gate policy test",
                )
        return order


def passes(value: str | None) -> bool:
    """Whether the value of a test rule is a success: `true`, or cases by name that are all successes."""
    return value is not None and _is_success(json.loads(value))


def _is_success(value: JsonValue) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(_is_success(case) for case in value.values())
    return value is True


def folders(sources: Sources) -> tuple[str, ...]:
    """The directories on disk that the author's modules and tests come from."""
    places = (sources.place(path).removesuffix(f"/{path}") for path in (*sources.own, *sources.tests))
    return tuple(dict.fromkeys(places))


def read_accepted(start: Path, file: str | None, directories: Iterable[str]) -> tuple[Accepted, ...]:
    """The accepted mutants of a file, else of those named `equivalent_mutants.json` in some directories.

    Raises `ConfigError` for anything but a list of `{file, mutant, reason}` with a reason for each.
    """
    if file is not None:
        places = [file]
    else:
        listed = [f"{directory.rstrip('/')}/{ACCEPTED}" for directory in directories]
        places = [place for place in dict.fromkeys(listed) if file_exists(start, place)]
    return tuple(entry for place in places for entry in _entries(place, read_regular(start, place, _ACCEPTED_BYTES)))


def _entries(place: str, data: bytes) -> Iterator[Accepted]:
    try:
        items = loads(data, limit=_ACCEPTED_BYTES)
    except StrictJsonError as error:
        raise ConfigError(f"{place}: {error}") from None
    for item in items if isinstance(items, list) else [None]:
        match item:
            case {"file": str(file), "mutant": str(mutant), "reason": str(reason), **more} if (
                reason.strip() and not more
            ):
                yield Accepted(file, mutant, reason)
            case _:
                raise ConfigError(
                    f"{place}: an entry is not {{file, mutant, reason}} with a reason",
                    hint="the names of the mutants are those that gate policy mutate shows",
                )


def _policy_path(sources: Sources, file: str) -> str | None:
    """The path in the policy of a file that is named by it, or by where it lies."""
    return next((path for path in sources.own if file in (path, sources.place(path))), None)


def _chosen(sources: Sources, control: str | None) -> tuple[str, ...]:
    if control is None:
        return tuple(sorted(sources.own))
    known = {found: path for path in sources.own if (found := control_id(path)) is not None}
    if control not in known:
        raise ConfigError(f"there is no control {control!r} here{suggestion(control, sorted(known))}")
    return (known[control],)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
