"""What every use case starts from: the root, the configuration and where it was read, policy, trust."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gate.app.policy import load_policy
from gate.collect.directory import file_exists, read_regular
from gate.collect.files import read_folder
from gate.collect.git import Repository, find_root
from gate.config.nodes import Source
from gate.config.policy import is_policy_file
from gate.config.settings import load_settings
from gate.errors import ConfigError, HistoryError, LimitError
from gate.evaluate.bundle import PolicyBundle
from gate.evaluate.catalogue import load_profile
from gate.formats.strict_yaml import YamlError
from gate.formats.waivers import parse_waivers
from gate.model.control import Profile
from gate.model.settings import Settings
from gate.model.waiver import Waiver
from gate.verify.trust import TrustStore, build_trust_store

_CONFIG_BYTES: Final = 8 << 20
_POLICY_FILES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asked for. `start` is a folder; `now_s` is the time of the decision.

    `jobs` is how many processes may verify evidence: more than one is for a program that is the gate alone.
    """

    start: Path
    root: Path | None
    config: str
    base: str | None
    config_from_worktree: bool
    now_s: int
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class Range:
    """The two commits between which the change lies, as full ids."""

    base: str
    merge_base: str
    head: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A root with its checked configuration. Everything that steers the decision was read from one source."""

    root: Path
    repository: Repository | None
    range: Range | None
    settings: Settings
    bundle: PolicyBundle
    profile: Profile
    trust: TrustStore
    waivers: Mapping[str, Waiver]
    now_s: int
    jobs: int = 1


@dataclass(frozen=True, slots=True)
class WorkTree:
    """The files as they lie below a root."""

    root: Path
    name: str = "worktree"

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file; `None` when there is none."""
        if not file_exists(self.root, path):
            return None
        return read_regular(self.root, path, _CONFIG_BYTES)

    def folder(self, path: str, wanted: Callable[[str], bool]) -> Mapping[str, bytes] | None:
        """The wanted files below a folder; `None` when there is none."""
        if not file_exists(self.root, path):
            return None
        return read_folder(self.root, path, wanted, _POLICY_FILES, _CONFIG_BYTES)


@dataclass(frozen=True, slots=True)
class _Commit:
    repository: Repository
    commit: str

    @property
    def name(self) -> str:
        return self.commit

    def read(self, path: str) -> bytes | None:
        try:
            return self.repository.read_file(self.commit, path, _CONFIG_BYTES)
        except LimitError as error:
            raise LimitError(f"{path}: {error}", hint=error.hint) from None

    def folder(self, path: str, wanted: Callable[[str], bool]) -> Mapping[str, bytes] | None:
        return self.repository.read_folder(self.commit, path, wanted, _POLICY_FILES, _CONFIG_BYTES)


def open_workspace(request: Request, tree: Callable[[Path], Source] = WorkTree) -> Workspace:
    """Finds the root, reads and checks what steers the decision; `tree` gives the files below a root.

    Raises `ConfigError` for usage and configuration, `HistoryError` when git cannot give the merge base.
    """
    repository, root = _locate(request)
    found = _range(repository, request.base)
    source: Source = tree(root)
    if repository is not None and found is not None and not request.config_from_worktree:
        source = _Commit(repository, found.merge_base)
    settings = load_settings(_below_root(request.config), source)
    if repository is not None and found is not None and not request.config_from_worktree:
        _check_current(repository, found, settings)
    trust = build_trust_store(settings.trust, request.now_s)
    bundle = load_policy(settings.policy, trust)
    _check_reuse(settings, bundle)
    return Workspace(
        root=root,
        repository=repository,
        range=found,
        settings=settings,
        bundle=bundle,
        profile=_profile(settings, bundle),
        trust=trust,
        waivers=_waivers(settings),
        now_s=request.now_s,
        jobs=request.jobs,
    )


def _check_reuse(settings: Settings, bundle: PolicyBundle) -> None:
    """A summary stands for evidence of claims that a control reads and a person could waive."""
    for name, verifier in settings.reuse.items():
        for control in verifier.controls:
            info = bundle.catalogue.get(control)
            if info is None or not info.waivable or not info.claims:
                what = f"there is no control {control!r}" if info is None else f"{control} cannot be reused or waived"
                raise ConfigError(f"{settings.path}: reuse {name}: {what}")


