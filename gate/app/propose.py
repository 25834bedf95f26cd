"""`gate init`: looks at a folder and proposes a configuration for what it finds. Reads names only, no content."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from gate.app.ladder import APPLICATION, BASELINE, Level
from gate.errors import ConfigError
from gate.model.artifact import ArtifactKind
from gate.model.path import is_plain_relative

MAX_FOLDERS: Final = 20_000
_WEIGHTS: Final = frozenset(
    {".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".pkl", ".joblib", ".onnx", ".gguf", ".h5", ".keras", ".npz"}
)
_DATA: Final = frozenset({".jsonl", ".parquet", ".csv", ".arrow"})
_DATA_FOLDERS: Final = frozenset({"data", "dataset", "datasets"})
_LOCKS: Final = re.compile(
    r"(requirements.*\.(lock|txt)|uv\.lock|poetry\.lock|Pipfile\.lock|package-lock\.json|Cargo\.lock)"
)
# What an application built on a language model consists of. The last three words are common ones, so they count at the
# top only, and only beside prompts or documents.
_PROMPT_FOLDERS: Final = frozenset({"prompts", "prompt"})
_PROMPT_FILES: Final = re.compile(r"system[-_. ]?prompt\..+|.+\.prompt(\..+)?", re.IGNORECASE)
_CORPUS_FOLDERS: Final = frozenset({"corpus", "corpora", "knowledge", "knowledge-base", "knowledge_base"})
_CORPUS_FILES: Final = re.compile(r"(document[-_]manifest|vector[-_]index|chunking)\..+", re.IGNORECASE)
_TOP_FOLDERS: Final = {
    **dict.fromkeys(("eval", "evals", "evaluation", "evaluations"), ArtifactKind.EVALUATION),
    **dict.fromkeys(("route", "routes", "routing"), ArtifactKind.ROUTE),
    **dict.fromkeys(("slo", "slos"), ArtifactKind.SLO),
}
_RECORDED: Final = (
    "",
    "record:                           # every decision is written here before it is given (gate log)",
    "  sqlite: .gate/record/decisions.db",
)
_GLOB_CHARACTERS: Final = frozenset("*?[]{}")
_SKIPPED: Final = frozenset({"node_modules", "site-packages", "__pycache__", "target", "dist", "build"})


Entry = tuple[ArtifactKind, str, bool]
"""What something is, its path, and whether it is switched on."""


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that could be an artifact. Only `active` ones are switched on in the proposal."""

    name: str
    kind: ArtifactKind
    path: str
    active: bool
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Proposal:
    """A configuration, how much it asks for, and where its parts came from."""

    text: str
    level: Level
    found: tuple[Found, ...]
    dockerfiles: tuple[str, ...]


def propose(root: Path, valid_until: str, public_key: str, level: Level = BASELINE) -> Proposal:
    """A commented `gate.yaml`; raises `ConfigError` when there is nothing to judge below the root.

    Prompts, documents and what stands beside them are switched on where no model is found: that is an application built
    on a model from elsewhere, for which the baseline becomes the profile `llm-application`, and for which a level that
    asks for no signature is an error: nothing would look at them. Beside models they are proposed as comments.
    """
    entries: list[Entry] = []
    dockerfiles: list[str] = []
    for folder, files in _walk(root):
        entries += _judge_folder(folder, files)
        dockerfiles += [
            _join(folder, name) for name in files if name.startswith("Dockerfile") and _can_be_written(name)
        ]
    entries, is_application = _application(entries)
    if is_application and level is BASELINE:
        level = APPLICATION
    if is_application and not level.signs:
        raise ConfigError(
            "this is an application without a model: without signatures nothing would judge its prompts and documents",
            hint="gate init without --level asks for what an application needs, --level 2 for signatures alone",
        )
    found = tuple(_named(sorted(set(entries), key=lambda entry: (not entry[2], entry[1]))))
    if not any(entry.active for entry in found):
        raise ConfigError(
            "found no model, adapter, dataset or prompt below this folder",
            hint="write a gate.yaml that names them (docs/reference/configuration.md), or run this beside them",
        )
    named = tuple(sorted(dockerfiles))
    lines = [*_judged(found, named, level), *(_trusted(found, valid_until, public_key, level) if level.signs else ())]
    return Proposal("\n".join([*lines, *_RECORDED]) + "\n", level, found, named)


