"""`gate attest create --type`: from a configuration and the files it names to a statement.

The same files, configuration and predecessors give the same bytes, wherever and whenever: no clock, no random id, no
name of a machine. What has to be random, the ciphertext of an encrypted payload, is named by the determinism check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gate.app.collect_files import RootFiles, subjects_of
from gate.app.others import with_others
from gate.app.produce import LIMITS, MAX_STATEMENT, Made, Place, Progress, check_target, path_below, real_path, root_of
from gate.app.recollect import recollect
from gate.app.signed_statements import evidence_folders, signed_statements
from gate.attest.collector import Collected, Collector, Found, check_keys, check_roles
from gate.attest.files import read_file, replace_file
from gate.attest.predicates import collectors, plugin_collector
from gate.attest.privacy import VARIES, check_fingerprint, embed
from gate.attest.statement import check_statement, is_statement, payload_of, statement_bytes
from gate.errors import AttestError, ConfigError
from gate.formats.predicates.common import member
from gate.formats.predicates.generic import predicate_type
from gate.formats.predicates.privacy import ENCRYPTED, HASH_ONLY, MODES
from gate.formats.rfc3339 import format_time
from gate.formats.strict_yaml import Node, YamlError, loads
from gate.model.claim import EDGES, is_plugin_claim
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject

STATEMENTS: Final = Path(".gate", "statements")


@dataclass(frozen=True, slots=True)
class TypedRequest:
    """The statement to make: `word` is a type of `collectors()`, `out` a folder, `created_s` its time if it has one.

    `depends_on` are statements or bundles that it builds on; the others are looked for in `out`, and where there is
    none of a type, among the signed bundles of the root. `checks` is how
    often it is collected in all, each time but the first by a process of its own. `content` is the configuration where
    it lies in no file: then `config` names the statement, and paths in it are relative to the root.
    """

    place: Place
    word: str
    config: Path
    out: Path | None = None
    depends_on: Sequence[Path] = ()
    created_s: int | None = None
    checks: int = 1
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Drafted:
    """A statement that was collected. What of it is random is in its encrypted payloads alone."""

    claim: str
    payload: bytes
    collected: Collected
    is_encrypted: bool


def create_typed(request: TypedRequest, progress: Progress = nullcontext) -> Made:
    """Makes and writes a statement; raises `ConfigError`, `AttestError` or `EvidenceError` and writes nothing."""
    folder = _folder(request)
    drafted = draft_typed(request, progress)
    out = folder / statement_name(request.word, request.config)
    replaced = check_target(out, [], lambda data: data)
    if request.checks > 1:
        with progress(f"collecting {request.checks - 1} times more"):
            recollect(replace(request, out=folder), drafted.payload, request.checks - 1)
    replace_file(out, drafted.payload)
    files = subjects_of(drafted.collected.roles)
    digest = sha256_digest(drafted.payload)
    return Made(
        drafted.claim, str(request.config), len(files), 0, digest, out, replaced, advice=_advice(request, drafted)
    )


def draft_typed(request: TypedRequest, progress: Progress = nullcontext) -> Drafted:
    """The statement that `create_typed` would write."""
    collector = find_collector(request.word)
    root = root_of(request.place)
    config = config_path(request, root) if request.content is None else request.config.name
    with progress(f"collecting {request.config}"):
        collected, fields, files = collect(collector, root, config, request.content)
    with _placed(config):
        return _draft(request, collector, collected, fields, files, config)


def _draft(
    request: TypedRequest,
    collector: Collector,
    collected: Collected,
    fields: Mapping[str, Node],
    files: RootFiles,
    config: str,
) -> Drafted:
    dependencies = sorted({*_dependencies(collector, request, fields, config), *collected.depends_on})
    subjects = subjects_of(collected.roles)
    predicate: JsonObject = {
        **({} if request.created_s is None else {"created_at": format_time(request.created_s)}),
        "depends_on": list(dependencies),
        "roles": {role: sorted({item.path for item in items}) for role, items in collected.roles.items()},
        "folders": dict(collected.folders),
        "privacy": _privacy(fields, collected, files),
        **collected.members,
    }
    named = {path: item.digest for path, item in subjects.items()}
    payload = statement_bytes(named, collector.predicate_type or predicate_type(collector.claim), predicate)
    if len(payload) > MAX_STATEMENT:
        raise AttestError(f"{config}: the statement has {len(payload)} bytes, {MAX_STATEMENT} are the most")
    is_encrypted = member(predicate, "privacy", "mode") == ENCRYPTED
    return Drafted(collector.claim, payload, collected, is_encrypted)


def find_collector(word: str) -> Collector:
    """The collector of a type; raises `ConfigError` for another word."""
    known = collectors()
    if is_plugin_claim(word) and (found := plugin_collector(word)) is not None:
        return found
    if word not in known:
        raise ConfigError(f"there is no type {word!r}", hint=f"one of: {', '.join(sorted(known))}")
    return known[word]


def collect(
    collector: Collector, root: Path, config: str, content: bytes | None = None
) -> tuple[Collected, Mapping[str, Node], RootFiles]:
    """What a collector finds, and the fields of its configuration; errors name file, line and column."""
    files = RootFiles(root, config)
    with _placed(config):
        data = read_file(root / config, LIMITS.evidence_bytes) if content is None else content
        fields = check_keys(collector, loads(data, decimals=True))
        collected = collector.collect(fields, files)
        check_roles(collector, collected)
        return with_others(collector, collected, root), fields, files


@contextmanager
def _placed(config: str) -> Iterator[None]:
    """What goes wrong in it names the configuration, and the line and column where they are known."""
    try:
        yield
    except YamlError as error:
        raise ConfigError(f"{config}:{error.line}:{error.column}: {error}") from None
    except AttestError as error:
        text = str(error)
        raise AttestError(text if text.startswith(config) else f"{config}: {text}", hint=error.hint) from None


def config_path(request: TypedRequest, root: Path) -> str:
    """The path of the configuration below the root; raises `ConfigError`."""
    path = path_below(real_path(request.place.start / request.config), root)
    if path is None:
        raise ConfigError(f"{request.config} does not lie below {root}", hint="or give --root")
    return path


def statement_name(word: str, config: Path) -> str:
    """The file name of a statement: that of its configuration and its type, so that making it again replaces it."""
    return f"{word}.json" if config.stem == word else f"{config.stem.removesuffix(f'.{word}')}.{word}.json"


def _folder(request: TypedRequest) -> Path:
    return root_of(request.place) / STATEMENTS if request.out is None else request.place.start / request.out


def _advice(request: TypedRequest, drafted: Drafted) -> str | None:
    if request.checks < 2:
        return None
    kept = f", apart from {', '.join(VARIES)}, which are random" if drafted.is_encrypted else ""
    return f"collected {request.checks} times in processes of their own: the same bytes{kept}"


def _privacy(fields: Mapping[str, Node], collected: Collected, files: RootFiles) -> JsonObject:
    """The member `privacy`: the contents that the configuration names, else that of the collector's main file."""
    mode = fields["privacy_mode"].choice(*MODES) if "privacy_mode" in fields else HASH_ONLY
    recipients = [fields["age_recipient"].text()] if "age_recipient" in fields else []
    recipients += fields["age_recipients"].texts() if "age_recipients" in fields else ()
    if "encryption_recipient_fingerprint" in fields:
        check_fingerprint(recipients, fields["encryption_recipient_fingerprint"].text())
    nodes = [fields["encrypted_payload_path"]] if "encrypted_payload_path" in fields else []
    nodes += fields["payload_paths"].items() if "payload_paths" in fields else ()
    subjects = subjects_of(collected.roles)
    found: dict[str, Found] = {}
    for node in nodes:
        item = files.file(node)
        if item.path not in subjects:
            raise node.error(f"{item.path} is not among the files that are attested")
        found[item.path] = item
    if mode != HASH_ONLY and not found and collected.main is not None:
        found[collected.main.path] = collected.main
    return embed(mode, {path: files.reread(item) for path, item in found.items()}, recipients)