def configured_trust(request: Request) -> tuple[Settings, TrustStore]:
    """The configuration of the work tree, and whom it trusts at the time of the request; raises `ConfigError`."""
    settings = load_settings(_below_root(request.config), WorkTree(_locate(request)[1]))
    return settings, build_trust_store(settings.trust, request.now_s)


@dataclass(frozen=True, slots=True)
class Rules:
    """How something is judged: the configuration of one commit, or of the work tree, with its policy and profile."""

    source: str
    settings: Settings
    bundle: PolicyBundle
    profile: Profile


def rules_at(request: Request, base: str | None) -> Rules:
    """The rules of the commit that a name stands for, or of the work tree; raises like `open_workspace`."""
    repository, root = _locate(request)
    source: Source = WorkTree(root)
    if base is not None:
        if repository is None:
            raise ConfigError("--base needs a git repository, and this folder is in none")
        source = _Commit(repository, repository.resolve(base))
    settings = load_settings(_below_root(request.config), source)
    bundle = load_policy(settings.policy, build_trust_store(settings.trust, request.now_s))
    return Rules(source.name, settings, bundle, _profile(settings, bundle))


def root_of(request: Request) -> Path:
    """The folder that a request is about; raises `ConfigError` for one inside a repository."""
    return _locate(request)[1]


def _locate(request: Request) -> tuple[Repository | None, Path]:
    start = (request.root or request.start).resolve()
    top = find_root(start)
    root = start if request.root is not None or top is None else top
    if top is not None and top != root:
        raise ConfigError(f"--root: {root} lies inside the repository {top}", hint="judge the whole repository")
    return (Repository(root) if top is not None else None), root


def _range(repository: Repository | None, base: str | None) -> Range | None:
    if base is None:
        return None
    if repository is None:
        raise ConfigError("--base needs a git repository, and this folder is in none")
    commit = repository.resolve(base)
    head = repository.head()
    if head is None:
        raise ConfigError("--base: the repository has no commit yet")
    return Range(commit, repository.merge_base(commit, head[0]), head[0])


def _check_current(repository: Repository, found: Range, settings: Settings) -> None:
    """Refuses a branch that left the base before its policy changed: a revoked key would be trusted again there."""
    if found.base == found.merge_base:
        return
    then, now = _Commit(repository, found.merge_base), _Commit(repository, found.base)
    steering = settings.steering
    changed = [path for path in steering.files if then.read(path) != now.read(path)]
    folders = {path: (then.folder(path, is_policy_file), now.folder(path, is_policy_file)) for path in steering.folders}
    changed += [path for path, (before, after) in folders.items() if before != after]
    for path in sorted(changed):
        raise HistoryError(
            f"{path} changed on the base after this branch left it, so the policy at the merge base is out of date",
            hint="merge the base into the branch, or rebase onto it, and check again",
        )


def _below_root(config: str) -> str:
    if config.startswith("/") or ".." in config.split("/"):
        raise ConfigError(
            f"--config {config!r} must be a path below the root",
            hint="the configuration is versioned with what it judges",
        )
    return config.removeprefix("./")


def _profile(settings: Settings, bundle: PolicyBundle) -> Profile:
    text = settings.profile_text if settings.profile_text is not None else bundle.profiles.get(settings.profile)
    if text is None:
        known = ", ".join(sorted(bundle.profiles))
        raise ConfigError(f"{settings.path}: there is no profile {settings.profile!r}; known are {known}, or a file")
    load = functools.partial(load_profile, settings.profile, text, bundle.catalogue, settings.parameters)
    return load(others=bundle.profiles, allow_empty_diff=settings.allow_empty_diff, configuration=settings.path)


def _waivers(settings: Settings) -> Mapping[str, Waiver]:
    if settings.waivers is None:
        return {}
    try:
        return parse_waivers(settings.waivers)
    except YamlError as error:
        raise ConfigError(f"{settings.waivers_path}:{error.line}:{error.column}: {error}") from None
