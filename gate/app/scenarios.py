"""`gate scenarios`: the gate judged by what it answers to scenarios, or another gate by the same."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import multiprocessing
import os
import re
import shlex
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate import __version__
from gate.app.check import judge
from gate.app.engines import open_engine
from gate.app.scenario_lay import lay
from gate.app.workspace import Request, Workspace, open_workspace
from gate.collect.files import read_folder
from gate.errors import ConfigError, GateError, PolicyError
from gate.evaluate.bundle import PolicyBundle, packaged_bundle
from gate.evaluate.interface import Engine
from gate.formats.rfc3339 import format_time
from gate.formats.scenario import ScenarioError, read_set
from gate.formats.strict_yaml import suggestion
from gate.model.control import Mode
from gate.model.decision import Decision, Outcome
from gate.model.scenario import Ended, Evaluated, Evaluator, Expected, Scenario, ScenarioSet
from gate.model.settings import EngineSettings
from gate.report.interface import render

FOLDER: Final = "fixtures/scenarios"
"""Where the scenarios lie in the gate's own repository."""
OTHER_SECONDS: Final = 120.0
"""How long another gate may take for one scenario."""
_FILES: Final = 100_000
_BYTES: Final = 64 << 20
_REFUSING: Final = frozenset({Outcome.FAIL, Outcome.ERROR})
_COVERED: Final = frozenset({Outcome.WAIVED, Outcome.REUSED})
_UNDECIDED: Final = frozenset({2, 3, 4})
_PROFILE: Final = re.compile(rb"^profile: .*$", re.MULTILINE)
_OWN_PROFILE: Final = "own"
"""What a scenario calls a profile that no other set knows by its name."""
Files = Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Work:
    """One scenario with the files of its folder, the gate that judges it, and where: `None` is a folder that goes.

    `profile` is a packaged one that takes the place of the scenario's own.
    """

    scenario: Scenario
    files: Files
    command: tuple[str, ...] | None = None
    keep: Path | None = None
    profile: str | None = None


