"""`gate.yaml` becomes frozen `Settings` (DOCUMENTS 1).

The text comes from a `Source`: the work tree or the merge base. Everything it names (keys, waivers, a profile
file) is read from the same source, so that a change can't bring its own policy (SECURITY 24).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Protocol

from gate.errors import ConfigError
from gate.formats import canonical_json
from gate.formats.glob import compile_glob
from gate.formats.reports import TOOLS
from gate.formats.rfc3339 import parse_duration, parse_time
from gate.formats.strict_yaml import Node, YamlError, loads, suggestion
from gate.model.artifact import ArtifactKind
from gate.model.claim import CLAIMS, is_claim_pattern
from gate.model.digest import parse_digest, sha256_digest
from gate.model.json import JsonObject, JsonValue
from gate.model.path import is_plain_relative
from gate.model.settings import (
    ArtifactSettings,
    GateSettings,
    IdentitySettings,
    Limits,
    ReportSettings,
    Revocations,
    Settings,
    SignerSettings,
    Target,
    TrustSettings,
)

DEFAULT_PATH: Final = "gate.yaml"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SIZE: Final = re.compile(r"([0-9]{1,9})(B|KiB|MiB|GiB)?")
_SIZE_UNIT: Final = {None: 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
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
    "trust",
    "gates",
    "parameters",
    "waivers",
    "limits",
    "on_empty_diff",
)
_LATER: Final = ("manifests", "signals")
# The thresholds of a control that counts people are given under the control's name.
_THRESHOLD_ALIASES: Final = {"approval.human": "approval"}


class Source(Protocol):
    """Where the configuration and what it names are read from."""

    @property
    def name(self) -> str:
        """For people and the decision: `worktree`, or the commit id of the merge base."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a regular file below the root; `None` when there is none."""


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
        for key in _LATER:
            if key in fields:
                raise fields[key].error(f"{key} are not read by this version; remove the key so that nothing is missed")
        if "target" not in fields:
            raise self.root.error("target is required: training, fine-tuning or deployment")
        artifacts, gates = self._artifacts(), self._gates()
        if not artifacts and not gates:
            raise self.root.error("nothing to judge: neither artifacts nor gates")
        profile = fields["profile"].text() if "profile" in fields else "baseline"
        profile_is_file = "/" in profile or "." in profile
        waivers = self._file("waivers")
        return Settings(
            path=self.path,
            source=self.source.name,
            digest=sha256_digest(self.data),
            target=Target(fields["target"].choice(*(target.value for target in Target))),
            environment=fields["environment"].text() if "environment" in fields else "default",
            profile=relative_path(fields["profile"]) if profile_is_file else profile,
            artifacts=artifacts,
            evidence_directories=self._evidence(),
            reports=self._reports(artifacts),
            gates=gates,
            trust=_Trust(self).settings(),
            parameters=self._parameters(),
            waivers_path=relative_path(fields["waivers"]) if waivers is not None else None,
            waivers=waivers,
            allow_empty_diff=self._choice("on_empty_diff", "refuse", "allow") == "allow",
            limits=self._limits(),
            profile_text=self._file("profile") if profile_is_file else None,
        )

    def _choice(self, key: str, *words: str) -> str:
        return self.fields[key].choice(*words) if key in self.fields else words[0]

    def _file(self, key: str) -> bytes | None:
        return self.read(self.fields[key], key) if key in self.fields else None

    def read(self, node: Node, what: str) -> bytes:
        """The bytes of a file that the configuration names."""
        found = self.source.read(relative_path(node))
        if found is None:
            raise node.error(f"{what}: there is no file {node.text()!r} in {self.source.name}")
        return found

    def _artifacts(self) -> Mapping[str, ArtifactSettings]:
        found = {}
        for name, node in named(self.fields.get("artifacts")).items():
            fields = node.fields("kind", "path", "image", "base")
            if "kind" not in fields or ("path" in fields) == ("image" in fields):
                raise node.error(f"artifact {name!r} needs a kind, and a path or an image")
            found[name] = ArtifactSettings(
                name=name,
                kind=ArtifactKind(fields["kind"].choice(*(kind.value for kind in ArtifactKind))),
                path=relative_path(fields["path"]) if "path" in fields else None,
                image=fields["image"].text() if "image" in fields else None,
                base=fields["base"].text() if "base" in fields else None,
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
            if name in found or not _NAME.fullmatch(name):
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

    def _evidence(self) -> tuple[str, ...]:
        found = []
        for node in self.fields["evidence"].items() if "evidence" in self.fields else ():
            fields = node.fields("directory", "oci")
            if "oci" in fields:
                raise fields["oci"].error("evidence from a registry is not read by this version; use a directory")
            if "directory" not in fields:
                raise node.error("evidence needs a directory")
            found.append(relative_path(fields["directory"]))
        return tuple(dict.fromkeys(found))

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
            values[name] = _size(node)
        return Limits(**values)


class _Trust:
    """The `trust` section."""

    def __init__(self, loader: _Loader) -> None:
        self.loader = loader
        self.node = loader.fields.get("trust")
        self.fields = self.node.fields("signers", "thresholds", "sigstore", "revoked") if self.node else {}

    def settings(self) -> TrustSettings:
        signers = {name: self._signer(name, node) for name, node in named(self.fields.get("signers")).items()}
        sigstore = self.fields["sigstore"].fields("trusted_root", "sha256") if "sigstore" in self.fields else {}
        root_path, root_sha256 = self._trusted_root(sigstore)
        text: JsonValue = {
            "signers": {name: _signer_json(signer) for name, signer in signers.items()},
            "section": self.node.json() if self.node else None,
        }
        return TrustSettings(
            signers=signers,
            thresholds=self._thresholds(signers),
            revoked=self._revoked(signers),
            sigstore_trusted_root=root_path,
            sigstore_sha256=root_sha256,
            digest=sha256_digest(canonical_json.dumps(text)),
        )

    def _signer(self, name: str, node: Node) -> SignerSettings:
        fields = node.fields("key", "scheme", "identity", "claims", "valid_from", "valid_until")
        if ("key" in fields) == ("identity" in fields):
            raise node.error(f"signer {name!r} needs a key or an identity, and not both")
        if "claims" not in fields or not fields["claims"].items():
            raise node.error(f"signer {name!r} needs the claims that it may speak for")
        for item in fields["claims"].items():
            claim(item, pattern=True)
        key = fields.get("key")
        valid_from_s = _day(fields["valid_from"], end=False) if "valid_from" in fields else None
        valid_until_s = _day(fields["valid_until"], end=True) if "valid_until" in fields else None
        if valid_from_s is not None and valid_until_s is not None and valid_until_s < valid_from_s:
            raise fields["valid_until"].error(f"signer {name!r} is never valid: valid_until is before valid_from")
        if "scheme" in fields and key is None:
            raise fields["scheme"].error("a scheme is given for keys only")
        return SignerSettings(
            name=name,
            claims=fields["claims"].texts(),
            key_path=relative_path(key) if key else None,
            key_pem=self.loader.read(key, f"key of signer {name!r}") if key else None,
            identity=_identity(fields["identity"]) if "identity" in fields else None,
            scheme=fields["scheme"].text() if "scheme" in fields else None,
            valid_from_s=valid_from_s,
            valid_until_s=valid_until_s,
        )

    def _trusted_root(self, fields: Mapping[str, Node]) -> tuple[str | None, str | None]:
        if not fields:
            return None, None
        if "trusted_root" not in fields or "sha256" not in fields:
            raise self.fields["sigstore"].error("sigstore needs trusted_root and its sha256")
        data = self.loader.read(fields["trusted_root"], "trusted_root")
        expected = fields["sha256"].text().removeprefix("sha256:")
        if sha256_digest(data) != f"sha256:{expected}":
            raise fields["sha256"].error(f"the trusted root's SHA-256 is {sha256_digest(data)}")
        return relative_path(fields["trusted_root"]), expected

    def _thresholds(self, signers: Mapping[str, SignerSettings]) -> Mapping[str, int]:
        found = {}
        for name, node in named(self.fields.get("thresholds")).items():
            subject = _THRESHOLD_ALIASES.get(name, name)
            if subject not in CLAIMS:
                raise node.error(f"{name!r} is not a claim{suggestion(name, sorted(CLAIMS))}")
            if subject in found:
                raise node.error(f"the threshold of {subject} is given twice")
            most = sum(signer.may_claim(subject) for signer in signers.values())
            if not isinstance(node.value, int) or isinstance(node.value, bool) or not 1 <= node.value <= most:
                raise node.error(f"the threshold of {name} must be a number from 1 to {most}, its signers")
            found[subject] = node.value
        return found

    def _revoked(self, signers: Mapping[str, SignerSettings]) -> Revocations:
        fields = self.fields["revoked"].fields("keys", "identities", "evidence") if "revoked" in self.fields else {}
        for node in fields["evidence"].items() if "evidence" in fields else ():
            if parse_digest(node.text()) is None:
                raise node.error("revoked evidence is named by sha256:<hex> of the evidence or its payload")
        # A name that is nobody's would revoke nothing, and nobody would notice.
        for node in fields["keys"].items() if "keys" in fields else ():
            if node.text() not in signers and parse_digest(node.text()) is None:
                raise node.error(
                    f"{node.text()[:80]!r} is neither a signer nor the sha256:<hex> of a public key"
                    f"{suggestion(node.text(), list(signers))}"
                )
        return Revocations(
            *(frozenset(fields[k].texts()) if k in fields else frozenset() for k in Revocations.__slots__)
        )


def named(node: Node | None) -> Mapping[str, Node]:
    """The members of a mapping from plain names; empty when the key is absent."""
    members = node.members() if node is not None else {}
    for name in members:
        if node is not None and not _NAME.fullmatch(name):
            line, column = node.keys[name]
            raise YamlError(f"{name[:80]!r} is not a name: letters, digits, '.', '_' and '-'", line, column)
    return members


def relative_path(node: Node) -> str:
    """A path below the root, without a trailing slash."""
    text = node.text().rstrip("/") or "/"
    if not is_plain_relative(text):
        raise node.error(f"{node.text()[:120]!r} is not a relative path below the root ('/' between plain names)")
    return text


def glob(node: Node) -> None:
    """Checks a glob."""
    try:
        compile_glob(node.text())
    except ValueError as error:
        raise node.error(f"not a glob: {error}") from None


def claim(node: Node, *, pattern: bool = False) -> None:
    """Checks a claim, or a pattern of claims."""
    text = node.text()
    if text not in CLAIMS and not (pattern and is_claim_pattern(text)):
        raise node.error(f"{text!r} is not a claim{suggestion(text, sorted(CLAIMS))}")


def _identity(node: Node) -> IdentitySettings:
    fields = node.fields("issuer", "subject", "source_repository")
    if "issuer" not in fields or "subject" not in fields:
        raise node.error("an identity needs an issuer and a subject")
    if not fields["issuer"].text().startswith("https://"):
        raise fields["issuer"].error("the issuer must be an https address")
    repository = fields["source_repository"].text() if "source_repository" in fields else None
    return IdentitySettings(fields["issuer"].text(), fields["subject"].text(), repository)


def _signer_json(signer: SignerSettings) -> JsonValue:
    return {"key": None if signer.key_pem is None else sha256_digest(signer.key_pem)}


def _day(node: Node, *, end: bool) -> int:
    text = node.text()
    seconds = parse_time(text if "T" in text else f"{text}T{'23:59:59' if end else '00:00:00'}Z")
    if seconds is None:
        raise node.error("expected a date (2027-06-30) or an RFC 3339 time")
    return seconds


def _fresh_limit(name: str, node: Node) -> JsonValue:
    if name not in CLAIMS:
        return node.json()
    seconds = parse_duration(node.text())
    if seconds is None:
        raise node.error("expected a duration such as 30d, 12h or 90m")
    return seconds


def _size(node: Node) -> int:
    match = _SIZE.fullmatch(str(node.value)) if isinstance(node.value, str | int) else None
    size = int(match[1]) * _SIZE_UNIT[match[2]] if match else 0
    if isinstance(node.value, bool) or not 1 <= size < 1 << 40:
        raise node.error("expected a positive number, or a size such as 64KiB or 1MiB")
    return size