def _dependencies(
    collector: Collector, request: TypedRequest, fields: Mapping[str, Node], config: str
) -> Sequence[Digest]:
    """The payload digests of what the statement builds on, sorted; raises `AttestError` unless all are found."""
    legal = EDGES.get(collector.claim, frozenset())
    wanted = set(fields["depends_on"].texts()) if "depends_on" in fields else set(collector.predecessors)
    if wanted - legal:
        known = ", ".join(sorted(legal)) or "no other statement"
        raise fields["depends_on"].error(f"{collector.claim} builds on {known}, not on {min(wanted - legal)}")
    given = [(path, *_read(request.place.start / path, is_bundle_allowed=True)) for path in request.depends_on]
    for path, claim, _ in given:
        if claim not in legal:
            raise AttestError(f"--depends-on {path}: {collector.claim} does not build on {claim}")
    found = {digest for _, _, digest in given}
    missing = sorted(wanted - {claim for _, claim, _ in given})
    beside = _beside(_folder(request), statement_name(request.word, request.config)) if missing else {}
    signed = signed_statements(root_of(request.place)) if any(claim not in beside for claim in missing) else {}
    for claim in missing:
        candidates = beside.get(claim) or {path: digest for digest, path in signed.get(claim, {}).items()}
        if len(candidates) != 1:
            raise AttestError(_not_one(config, collector.claim, claim, list(candidates), request), hint=_HINT)
        found.update(candidates.values())
    return sorted(found)


_HINT: Final = "name it with --depends-on FILE, or say depends_on: [TYPE, ...] in the configuration"


def _not_one(config: str, claim: str, wanted: str, names: Sequence[str], request: TypedRequest) -> str:
    folders = ", ".join(evidence_folders(root_of(request.place)))
    if not names:
        return (
            f"{config}: {claim} builds on {wanted}, and there is no {wanted} statement in {_folder(request)}, and none"
            f" signed in {folders}"
        )
    place = folders if "/" in names[0] else _folder(request)
    return f"{config}: {claim} builds on {wanted}, and {place} holds {len(names)}: {', '.join(sorted(names))}"


def _beside(folder: Path, own: str) -> Mapping[str, Mapping[str, Digest]]:
    """The statements in a folder by claim and file name, but for the one that is to be written."""
    found: dict[str, dict[str, Digest]] = {}
    for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
        if path.name != own and is_statement(read_file(path, MAX_STATEMENT), MAX_STATEMENT):
            claim, digest = _read(path)
            found.setdefault(claim, {})[path.name] = digest
    return found


def _read(path: Path, *, is_bundle_allowed: bool = False) -> tuple[str, Digest]:
    data = read_file(path, MAX_STATEMENT)
    try:
        payload = payload_of(data) if is_bundle_allowed else data
        return check_statement(payload).claim, sha256_digest(payload)
    except AttestError as error:
        raise AttestError(f"{path}: {error}", hint=error.hint) from None