def load_set(folder: Path, only: Sequence[str] = ()) -> tuple[ScenarioSet, tuple[Work, ...]]:
    """The set below a folder, and its scenarios that have one of the texts in their name, or all.

    Raises `ConfigError` when there is none, `EvidenceError` for what cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"there is no folder {str(folder)!r} of scenarios",
            hint=f"run it in a clone of the gate's repository, where they lie in {FOLDER}, or name a folder",
        )
    top = folder.resolve()
    files = read_folder(top.parent, top.name, lambda _: True, _FILES, _BYTES)
    try:
        found = read_set(files)
    except ScenarioError as error:
        raise ConfigError(f"{folder}: {error}", hint="the form is described in docs/how-to/scenarios.md") from None
    chosen = [one for one in found.scenarios if not only or any(text in one.name for text in only)]
    if not chosen:
        raise ConfigError(f"no scenario of {folder} has {' or '.join(map(repr, only)) or 'a name'} in its name")
    by_folder = {
        name: {path.removeprefix(f"{name}/"): files[path] for path in paths}
        for name, paths in itertools.groupby(sorted(files), lambda path: "/".join(path.split("/")[:2]))
    }
    return found, tuple(Work(one, by_folder[one.name]) for one in chosen)


def under_profile(work: Work, name: str) -> Work:
    """The same scenario, judged by a packaged profile; raises `ConfigError` when there is none of that name.

    What this gate has to say beside its yes or no is said for the scenario's own profile, so it is not asked here.
    """
    if name not in _packaged().profiles:
        known = sorted(_packaged().profiles)
        raise ConfigError(f"there is no packaged profile {name!r}{suggestion(name, known)}", hint=", ".join(known))
    path = "base/gate.yaml"
    text = _PROFILE.sub(f"profile: {name}".encode(), work.files.get(path, b""), count=1)
    files = {**work.files, path: text} if path in work.files else work.files
    scenario = dataclasses.replace(work.scenario, profile=name)
    return dataclasses.replace(work, scenario=scenario, files=files, profile=name)


def run_scenarios(
    found: ScenarioSet, works: Sequence[Work], *, jobs: int = 1, ended: Callable[[int], object] | None = None
) -> Evaluated:
    """Plays scenarios in processes of their own, or in this one; `ended` is told how many more are done.

    Raises `ConfigError` when the command of another gate cannot be run.
    """
    tell = ended if ended is not None else lambda _: None
    results: list[Ended] = []
    for one in _played(works, jobs):
        results.append(one)
        tell(1)
    command = works[0].command if works else None
    by = Evaluator("gate", __version__, _packaged().digest)
    return Evaluated(found, by if command is None else Evaluator(shlex.join(command), None, None), tuple(results))


def _played(works: Sequence[Work], jobs: int) -> Iterator[Ended]:
    if jobs == 1:
        yield from map(play, works)
        return
    with ProcessPoolExecutor(max_workers=jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            yield from pool.map(play, works, chunksize=4)
        except BrokenProcessPool:
            raise PolicyError(
                "a process that plays scenarios ended too early",
                hint="play them one at a time with --jobs 1 to find out which",
            ) from None
        finally:
            pool.shutdown(cancel_futures=True)


def play(work: Work) -> Ended:
    """One scenario, laid out and judged; raises `EvidenceError` for one that cannot be laid out."""
    if work.keep is not None:
        return _judged(work, work.keep / work.scenario.name)
    with tempfile.TemporaryDirectory(prefix="gate-scenario-") as folder:
        return _judged(work, Path(folder).resolve() / "repository")


def _judged(work: Work, root: Path) -> Ended:
    lay(work.scenario, work.files, root)
    if work.command is not None:
        return _other(work.scenario, work.command, root)
    return judge_scenario(work.scenario, root, has_own_words=work.profile is None)


# -- this gate ---------------------------------------------------------------------------------------------------------


def judge_scenario(scenario: Scenario, root: Path, *, has_own_words: bool = True) -> Ended:
    """What this gate says to a scenario that is laid out, as `gate check` does, but that nothing is recorded.

    Whoever wrote the scenario may be an attacker: its configuration asks no network and reads no file of this machine.
    What `expect.gate` says is compared where the scenario `has_own_words` for how it is judged.
    """
    request = Request(root, root, "gate.yaml", scenario.against, False, scenario.now_s)
    try:
        workspace = open_workspace(request)
        _stays_here(workspace)
        decision = judge(workspace, engine=_engine, is_recorded=False).decision
    except GateError as error:
        ended = Ended(scenario, error.exit_code, why=str(error))
        text = "\n".join((str(error), *error.details, error.hint))
    else:
        ended = _ended(scenario, decision)
        text = render("text", decision)
    if has_own_words:
        return _compared(ended, text)
    undecided = ended.exit_code in _UNDECIDED and scenario.expected is not Expected.ERROR
    return dataclasses.replace(ended, differences=("no decision was made",)) if undecided else ended


def _stays_here(workspace: Workspace) -> None:
    if workspace.settings.engine.name != "regorus" or workspace.settings.evidence_registries:
        raise ConfigError(
            "a scenario is judged without network, and its gate.yaml names an OPA server or a registry",
            hint="put the evidence into evidence/, and leave `engine` out",
        )


def _engine(settings: EngineSettings, bundle: PolicyBundle) -> Engine:
    """The packaged policy is compiled once a process, not once a scenario; any other runs in a process of its own."""
    if bundle.digest != _packaged().digest:
        return open_engine(dataclasses.replace(settings, isolated=True), bundle)
    return _packaged_engine(settings)


@functools.cache
def _packaged_engine(settings: EngineSettings) -> Engine:
    return open_engine(settings, _packaged())


@functools.cache
def _packaged() -> PolicyBundle:
    return packaged_bundle()


def _ended(scenario: Scenario, decision: Decision) -> Ended:
    enforced = {name: one for name, one in decision.controls.items() if one.mode is Mode.ENFORCE}

    def with_outcome(*outcomes: Outcome) -> tuple[str, ...]:
        return tuple(sorted(name for name, one in enforced.items() if one.outcome in outcomes))

    refusing = with_outcome(*_REFUSING)
    reasons = [
        entry.violation.message for name in refusing for entry in enforced[name].violations if not entry.is_covered
    ]
    claimed = {one.claimed for one in decision.rejected}
    return Ended(
        scenario,
        decision.exit_code,
        refusing=refusing,
        passing=with_outcome(Outcome.PASS),
        waived=with_outcome(*_COVERED),
        idle=with_outcome(Outcome.NOT_APPLICABLE),
        verified=tuple(sorted({one.claim for one in decision.verified})),
        rejected=tuple(sorted(one for one in claimed if one is not None)),
        why=next(iter(reasons), ""),
        differences=tuple(_otherwise(scenario, decision)),
    )


def _otherwise(scenario: Scenario, decision: Decision) -> Iterator[str]:
    """What the tables would count by, and is not so: the set says it, and the decision knows."""
    profile, target = (str(decision.context.get(name)) for name in ("profile", "target"))
    called = profile if profile in _packaged().profiles else _OWN_PROFILE
    if called != scenario.profile:
        yield f"judged by profile {profile}, not {scenario.profile}"
    if target != scenario.target:
        yield f"judged for {target}, not {scenario.target}"


def _compared(ended: Ended, text: str) -> Ended:
    """The same with what this gate had to say and did not."""
    own = ended.scenario.own
    found = list(ended.differences)
    found += [f"exit code {ended.exit_code}, not {own.exit_code}"] if ended.exit_code != own.exit_code else []
    for what, want, have in (("refused by", own.failing, ended.refusing), ("waived", own.waived, ended.waived)):
        # A decision that could not be made has no controls.
        if ended.exit_code not in _UNDECIDED and set(want) != set(have):
            found.append(f"{what} {_names(have)}, not {_names(want)}")
    if missing := sorted(set(own.passing) - set(ended.passing)):
        found.append(f"not passed: {_names(missing)}")
    found += [f"not said: {word}" for word in own.words if word not in text]
    return dataclasses.replace(ended, differences=tuple(found))


def _names(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


# -- another gate ------------------------------------------------------------------------------------------------------


def _other(scenario: Scenario, command: Sequence[str], root: Path) -> Ended:
    """What another gate says: exit code 0 is yes, and nothing else is; too slow is no."""
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(root.parent),
        "LC_ALL": "C.UTF-8",
        "SCENARIO": scenario.name,
        "SCENARIO_AGAINST": scenario.against or "",
        "SCENARIO_NOW": format_time(scenario.now_s),
        "SCENARIO_TARGET": scenario.target,
    }
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=OTHER_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Ended(scenario, 124, why=f"no answer within {OTHER_SECONDS:g} seconds")
    except OSError as error:
        raise ConfigError(f"--gate: {shlex.join(command)} cannot be run: {error.strerror}") from None
    lines = done.stderr.decode(errors="replace").strip().splitlines()
    return Ended(scenario, done.returncode, why=lines[-1] if lines and done.returncode else "")
