"""`gate policy new`: a control that works, with its tests, scenarios and page, as a start for one's own."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from gate import resources
from gate.attest.files import create_file
from gate.errors import AttestError, ConfigError
from gate.evaluate.bundle import packaged_bundle
from gate.formats.canonical_json import pretty
from gate.formats.strict_yaml import suggestion
from gate.model.artifact import ArtifactKind
from gate.model.claim import CLAIMS
from gate.model.json import JsonObject
from gate.model.path import is_plain_relative

PROFILE: Final = "team"
"""The profile that the first own control brings with it."""
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_RESERVED: Final = frozenset(
    {
        "as", "contains", "data", "default", "else", "every", "false", "if", "import", "in", "input", "not", "null",
        "package", "some", "true", "with",
    }
)  # fmt: skip
_PLAIN: Final = re.compile(r"[A-Za-z]+( [A-Za-z0-9._-]+)+")
_TITLE: Final = 80
_NOW: Final = "2026-01-01T00:00:00Z"
_NOW_S: Final = 1_767_225_600
_STATEMENT: Final = "sha256:" + "1" * 64
_CONTENT: Final = "sha256:" + "2" * 64
_ENVELOPE: Final = "sha256:" + "3" * 64
_EMPTY_SECTIONS: Final = (
    "parameters", "gates", "rejected", "scans", "findings", "signals", "skipped", "waivers", "workloads",
)  # fmt: skip
# Claims that are a judgement say it in another word.
_DECISIONS: Final = frozenset({"approval", "review"})


@dataclass(frozen=True, slots=True)
class NewControl:
    """What somebody wants to begin. `title` is made up when it is not given."""

    id: str
    directory: str = "policy"
    title: str | None = None
    claim: str = "eval"
    kind: str = ArtifactKind.WEIGHTS.value


@dataclass(frozen=True, slots=True)
class Begun:
    """What was written, relative to the folder; `profile` is the new profile, if there was none."""

    written: tuple[str, ...]
    profile: str | None


def new_control(start: Path, wanted: NewControl) -> Begun:
    """Writes all files of a new control below `start`, or none. Nothing that exists is changed.

    Raises `ConfigError` for a name that cannot be, is taken, or is the library's, and `AttestError` when a file
    cannot be written.
    """
    files = control_files(wanted)
    profiles = start / wanted.directory / "gate" / "profiles"
    has_profile = profiles.is_dir() and any(profiles.iterdir())
    if not has_profile:
        files |= {f"gate/profiles/{PROFILE}/data.json": _profile(wanted.id)}
    paths = [f"{wanted.directory}/{path}" for path in files]
    for path in paths:
        _check_free(start, path)
    _write_all(start, dict(zip(paths, files.values(), strict=True)))
    return Begun(tuple(paths), None if has_profile else PROFILE)


def control_files(wanted: NewControl) -> dict[str, bytes]:
    """The files of a new control by path below its policy directory; raises `ConfigError` for a bad request."""
    namespace, family, name = _names(wanted.id)
    _check(wanted)
    folder = f"{namespace}/{family}/{name}"
    fact, good, bad = (
        ("decision", "approved", "rejected") if wanted.claim in _DECISIONS else ("result", "passed", "failed")
    )
    title = wanted.title or re.sub("[._]", " ", wanted.id).capitalize()
    words = {
        "id": wanted.id,
        "package": folder.replace("/", "."),
        "title": title,
        "claim": wanted.claim,
        "kind": wanted.kind,
        "fact": fact,
        "good": good,
        "bad": bad,
        "other_claim": "sbom" if wanted.claim != "sbom" else "prompt",
        "other_kind": "dataset" if wanted.kind != "dataset" else "weights",
    }
    quoted = words | {"title": title if _PLAIN.fullmatch(title) else json.dumps(title, ensure_ascii=False)}
    facts: JsonObject = {fact: good}
    return {
        f"{folder}/{name}.rego": _fill("control.rego", quoted),
        f"{folder}/{name}_test.rego": _fill("control_test.rego", words),
        **_scenario(wanted, "passes", _document(wanted, facts), "pass", []),
        **_scenario(wanted, "refuses", _document(wanted, None), "fail", [f"{wanted.id}.missing"]),
        f"docs/{family}/{name}.md": _fill("page.md", words),
    }


def _names(control: str) -> tuple[str, str, str]:
    """Namespace, family and name of an id; raises `ConfigError`."""
    parts = control.split(".")
    is_custom = len(parts) == 3 and parts[0] == "custom"
    if not (is_custom or len(parts) == 2) or not all(_WORD.fullmatch(part) for part in parts):
        raise ConfigError(
            f"{control!r} is no name for a control",
            hint="<family>.<name> or custom.<family>.<name>, of small letters, digits and _, such as team.evaluated",
        )
    family, name = parts[-2:]
    if not is_custom and family == "custom":
        raise ConfigError(f"{control!r} is no name for a control", hint="custom.<family>.<name> has three parts")
    if is_custom and family == "lib":
        raise ConfigError("custom.lib is where controls share rules", hint="choose another family")
    for part in (family, name):
        if part in _RESERVED:
            raise ConfigError(f"{part!r} is a word of Rego", hint="choose another name")
    if name.endswith("_test"):
        raise ConfigError("a module that is named *_test holds tests", hint="choose another name")
    return "custom" if is_custom else "gate/controls", family, name


def _check(wanted: NewControl) -> None:
    kinds = [kind.value for kind in ArtifactKind]
    if wanted.claim not in CLAIMS:
        raise ConfigError(f"--claim: there is no claim {wanted.claim!r}{suggestion(wanted.claim, sorted(CLAIMS))}")
    if wanted.kind not in kinds:
        raise ConfigError(f"--kind: there is no kind {wanted.kind!r}{suggestion(wanted.kind, kinds)}")
    title = wanted.title
    if title is not None and (not title.strip() or len(title) > _TITLE or not title.isprintable()):
        raise ConfigError(f"--title: expected one line of at most {_TITLE} characters")
    if not is_plain_relative(wanted.directory):
        raise ConfigError(f"--directory: {wanted.directory!r} is not a plain path below this folder")
    if wanted.id in packaged_bundle().catalogue:
        raise ConfigError(
            f"the library has a control {wanted.id}",
            hint="choose another name; to replace it, put your own in its place and list it under policy.replaces",
        )


def _check_free(start: Path, path: str) -> None:
    """Nothing lies at a path, and no part of the way is a link or a file."""
    target = start / path
    if target.exists() or target.is_symlink():
        raise ConfigError(f"{path} exists already and is not overwritten", hint="choose another name, or remove it")
    for parent in target.relative_to(start).parents[:-1]:
        way = start / parent
        if way.is_symlink() or (way.exists() and not way.is_dir()):
            raise ConfigError(f"{parent.as_posix()} is a link or a file, where a folder has to be")


def _write_all(start: Path, files: Mapping[str, bytes]) -> None:
    made: list[Path] = []
    folders = {start / parent for path in files for parent in Path(path).parents}
    new = sorted((folder for folder in folders if not folder.exists()), reverse=True)
    try:
        for path, data in files.items():
            create_file(start / path, data, 0o644)
            made.append(start / path)
    except AttestError:
        for file in made:
            file.unlink()
        for folder in new:
            if folder.exists():
                folder.rmdir()
        raise


def _fill(name: str, words: Mapping[str, str]) -> bytes:
    text = resources.workshop_file(f"{name}.template").decode("utf-8")
    return Template(text).substitute(words).encode("utf-8")


def _profile(control: str) -> bytes:
    document: JsonObject = {
        "name": PROFILE,
        "description": "The baseline, and what this team asks for.",
        "extends": "baseline",
        "controls": {control: {"mode": "enforce"}},
    }
    return f"{json.dumps(document, indent=2)}\n".encode()


def _scenario(
    wanted: NewControl, name: str, document: JsonObject, status: str, codes: list[str]
) -> Mapping[str, bytes]:
    folder = f"scenarios/{wanted.id}/{name}"
    return {
        f"{folder}/input.json": f"{pretty(document)}\n".encode(),
        f"{folder}/expected.json": f"{pretty({'status': status, 'codes': list(codes)})}\n".encode(),
    }


def _document(wanted: NewControl, facts: JsonObject | None) -> JsonObject:
    """A whole input document: one artifact, and a statement that covers it if there are facts."""
    covered: JsonObject = {
        "attestations": {_STATEMENT: _statement(wanted.claim, facts or {})} if facts else {},
        "claims": {wanted.claim: {"all": [_STATEMENT], "by_artifact": {"sample": [_STATEMENT]}}} if facts else {},
    }
    sections: JsonObject = {name: {} for name in _EMPTY_SECTIONS}
    return {
        "schema": "urn:gate:input:v1",
        "context": {"target": "deployment", "environment": "test", "now": _NOW, "now_s": _NOW_S},
        "profile": {"name": PROFILE, "controls": {wanted.id: {"mode": "enforce"}}},
        "artifacts": {"sample": _artifact(wanted.kind)},
        "change": {
            "status": "everything",
            **dict.fromkeys(("repository", "base", "merge_base", "head", "tree")),
            "dirty": False,
            "files": {},
        },
        **sections,
        **covered,
    }


def _artifact(kind: str) -> JsonObject:
    return {
        "kind": kind,
        "digest": _CONTENT,
        "bytes": 1,
        "path": "sample",
        "reference": None,
        "mutable_reference": False,
        "base": None,
        "files": {"data.bin": {"digest": _CONTENT, "bytes": 1, "format": "unknown", "templates": {}}},
    }


def _statement(claim: str, facts: JsonObject) -> JsonObject:
    key: JsonObject = {"name": "release", "kind": "key", "spki": _ENVELOPE}
    signer: JsonObject = {**key, "issuer": None, "subject": None, "build": None}
    return {
        "claim": claim,
        "predicate_type": "https://example.com/predicate/v1",
        "evidence": _ENVELOPE,
        "origin": ".gate/attestations/statement.json",
        "subjects": {_CONTENT: {"name": "data.bin"}},
        "artifacts": ["sample"],
        "signers": [signer],
        "signed_at": {"at_s": 0, "source": "none"},
        "stated_at_s": None,
        "log": {"included": False},
        "depends_on": [],
        "ancestors": [],
        "facts": facts,
        "predicate": {},
    }
