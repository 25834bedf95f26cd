"""From a configuration and policy of llmsa to a `gate.yaml` and configurations of collectors.

What means the same is carried over, what does not is said: nothing is dropped silently, and nothing that llmsa trusted
becomes trusted. Reads the files that are named and the configurations that they name; of the files that are attested
only whether they are there.
"""

from __future__ import annotations

import itertools
import json
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from gate.attest.collector import COMMON_KEYS
from gate.attest.files import read_file
from gate.attest.predicates import collectors
from gate.config.nodes import NAME
from gate.errors import ConfigError
from gate.formats.glob import compile_glob
from gate.formats.predicates.privacy import fingerprint
from gate.formats.strict_yaml import MAX_BYTES, Node, YamlError, loads
from gate.model.digest import parse_digest
from gate.model.path import is_plain_relative

FOLDER: Final = "attest"
LEGACY_EVIDENCE: Final = ".llmsa/attestations"
KINDS: Final = {"prompt": "prompt", "corpus": "corpus", "eval": "evaluation", "route": "route", "slo": "slo"}
"""The types of llmsa with the kind of artifact that each is about."""
_PATHS: Final = frozenset(
    {
        *("system_prompt", "templates_dir", "tool_schemas_dir", "safety_policy", "render_config", "test_suite"),
        *("connector_configs", "document_manifest", "chunking_config", "embedding_input", "vector_index"),
        *("testset", "scoring_config", "baseline_results", "candidate_results", "run_environment"),
        *("route_config", "budget_policy", "fallback_graph", "canary_config", "simulation_result"),
        *("observability_query", "encrypted_payload_path"),
    }
)
_POLICY_KEYS: Final = frozenset({"version", "oidc_issuer", "identity_regex", "plaintext_allowlist", "gates"})
_GATE_KEYS: Final = ("id", "trigger_paths", "required_attestations", "message")
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9._/-]*(?: [A-Za-z0-9._/-]+)*")
_WORDS: Final = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})


@dataclass(frozen=True, slots=True)
class Gate:
    """One gate, in the words of `gate.yaml`."""

    id: str
    trigger_paths: tuple[str, ...]
    required: tuple[str, ...]
    message: str


@dataclass(slots=True)
class Converted:
    """What was found: configurations by type, artifacts (type and path by name), gates, and what to tell a person."""

    configs: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, tuple[str, str]] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    has_bundles: bool = False


def convert(root: Path, sources: Sequence[Path]) -> Converted:
    """Converts the files of llmsa; raises `ConfigError` that names file, line and column, or `AttestError`."""
    found = Converted(has_bundles=(root / LEGACY_EVIDENCE).is_dir())
    rules: dict[str, tuple[str, ...]] = {}
    for source in sources:
        try:
            fields = loads(read_file(source, MAX_BYTES), decimals=True).members()
            if fields.keys() & {"collectors", "path_rules"}:
                rules |= _project(found, root, fields)
            elif "gates" in fields:
                _policy(found, fields)
            else:
                raise ConfigError(f"{source} is neither a configuration of llmsa (collectors) nor a policy (gates)")
        except YamlError as error:
            raise ConfigError(f"{source}:{error.line}:{error.column}: {error}") from None
    if not found.gates:
        found.gates += [
            Gate(f"G{number:03}", paths, (word,), f"A change here needs the attestation {word}.")
            for number, (word, paths) in enumerate(rules.items(), 1)
        ]
    if not found.gates:
        raise ConfigError(
            "there are neither path_rules nor gates in it, so nothing would be judged",
            hint="give the policy too: --from llmsa.yaml --from POLICY.yaml",
        )
    _find_artifacts(found, root, rules)
    return found


def _project(found: Converted, root: Path, fields: Mapping[str, Node]) -> dict[str, tuple[str, ...]]:
    """Adds the collectors of `llmsa.yaml`; returns its globs by type."""
    _say_unknown(found, "llmsa.yaml", fields, {"collectors", "path_rules"})
    for key, node in _members(fields.get("collectors")).items():
        word = _type_of(found, key)
        if word is not None:
            found.configs[word] = _config(found, root, word, node)
    rules = {}
    for key, node in _members(fields.get("path_rules")).items():
        word = _type_of(found, key)
        paths = tuple(_globs(found, f"path_rules of {key}", node))
        if word is not None and paths:
            rules[word] = paths
    return rules


def _members(node: Node | None) -> Mapping[str, Node]:
    return {} if node is None or node.value is None else node.members()


def _type_of(found: Converted, text: str) -> str | None:
    word = text.removesuffix("_attestation")
    if word in KINDS:
        return word
    found.notes.append(f"{text!r} is no type of attestation that llmsa makes; it is left out")
    return None


def _say_unknown(found: Converted, where: str, fields: Mapping[str, Node], known: frozenset[str] | set[str]) -> None:
    for key in sorted(fields.keys() - known):
        found.notes.append(f"{where}: {key!r} has no counterpart and is left out")


