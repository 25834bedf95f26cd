"""A1 to D5: attacks that a tool of the same purpose let through (C, on its webhook, has no place here).

The numbers after a title are the exit codes that are right. Where the attack is refused before anything is decided,
that is a code below 10.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

from gate.app.demo.tamper import bad_members, predicate_of, signature_of
from gate.app.demo.world import BUNDLES, STATEMENTS, Case, Json, World, dict_of, list_of, unsigned_envelope
from gate.app.publish import PublishRequest, publish
from gate.formats.canonical_json import dumps
from gate.formats.rfc3339 import format_time
from gate.model.digest import sha256_digest
from gate.model.registry import RegistryAccess

_YEAR_S: Final = 365 * 86_400
_UNBOUND: Final = (
    "data/documents/returns.txt",
    "app/render.yaml",
    "app/prompt-tests.yaml",
    "eval/environment.txt",
    "route/canary.yaml",
    "route/simulation.json",
)


# -- A: the evidence ---------------------------------------------------------------------------------------------------


def _forged(world: World, **members: str) -> tuple[int, str]:
    """Another prompt, signed by a key that nobody trusts, with whatever it says of itself."""
    world.restate("prompt", lambda statement: predicate_of(statement).update(sensitivity_labels=[]), world.stranger())
    if members:
        world.edit_bundle("prompt", lambda envelope: signature_of(envelope).update(members))
    return world.verify()


def _payload_type(world: World) -> tuple[int, str]:
    world.edit_bundle("prompt", lambda envelope: envelope.update(payloadType="text/plain"))
    return world.verify()


def _junk_signature(world: World) -> tuple[int, str]:
    def add(envelope: Json) -> None:
        list_of(envelope["signatures"]).append({"sig": "AAAA"})

    world.edit_bundle("prompt", add)
    return world.verify()


def _worse(world: World) -> tuple[int, str]:
    world.write("eval/candidate.json", b'{"metrics": {"accuracy": 0.01, "groundedness": 0.94}}\n')
    world.create("eval", "route", "slo")
    world.sign()
    return world.check()


def _alone(world: World) -> tuple[int, str]:
    world.restate("eval", lambda statement: predicate_of(statement).update(depends_on=[]))
    return world.verify()


def _cycle(world: World) -> tuple[int, str]:
    """A statement cannot name its own digest, so the circle is closed by a kind of statement that may not do it."""
    world.restate("prompt", lambda statement: predicate_of(statement).update(depends_on=[_digest(world, "slo")]))
    return world.verify()


def _digest(world: World, kind: str) -> str:
    return sha256_digest(world.read(f"{STATEMENTS}/{kind}.json"))


def _restated(world: World, change: Callable[[Json], object], *, checked: bool = False) -> tuple[int, str]:
    world.restate("prompt", change)
    return world.check() if checked else world.verify()


def _created(statement: Json, seconds: int) -> None:
    predicate_of(statement)["created_at"] = format_time(seconds)


def _outside(statement: Json, name: str) -> None:
    list_of(statement["subject"]).append({"name": name, "digest": {"sha256": "0" * 64}})
    list_of(dict_of(predicate_of(statement)["roles"])["test_suite"]).append(name)


def _twice(world: World) -> tuple[int, str]:
    world.write(f"{BUNDLES}/again.sigstore.json", world.read(f"{BUNDLES}/prompt.sigstore.json"))
    return world.verify()


def _doubled_key(world: World) -> tuple[int, str]:
    payload = world.read(f"{STATEMENTS}/prompt.json")
    world.write_bundle("prompt", payload[:-1] + b',"subject":[]}')
    return world.verify()


def _two_orders(world: World) -> tuple[int, str]:
    """An older prompt lies beside the newer one, before it and after it by name: the answer is the same."""
    world.create("prompt")
    old = world.statement("prompt")
    predicate_of(old)["sensitivity_labels"] = ["old"]
    payload, codes = dumps(old), set()
    for name in ("aaa", "zzz"):
        world.write_bundle(name, payload)
        codes.add(world.verify()[0])
        (world.root / BUNDLES / f"{name}.sigstore.json").unlink()
    return (codes.pop(), "the same in both orders") if len(codes) == 1 else (1, "the order decided")


def _later_prompt(world: World) -> tuple[int, str]:
    world.restate("prompt", partial(_created, seconds=world.now_s - 60))
    prompt = world.statement("prompt")
    _created(prompt, world.now_s - 60)
    later = sha256_digest(dumps(prompt))
    world.keep("prompt", "corpus")

    def rebind(statement: Json) -> None:
        predicate_of(statement)["depends_on"] = sorted([later, _digest(world, "corpus")])
        _created(statement, world.now_s - 3600)

    world.restate("eval", rebind)
    return world.verify()


def _three_causes(world: World) -> tuple[int, str]:
    world.append("app/system_prompt.txt")
    world.restate("slo", lambda statement: predicate_of(statement).update(depends_on=["sha256:" + "0" * 64]))
    world.edit_bundle("corpus", lambda envelope: signature_of(envelope).update(sig="AAAA"))
    return world.verify()


def _all_unbound(world: World) -> tuple[int, str]:
    """Each of the files that were not attested elsewhere is edited alone; all must be noticed."""
    codes = set()
    for path in _UNBOUND:
        before = world.read(path)
        world.append(path)
        codes.add(world.verify()[0])
        world.write(path, before)
    return (12, f"each of {len(_UNBOUND)} files is noticed") if codes == {12} else (1, f"exit codes {sorted(codes)}")


def _added(world: World) -> tuple[int, str]:
    world.write("app/templates/more.prompt.txt", b"x")
    return world.verify()


def _removed(world: World) -> tuple[int, str]:
    (world.root / "app/templates/refuse.prompt.txt").unlink()
    return world.verify()


def _elsewhere(world: World) -> tuple[int, str]:
    return world.verify(root=world.root)


# -- B: the gates ------------------------------------------------------------------------------------------------------


def _without_evidence(world: World) -> tuple[int, str]:
    world.repository()
    world.append("app/system_prompt.txt")
    world.commit()
    world.keep()
    return world.check("main")


def _based_on(world: World, base: str, *, repository: bool = True) -> tuple[int, str]:
    if repository:
        world.repository()
    return world.check(base)


def _stubs(world: World) -> tuple[int, str]:
    world.keep()
    for kind in ("prompt", "eval"):
        world.write(f"{BUNDLES}/{kind}.json", dumps(unsigned_envelope(world.read(f"{STATEMENTS}/{kind}.json"))))
    return world.check()


def _strict(world: World) -> tuple[int, str]:
    gates = b"gates:\n  - {id: G009, trigger_paths: ['**'], required_attestations: [approval]}\n"
    world.write("gate.yaml", world.read("gate.yaml").replace(b"gates:\n", gates))
    world.repository()
    world.write("lib/deep/down.txt", b"x")
    world.commit()
    return world.check("main")


def _misspelt(world: World) -> tuple[int, str]:
    world.write("gate.yaml", world.read("gate.yaml").replace(b"required_attestations", b"required_attestation"))
    return world.check()


def _moved_away(world: World) -> tuple[int, str]:
    world.repository()
    world.git("mv", "app/safety-policy.yaml", "r\u00e9sum\u00e9.yaml")
    world.commit()
    return world.check("main")


def _option(world: World) -> tuple[int, str]:
    world.repository()
    code, why = world.outcome(lambda world: world.check("--output=FILE"))
    return (1, "git wrote a file") if any(world.root.glob("FILE*")) else (code, why)


def _array(world: World) -> tuple[int, str]:
    world.write(f"{BUNDLES}/array.json", b"[1, 2]")
    return world.verify()


# -- D: making and publishing ------------------------------------------------------------------------------------------


def _private(world: World) -> tuple[int, str]:
    world.configure("prompt", "privacy_mode: plaintext_explicit\n")
    return _done("the same bytes in two processes", partial(world.create, "prompt", checks=2))


def _folder_as_manifest(world: World) -> tuple[int, str]:
    config = world.read("attest/corpus.yaml").replace(b"document-manifest.json", b"documents")
    world.write("attest/corpus.yaml", config)
    return _done("a statement about a folder was made", partial(world.create, "corpus"))


def _escaping_id(world: World) -> tuple[int, str]:
    statement = {**world.statement("prompt"), "statement_id": "/../../../../outside"}
    world.write(f"{STATEMENTS}/prompt.json", dumps(statement))
    before = {path for path in world.keys.rglob("*") if world.root not in path.parents}
    world.sign()
    escaped = {path for path in world.keys.rglob("*") if world.root not in path.parents} - before
    return (1, "a file outside was written") if escaped else (0, "names of files come from names of files alone")


def _publish_junk(world: World) -> tuple[int, str]:
    world.write("junk.sigstore.json", b"junk")
    request = PublishRequest(world.root / "junk.sigstore.json", "127.0.0.1:9/a@sha256:" + "0" * 64, RegistryAccess())
    return _done("junk was published", partial(publish, request))


def _done(what: str, action: Callable[[], object]) -> tuple[int, str]:
    """Does it, and says what was done where that was not refused."""
    action()
    return 0, what


ATTACKS: Final = (
    Case("A1", "another prompt, signed by a stranger", (11,), _forged),
    Case(
        "A2",
        "the same, and it says that it is a keyless release identity",
        (11, 14),
        partial(_forged, oidc_issuer="https://token.actions.githubusercontent.com", oidc_identity="release"),
    ),
    Case("A3", "the same, by a provider `banana`", (11, 14), partial(_forged, provider="banana")),
    Case("A4", "the payload type is changed after signing", (11, 14), _payload_type),
    Case("A5", "a junk signature stands beside the good one: the good one counts", (0,), _junk_signature),
    Case("A6", "the evaluation says 0.01, and everything is signed", (13,), _worse),
    Case("A7", "an evaluation builds on nothing", (14,), _alone),
    Case("A8", "a circle: the prompt builds on the service level", (14,), _cycle),
    Case(
        "A9",
        "a predicate type of another version",
        (14,),
        partial(
            _restated,
            change=lambda statement: statement.update(predicateType="urn:promotion-gate:predicate:prompt:v99"),
        ),
    ),
    Case("A10", "no subject", (14,), partial(_restated, change=lambda statement: statement.update(subject=[]))),
    Case(
        "A11", "made in a year", (14,), lambda world: _restated(world, partial(_created, seconds=world.now_s + _YEAR_S))
    ),
    Case(
        "A12",
        "a subject is ../../etc/passwd",
        (12,),
        partial(_restated, change=partial(_outside, name="../../etc/passwd")),
    ),
    Case("A13", "a subject is /dev/zero", (12,), partial(_restated, change=partial(_outside, name="/dev/zero"))),
    Case("A14", "unknown members, encryption without a ciphertext", (14,), partial(_restated, change=bad_members)),
    Case("A15", "the same bundle lies there twice", (14,), _twice),
    Case("A16", "the payload has a key twice", (14,), _doubled_key),
    Case("A17", "an older prompt beside the newer one, in both orders", (0,), _two_orders),
    Case("A18", "an evaluation builds on a prompt that was stated later", (14,), _later_prompt),
    Case("A19", "digest, chain and signature fail together: the gravest decides", (11,), _three_causes),
    Case("A20", "documents, render settings, tests, environment, canary, simulation are edited", (12,), _all_unbound),
    Case("A21", "a template is added", (12,), _added),
    Case("A22", "a template is removed", (12,), _removed),
    Case("A23", "verified from another folder, with --root", (0,), _elsewhere),
    Case("B1", "the prompt changed, and nothing is attested", (10,), _without_evidence),
    Case("B2", "the base does not exist", (3,), partial(_based_on, base="does-not-exist")),
    Case("B2b", "there is no repository", (2, 3), partial(_based_on, base="main", repository=False)),
    Case("B3", "statements that nobody signed", (11,), _stubs),
    Case("B4", "a gate on `**` and a file deep below", (10,), _strict),
    Case("B5", "a key of gate.yaml is misspelt", (2,), _misspelt),
    Case("B6", "a protected file is renamed away, to a name outside ASCII", (10, 12), _moved_away),
    Case("B7", "the base is --output=FILE", (2, 3), _option),
    Case("B8", "an array lies among the evidence", (14,), _array),
    Case("D1", "the determinism check with embedded contents", (0,), _private),
    Case("D2", "the document manifest is a folder", (2, 3, 5), _folder_as_manifest),
    Case("D3", "a statement's id leads out of the folder", (0, 5), _escaping_id),
    Case("D4", "junk is published", (5,), _publish_junk),
)