def _walk(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Folders below the root with the names of their files; hidden, linked and vendored ones are left out."""
    for number, (folder, folders, files) in enumerate(os.walk(root)):
        if number >= MAX_FOLDERS:
            raise ConfigError(f"more than {MAX_FOLDERS} folders; run this closer to the models")
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        if (Path(folder) / "pyvenv.cfg").exists():
            folders[:] = []
            continue
        relative = Path(folder).relative_to(root).as_posix()
        path = "" if relative == "." else relative
        if not path or _can_be_written(path):
            yield path, sorted(files)


def _can_be_written(path: str) -> bool:
    """Whether a name may stand in a proposal: text in one line, of characters that can be seen."""
    return is_plain_relative(path) and path.isprintable()


def _judge_folder(folder: str, files: Sequence[str]) -> Iterator[Entry]:
    suffixes = {PurePosixPath(name).suffix for name in files}
    part = _application_part(folder, files)
    if part is not None:
        yield part, folder, False
    if folder and suffixes & _WEIGHTS:
        yield (ArtifactKind.ADAPTER if "adapter_config.json" in files else ArtifactKind.WEIGHTS), folder, True
    elif folder and part is None and suffixes & _DATA and set(PurePosixPath(folder).parts) & _DATA_FOLDERS:
        yield ArtifactKind.DATASET, folder, True
    if not folder:
        for file in files:
            if PurePosixPath(file).suffix in _WEIGHTS and _can_be_written(file):
                yield ArtifactKind.WEIGHTS, file, True
    for file in files:
        if _LOCKS.fullmatch(file) and _can_be_written(file):
            yield ArtifactKind.PACKAGE, _join(folder, file), False


def _application_part(folder: str, files: Sequence[str]) -> ArtifactKind | None:
    """What a folder is to an application, by its name or by those of its files."""
    name = PurePosixPath(folder).name
    if folder and (name in _PROMPT_FOLDERS or any(_PROMPT_FILES.fullmatch(file) for file in files)):
        return ArtifactKind.PROMPT
    if folder and (name in _CORPUS_FOLDERS or any(_CORPUS_FILES.fullmatch(file) for file in files)):
        return ArtifactKind.CORPUS
    return _TOP_FOLDERS.get(folder)


def _application(entries: Sequence[Entry]) -> tuple[list[Entry], bool]:
    """Whether this is an application; and the entries, with its parts switched on if it is, inner ones left out."""
    kinds = {kind for kind, _, _ in entries}
    has_parts = bool(kinds & {ArtifactKind.PROMPT, ArtifactKind.CORPUS})
    is_application = has_parts and not kinds & {ArtifactKind.WEIGHTS, ArtifactKind.ADAPTER}
    parts = {path: kind for kind, path, _ in entries if kind in APPLICATION.of_kind}
    kept: list[Entry] = []
    for kind, path, active in entries:
        if kind not in APPLICATION.of_kind:
            kept.append((kind, path, active))
        elif has_parts and not any(parts.get(parent.as_posix()) is kind for parent in PurePosixPath(path).parents):
            kept.append((kind, path, is_application))
    return kept, is_application


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name


def _named(entries: Sequence[Entry]) -> Iterator[Found]:
    """Gives each a unique plain name. A folder below another artifact belongs to that one."""
    taken: set[str] = set()
    folders = {path for kind, path, active in entries if active}
    for kind, path, active in entries:
        if active and any(parent.as_posix() in folders for parent in PurePosixPath(path).parents):
            continue
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", PurePosixPath(path).name).strip("-._")[:48] or "artifact"
        name, number = base, 1
        while name in taken:
            number += 1
            name = f"{base}-{number}"
        taken.add(name)
        # A name with a glob's characters can't be a trigger path, so a person has to look at it.
        plain = _GLOB_CHARACTERS.isdisjoint(path)
        yield Found(
            name, kind, path, active and plain, is_folder="/" in path or PurePosixPath(path).suffix not in _WEIGHTS
        )


def _judged(found: Sequence[Found], dockerfiles: Sequence[str], level: Level) -> list[str]:
    lines = [
        "# What the gate judges, and whom it trusts. Reference: docs/reference/configuration.md",
        "version: 1",
        "target: deployment                # training | fine-tuning | deployment",
        "environment: production",
        f"{f'profile: {level.profile}':<33} # {level.note}",
        "",
        "artifacts:                        # what asks for admission",
    ]
    for entry in found:
        mark = "" if entry.active else "# "
        lines.append(f"  {mark}{entry.name}: {{kind: {entry.kind.value}, path: {_quoted(entry.path)}}}")
    if dockerfiles:
        lines += [f"  # {name} builds an image; name it by digest once it is pushed:" for name in dockerfiles]
        lines.append('  # server: {kind: container, image: "registry.example/app@sha256:..."}')
    return lines


def _trusted(found: Sequence[Found], valid_until: str, public_key: str, level: Level) -> list[str]:
    claims = ", ".join(f'"{claim}"' if "*" in claim else claim for claim in level.claims)
    lines = [
        "",
        "evidence:                         # signed attestations; other files there are ignored",
        "  - directory: .gate/attestations",
        "",
        "trust:",
        "  signers:",
        "    development:                  # made by `gate init`; replace it by the key of your release job",
        f"      key: {public_key}",
        f"      claims: [{claims}]",
        f"      valid_until: {valid_until}",
        "",
        "gates:                            # what a change to these paths has to bring",
    ]
    for number, entry in enumerate((entry for entry in found if entry.active), 1):
        required = level.required(entry.kind)
        trigger = f"{entry.path}/**" if entry.is_folder else entry.path
        lines += [
            f"  - id: G{number:03}",
            f"    trigger_paths: [{_quoted(trigger)}]",
            f"    required_attestations: [{', '.join(required)}]",
            f"    message: A changed {entry.kind.value} needs {' and '.join(required)}.",
        ]
    return lines


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