def _config(found: Converted, root: Path, word: str, node: Node) -> str:
    """The configuration of one collector, with paths relative to its new place."""
    path = node.text()
    if not is_plain_relative(path):
        raise node.error(f"{path[:120]!r} is no path below the root")
    try:
        fields = loads(read_file(root / path, MAX_BYTES), decimals=True).members()
    except YamlError as error:
        raise ConfigError(f"{path}:{error.line}:{error.column}: {error}") from None
    collector, target = collectors()[word], f"{FOLDER}/{word}.yaml"
    known = {*collector.keys, *COMMON_KEYS}
    _say_unknown(found, path, fields, known)
    lines = [
        f"# From {path} of llmsa. Paths are relative to this file. gate attest create --type {word} --config {target}"
    ]
    for key, value in fields.items():
        if key not in known:
            continue
        text = _rewritten(found, root, path, value) if key in _PATHS else _yaml(_kept(found, path, key, value, fields))
        lines.append(f"{key}: {text}")
    for key in collector.required:
        if key not in fields:
            found.notes.append(f"{target}: {key} is needed and not in {path}; add it")
            lines.append(f"# {key}:  # needed")
    if word == "eval":
        found.notes.append(f"{target}: metrics are read from the result files; those typed here must be the same")
    if word == "corpus":
        found.notes.append(f"{target}: the document manifest has to list its documents, and each is attested")
    return "\n".join(lines) + "\n"


def _kept(found: Converted, path: str, key: str, node: Node, fields: Mapping[str, Node]) -> Node:
    """A value as it was, apart from what llmsa did not look at and the gate does."""
    if key == "thresholds":
        bounds = node.members()
        known = {name: value for name, value in bounds.items() if name.endswith(("_min", "_max"))}
        for name in sorted(bounds.keys() - known):
            found.notes.append(f"{path}: the threshold {name!r} ends neither in _min nor in _max; llmsa ignored it")
        return Node(known, node.line, node.column, node.keys)
    if key == "index_builder_image_digest" and parse_digest(node.text()) is None:
        found.notes.append(f"{path}: {key} {node.text()[:80]!r} is no digest; put the sha256:<hex> of the image there")
    recipient = fields.get("age_recipient")
    if key == "encryption_recipient_fingerprint" and recipient is not None:
        text = fingerprint(recipient.text())
        if node.text().removeprefix("sha256:") != text.removeprefix("sha256:"):
            found.notes.append(f"{path}: {key} was not that of the recipient, and is now")
        return Node(text, node.line, node.column, {})
    return node


def _rewritten(found: Converted, root: Path, config: str, node: Node) -> str:
    """Paths of files: llmsa looked from the current folder first, then from the configuration's."""
    if isinstance(node.value, tuple):
        return f"[{', '.join(_rewritten(found, root, config, item) for item in node.value)}]"
    text = node.text()
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(config), text))
    path = posixpath.normpath(text) if (root / text).exists() and not text.startswith("../") else beside
    if not is_plain_relative(path):
        found.notes.append(f"{config}: {text!r} does not lie below the root, and cannot be attested")
    elif not (root / path).exists():
        found.notes.append(f"{config}: {path} is not there")
    return _yaml(Node(posixpath.relpath(path, FOLDER), node.line, node.column, {}))


def _policy(found: Converted, fields: Mapping[str, Node]) -> None:
    _say_unknown(found, "the policy", fields, _POLICY_KEYS)
    issuer, pattern = fields.get("oidc_issuer"), fields.get("identity_regex")
    if issuer is not None or pattern is not None:
        said = " and ".join(_yaml(node) for node in (issuer, pattern) if node is not None)
        found.notes.append(
            f"{said}: a pattern trusts whoever matches it, so signers are named one by one:"
            " trust.signers.NAME.identity with the exact issuer and subject"
        )
    for node in fields["plaintext_allowlist"].items() if "plaintext_allowlist" in fields else ():
        found.notes.append(
            f"plaintext_allowlist {node.text()}: ids of statements were random; name paths in"
            " parameters: {privacy.plaintext: {allow: [PATH]}}"
        )
    for number, node in enumerate(fields["gates"].items(), 1):
        _gate(found, number, node.members())


def _gate(found: Converted, number: int, fields: Mapping[str, Node]) -> None:
    name = fields["id"].text() if "id" in fields else f"G{number:03}"
    plain = name if NAME.fullmatch(name) else f"G{number:03}"
    if plain != name or any(gate.id == plain for gate in found.gates):
        found.notes.append(f"gate {name!r}: its id is taken or no plain name; it is left out, give it another")
        return
    _say_unknown(found, f"gate {name}", fields, set(_GATE_KEYS))
    words = (
        [_type_of(found, node.text()) for node in fields["required_attestations"].items()]
        if ("required_attestations" in fields)
        else []
    )
    required = tuple(dict.fromkeys(word for word in words if word is not None))
    paths = tuple(_globs(found, f"gate {name}", fields["trigger_paths"])) if "trigger_paths" in fields else ()
    if not required or not paths:
        found.notes.append(
            f"gate {name} requires nothing, or of no path; it is left out"
            " (that statements hold no plaintext is the control privacy.plaintext)"
        )
        return
    message = fields["message"].text() if "message" in fields else f"A change here needs {' and '.join(required)}."
    found.gates.append(Gate(name, paths, required, message))


