"""`gate.yaml` becomes frozen `Settings` (DOCUMENTS 1).

The text comes from a `Source`: the work tree or the merge base. Everything it names (keys, waivers, a profile
file) is read from the same source, so that a change can't bring its own policy (SECURITY 24).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gate.config.admission import read_admission
from gate.config.evidence import read_evidence
from gate.config.inspection import read_allowed_globals
from gate.config.nodes import NAME, Source, claim, claim_problem, glob, named, read, relative_path, size
from gate.config.policy import read_engine, read_policy
from gate.config.record import read_record
from gate.config.reuse import read_reuse
from gate.config.signals import read_signals
from gate.config.trust import read_trust
from gate.errors import ConfigError
from gate.formats.reports import TOOLS
from gate.formats.rfc3339 import parse_duration
from gate.formats.strict_yaml import Node, YamlError, loads, suggestion
from gate.model.artifact import ArtifactKind
from gate.model.claim import is_predicate_type
from gate.model.digest import sha256_digest
from gate.model.json import JsonObject, JsonValue
from gate.model.settings import (
    ArtifactSettings,
    GateSettings,
    Limits,
    RecordSettings,
    ReportSettings,
    Settings,
    Target,
    TrustSettings,
)

DEFAULT_PATH: Final = "gate.yaml"
_ROOT_KEYS: Final = (
    "version",
    "target",
    "environment",
    "profile",
    "artifacts",
    "evidence",
    "reports",
    "manifests",
    "signals",
    "inspection",
    "policy",
    "engine",
    "trust",
    "drafts",
    "reuse",
    "gates",
    "parameters",
    "waivers",
    "limits",
    "on_empty_diff",
    "record",
    "admission",
)


def load_settings(path: str, source: Source) -> Settings:
    """Reads and checks the configuration; raises `ConfigError` that names file, line and column."""
    data = source.read(path)
    if data is None:
        raise ConfigError(
            f"there is no {path} in {source.name}",
            hint="`gate init` writes one; with --base it is read from the merge base"
            " (--config-from worktree reads the one that the change brings)",
        )
    try:
        return _Loader(path, source, data).settings()
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None


def load_artifacts(path: str, source: Source) -> Mapping[str, ArtifactSettings]:
    """The artifacts alone, for who makes evidence: keys and waivers may not be there yet; empty without the file.

    Raises `ConfigError` that names file, line and column.
    """
    data = source.read(path)
    if data is None:
        return {}
    try:
        return _Loader(path, source, data).artifacts()
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None


def load_evidence_directories(path: str, source: Source) -> tuple[str, ...]:
    """The folders of evidence alone, likewise."""
    data = source.read(path)
    if data is None:
        return ()
    try:
        loader = _Loader(path, source, data)
        return read_evidence(loader.fields.get("evidence"), loader.artifacts(), source).directories
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None


def load_record(path: str, source: Source) -> RecordSettings | None:
    """What the section `record` alone says; raises `ConfigError`, also when there is no such file."""
    data = source.read(path)
    if data is None:
        raise ConfigError(f"there is no {path} in {source.name}", hint="name the log itself: --sqlite FILE")
    try:
        return read_record(_Loader(path, source, data).fields.get("record"), source)
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None


def load_allowed_globals(path: str, source: Source) -> frozenset[str]:
    """What the section `inspection` alone allows; raises `ConfigError`, also when there is no such file."""
    data = source.read(path)
    if data is None:
        raise ConfigError(f"there is no {path} in {source.name}")
    try:
        return read_allowed_globals(_Loader(path, source, data).fields.get("inspection"))
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None


class _Loader:
    def __init__(self, path: str, source: Source, data: bytes) -> None:
        self.path, self.source, self.data = path, source, data
        self.root = loads(data)
        self.fields = self.root.fields(*_ROOT_KEYS)

    def settings(self) -> Settings:
        fields = self.fields
        version = fields.get("version", self.root)
        if not version.is_integer(1):
            raise version.error("version must be 1")
        if "target" not in fields:
            raise self.root.error("target is required: training, fine-tuning or deployment")
        artifacts, gates = self.artifacts(), self._gates()
        if not artifacts and not gates and "admission" not in fields:
            raise self.root.error("nothing to judge: neither artifacts nor gates, and no admission")
        profile = fields["profile"].text() if "profile" in fields else "baseline"
        profile_is_file = "/" in profile or "." in profile
        waivers = self._file("waivers")
        evidence = read_evidence(fields.get("evidence"), artifacts, self.source)
        trust = read_trust(fields.get("trust"), self.source, fields.get("drafts"))
        self._check_types(trust)
        return Settings(
            path=self.path,
            source=self.source.name,
            digest=sha256_digest(self.data),
            target=Target(fields["target"].choice(*(target.value for target in Target))),
            environment=fields["environment"].text() if "environment" in fields else "default",
            profile=relative_path(fields["profile"]) if profile_is_file else profile,
            artifacts=artifacts,
            evidence_directories=evidence.directories,
            reports=self._reports(artifacts),
            gates=gates,
            trust=trust,
            parameters=self._parameters(),
            waivers_path=relative_path(fields["waivers"]) if waivers is not None else None,
            waivers=waivers,
            allow_empty_diff=self._choice("on_empty_diff", "refuse", "allow") == "allow",
            limits=self._limits(),
            profile_text=self._file("profile") if profile_is_file else None,
            policy=read_policy(fields.get("policy"), self.source),
            engine=read_engine(fields.get("engine"), self.source),
            evidence_registries=evidence.registries,
            legacy_directories=evidence.legacy,
            reuse=read_reuse(fields.get("reuse"), trust, artifacts),
            signals=read_signals(fields.get("signals"), artifacts),
            manifests=self._manifests(),
            allow_globals=read_allowed_globals(fields.get("inspection")),
            record=read_record(fields.get("record"), self.source, artifacts),
            admission=read_admission(fields.get("admission"), self.source, trust, is_recorded="record" in fields),
        )

    def _check_types(self, trust: TrustSettings) -> None:
        """A predicate type of others that no signer may speak for would be asked for in vain."""
        for node in self.fields["gates"].items() if "gates" in self.fields else ():
            for item in node.members()["required_attestations"].items():
                claimed = any(signer.may_claim(item.text()) for signer in trust.signers.values())
                if is_predicate_type(item.text()) and not claimed:
                    raise item.error(f"no signer lists {item.text()[:200]!r} among its claims, so it is never read")

    def _choice(self, key: str, *words: str) -> str:
        return self.fields[key].choice(*words) if key in self.fields else words[0]

    def _file(self, key: str) -> bytes | None:
        return read(self.source, self.fields[key], key) if key in self.fields else None

    def artifacts(self) -> Mapping[str, ArtifactSettings]:
        found = {}
        for name, node in named(self.fields.get("artifacts")).items():
            fields = node.fields("kind", "path", "image", "base", "ignore")
            if "kind" not in fields or ("path" in fields) == ("image" in fields):
                raise node.error(f"artifact {name!r} needs a kind, and a path or an image")
            if "ignore" in fields and "image" in fields:
                raise fields["ignore"].error("only of a folder something can be ignored")
            found[name] = ArtifactSettings(
                name=name,
                kind=ArtifactKind(fields["kind"].choice(*(kind.value for kind in ArtifactKind))),
                path=relative_path(fields["path"]) if "path" in fields else None,
                image=fields["image"].text() if "image" in fields else None,
                base=fields["base"].text() if "base" in fields else None,
                ignore=tuple(relative_path(item) for item in fields["ignore"].items()) if "ignore" in fields else (),
            )
        for name, artifact in found.items():
            if artifact.base is not None and (artifact.base not in found or artifact.base == name):
                node = self.fields["artifacts"].members()[name].members()["base"]
                raise node.error(
                    f"base {artifact.base!r} is not another artifact{suggestion(artifact.base, list(found))}"
                )
        return found

    def _gates(self) -> Mapping[str, GateSettings]:
        found: dict[str, GateSettings] = {}
        for node in self.fields["gates"].items() if "gates" in self.fields else ():
            fields = node.fields("id", "trigger_paths", "required_attestations", "message")
            for key in ("id", "trigger_paths", "required_attestations"):
                if key not in fields or (key != "id" and not fields[key].items()):
                    raise node.error(f"a gate needs {key!r}, and it must not be empty")
            name = fields["id"].text()
            if name in found or not NAME.fullmatch(name):
                raise fields["id"].error(f"gate id {name[:80]!r} occurs twice or is not a plain name")
            for item in fields["trigger_paths"].items():
                glob(item)
            for item in fields["required_attestations"].items():
                claim(item)
            found[name] = GateSettings(
                id=name,
                trigger_paths=fields["trigger_paths"].texts(),
                required_attestations=tuple(dict.fromkeys(fields["required_attestations"].texts())),
                message=fields["message"].text() if "message" in fields else "",
            )
        return found

    def _reports(self, artifacts: Mapping[str, ArtifactSettings]) -> tuple[ReportSettings, ...]:
        found = []
        for node in self.fields["reports"].items() if "reports" in self.fields else ():
            fields = node.fields("tool", "path", "artifact")
            if "tool" not in fields or "path" not in fields:
                raise node.error("a report needs a tool and a path")
            artifact = fields["artifact"].text() if "artifact" in fields else None
            if artifact is not None and artifact not in artifacts:
                raise fields["artifact"].error(f"no artifact {artifact!r}{suggestion(artifact, list(artifacts))}")
            glob(fields["path"])
            found.append(ReportSettings(fields["tool"].choice(*TOOLS), fields["path"].text(), artifact))
        return tuple(found)

    def _manifests(self) -> tuple[str, ...]:
        node = self.fields.get("manifests")
        if node is None:
            return ()
        if not node.items():
            raise node.error("expected at least one path; remove the key if there are no manifests")
        for item in node.items():
            glob(item)
        return node.texts()

    def _parameters(self) -> Mapping[str, JsonObject]:
        found: dict[str, JsonObject] = {}
        for control, node in named(self.fields.get("parameters")).items():
            found[control] = {
                name: _fresh_limit(name, item) if control == "evidence.fresh" else item.json()
                for name, item in node.members().items()
            }
        return found

    def _limits(self) -> Limits:
        if "limits" not in self.fields:
            return Limits()
        defaults = Limits()
        names = Limits.__slots__
        fields = self.fields["limits"].fields(*names)
        values = {name: getattr(defaults, name) for name in names}
        for name, node in fields.items():
            values[name] = size(node)
        return Limits(**values)


def _fresh_limit(name: str, node: Node) -> JsonValue:
    if claim_problem(name) is not None:
        return node.json()
    seconds = parse_duration(node.text())
    if seconds is None:
        raise node.error("expected a duration such as 30d, 12h or 90m")
    return seconds
