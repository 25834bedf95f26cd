"""T01 to T20: a file, a signature, a statement or the chain is changed after everything was signed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from gate.app.demo.world import BUNDLES, Case, Json, World, dict_of, list_of

_FILES: Final = (
    "app/system_prompt.txt",
    "app/templates/answer.prompt.txt",
    "app/tools/lookup_order.schema.json",
    "app/safety-policy.yaml",
    "data/document-manifest.json",
    "data/chunking.yaml",
    "data/embedding-input.jsonl",
    "eval/testset.json",
    "route/route.yaml",
    "slo/query.promql",
)


def edited(world: World, path: str) -> tuple[int, str]:
    """A file is edited after everything was signed."""
    world.append(path)
    return world.verify()


def _envelope(world: World, change: Callable[[Json], object]) -> tuple[int, str]:
    world.edit_bundle("prompt", change)
    return world.verify()


def signature_of(envelope: Json) -> Json:
    """The first signature of an envelope."""
    return dict_of(list_of(envelope["signatures"])[0])


def _replace_signature(envelope: Json) -> None:
    signature = signature_of(envelope)
    signature["sig"] = f"AAAA{str(signature['sig'])[4:]}"


def _restated(world: World, change: Callable[[Json], object]) -> tuple[int, str]:
    world.restate("prompt", change)
    return world.verify()


def predicate_of(statement: Json) -> Json:
    """The predicate of a statement."""
    return dict_of(statement["predicate"])


def bad_members(statement: Json) -> None:
    """A member that nobody knows, and an encrypted payload without a ciphertext."""
    predicate_of(statement).update(size_bytes=-5, privacy={"mode": "encrypted_payload"})


def _bad_subject(statement: Json) -> None:
    dict_of(list_of(statement["subject"])[0])["digest"] = {"sha256": "abc"}


def _kept(world: World, *kinds: str) -> tuple[int, str]:
    world.keep(*kinds)
    return world.verify()


def _unknown_dependency(world: World) -> tuple[int, str]:
    (world.root / BUNDLES / "slo.sigstore.json").unlink()
    world.restate("route", lambda statement: predicate_of(statement).update(depends_on=["sha256:" + "0" * 64]))
    return world.verify()


TAMPER: Final = (
    *(
        Case(f"T{number:02}", f"{path} is edited", (12,), partial(edited, path=path))
        for number, path in enumerate(_FILES, 1)
    ),
    Case("T11", "bytes of a signature are replaced", (11,), partial(_envelope, change=_replace_signature)),
    Case(
        "T12",
        "the bundle brings a key of its own",
        (11, 14),
        partial(_envelope, change=lambda envelope: signature_of(envelope).update(public_key_pem="tampered-key")),
    ),
    Case(
        "T13",
        "the payload is another one than was signed",
        (11,),
        partial(_envelope, change=lambda envelope: envelope.update(payload="e30=")),
    ),
    Case(
        "T14",
        "all signatures are taken away",
        (11, 14),
        partial(_envelope, change=lambda envelope: envelope.update(signatures=[])),
    ),
    Case(
        "T15",
        "a member of the predicate is left out, and signed so",
        (14,),
        partial(_restated, change=lambda statement: predicate_of(statement).pop("roles")),
    ),
    Case(
        "T16",
        "created_at is no time, and signed so",
        (14,),
        partial(_restated, change=lambda statement: predicate_of(statement).update(created_at="invalid-time")),
    ),
    Case("T17", "a subject's digest is no digest, and signed so", (12, 14), partial(_restated, change=_bad_subject)),
    Case("T18", "only route and slo are there", (14,), lambda world: _kept(world, "route", "slo")),
    Case("T19", "only the evaluation is there", (14,), lambda world: _kept(world, "eval")),
    Case("T20", "a route builds on a statement that nobody has", (14,), _unknown_dependency),
)