def _globs(found: Converted, where: str, node: Node) -> Iterator[str]:
    for text in node.texts():
        try:
            compile_glob(text)
        except ValueError as error:
            found.notes.append(f"{where}: {text!r} is left out: {error}")
            continue
        if text == "**":
            found.notes.append(f"{where}: '**' now means files at any depth; llmsa looked at the top folder only")
        if text.startswith("refs/"):
            found.notes.append(f"{where}: {text!r} looks like a branch or tag; paths are compared, so it never matches")
        yield text


def _find_artifacts(found: Converted, root: Path, rules: Mapping[str, tuple[str, ...]]) -> None:
    """An artifact for each path rule below which there are files; raises `ConfigError` when there is none at all.

    A rule within the artifact of another one of its type belongs to that. Folders of two types inside one another are
    for a person to tell apart.
    """
    for word, globs in rules.items():
        places = dict.fromkeys(_place(glob) for glob in globs)
        for place in places:
            if place and any(place.startswith(f"{other}/") for other in places if other):
                continue
            others = [path for _, path in found.artifacts.values()]
            if not place or not _has_files(root / place):
                reason = "there are no files" if place else "there is no folder that it names"
            elif any(f"{place}/".startswith(f"{path}/") or f"{path}/".startswith(f"{place}/") for path in others):
                reason = "it overlaps with the artifact of another type"
            else:
                number = 1 + sum(kind == word for kind, _ in found.artifacts.values())
                found.artifacts[word if number == 1 else f"{word}-{number}"] = (word, place)
                continue
            found.notes.append(f"{word}: no artifact for path rule {place or '**'}: {reason}; name one in gate.yaml")
    if not found.artifacts:
        raise ConfigError(
            "no folder of path_rules holds a file, so nothing would be at stake",
            hint="add path_rules to llmsa.yaml that name folders, such as prompt_attestation: ['app/**']; or write a"
            " gate.yaml (docs/reference/configuration.md)",
        )


def _place(glob: str) -> str:
    """The path in front of a pattern's first wildcard, or the pattern itself without any; empty for `**`."""
    return "/".join(itertools.takewhile(lambda part: not {"*", "?"} & set(part), glob.split("/")))


def _has_files(path: Path) -> bool:
    return path.is_file() or any(entry.is_file() for entry in path.rglob("*"))


def render(found: Converted, valid_until: str, public_key: str) -> str:
    """The `gate.yaml`."""
    claims = sorted(found.configs.keys() | {word for gate in found.gates for word in gate.required})
    lines = [
        "# Converted from llmsa. Reference: docs/reference/configuration.md",
        "version: 1",
        "target: deployment                # training | fine-tuning | deployment",
        "environment: production",
        "profile: llm-application",
    ]
    lines += ["", "artifacts:                        # what asks for admission"]
    lines += [
        f"  {name}: {{kind: {KINDS[word]}, path: {_text(path)}}}" for name, (word, path) in found.artifacts.items()
    ]
    lines += ["", "evidence:", "  - directory: .gate/attestations"]
    if found.has_bundles:
        lines += [
            "  # Bundles of llmsa prove less: their payload type is unauthenticated. Name their key as a signer too.",
            f"  # - {{directory: {LEGACY_EVIDENCE}, format: llmsa}}",
        ]
    lines += [
        "",
        "trust:                            # no key of llmsa is trusted; name those that are",
        "  signers:",
        "    development:                  # made by `gate init`; replace it by the key of your release job",
        f"      key: {public_key}",
        f"      claims: [{', '.join(claims)}]",
        f"      valid_until: {valid_until}",
        "",
        "gates:                            # what a change to these paths has to bring",
    ]
    for gate in found.gates:
        lines += [
            f"  - id: {_text(gate.id)}",
            f"    trigger_paths: [{', '.join(_text(path) for path in gate.trigger_paths)}]",
            f"    required_attestations: [{', '.join(gate.required)}]",
            f"    message: {_text(gate.message)}",
        ]
    return "\n".join(lines) + "\n"


def _yaml(node: Node) -> str:
    """A value in one line."""
    if isinstance(node.value, Mapping):
        return "{" + ", ".join(f"{_text(key)}: {_yaml(value)}" for key, value in node.value.items()) + "}"
    if isinstance(node.value, tuple):
        return f"[{', '.join(_yaml(item) for item in node.value)}]"
    if isinstance(node.value, str):
        return _text(node.value)
    return str(node.value) if isinstance(node.value, Decimal) else json.dumps(node.value)


def _text(text: str) -> str:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
