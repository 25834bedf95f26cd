"""Sets of attestations, the whole way: missing, of the wrong type, by the wrong signer, about other bytes (QUALITY 1).

Each set is one change to a case that is allowed; its exit code is looked up, and it is never 0 where it must not be.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import pytest

from gate.model.control import Mode
from gate.model.decision import Outcome, Verdict
from gate.model.digest import Digest, sha256_digest
from gate.model.settings import GateSettings
from tests.support.cases import (
    APPROVER,
    BUILDER,
    EVAL,
    FILES,
    GATE,
    NAMED,
    PROMPT,
    PROMPT_PATHS,
    PROVENANCE,
    SIGNATURE,
    STRANGER,
    Row,
    Scene,
    at,
    change_of,
    evidence,
    good_case,
    good_model,
    good_prompt,
    judge,
    prompt_of,
    signers,
)
from tests.support.evidence import (
    NOW_S,
    b64,
    bundle,
    bundle_value,
    digest_of,
    encode,
    envelope,
    envelope_value,
    make_key,
    model_signature,
    provenance,
    signer,
    statement,
    subject,
    trust_settings,
)

X: Final = digest_of("x")


def half(claim: str, path: str) -> bytes:
    return bundle(prompt_of({path: NAMED[path]}, claim))


# -- missing: exit 10 --------------------------------------------------------------------------------------------------

MISSING: Final[dict[str, Row]] = {
    **{
        f"without {name}": (good_case().without(number), 10)
        for number, name in enumerate(("signature", "provenance", "prompt", "eval"))
    },
    **{
        f"{name} alone": (evidence(good_case().evidence[number]), 10)
        for number, name in enumerate(("signature", "provenance", "prompt", "eval"))
    },
    "nothing": (evidence(), 10),
    "half of the prompts": (evidence(SIGNATURE, PROVENANCE, half("prompt", "app/system.txt"), EVAL), 10),
    "half of the evals": (evidence(SIGNATURE, PROVENANCE, PROMPT, half("eval", "app/tools.txt")), 10),
    "each half by another claim": (
        evidence(SIGNATURE, PROVENANCE, half("prompt", "app/system.txt"), half("eval", "app/tools.txt")),
        10,
    ),
    "one file of the provenance": (
        evidence(SIGNATURE, bundle(provenance({"config.json": FILES["config.json"]}), BUILDER), PROMPT, EVAL),
        10,
    ),
    "about something else": (
        evidence(bundle(model_signature({"x": X}, "x")), bundle(provenance({"x": X}), BUILDER), PROMPT, EVAL),
        10,
    ),
    "a third claim of the gate": (
        good_prompt().replace(gates=(GateSettings("G", ("app/**",), ("prompt", "eval", "slo"), ""),)),
        10,
    ),
    "a second gate": (good_prompt().replace(gates=(GATE, GateSettings("H", ("app/tools.txt",), ("corpus",), ""))), 10),
    "a third file": (good_prompt().replace(change=change_of(added={**PROMPT_PATHS, "app/more.txt": "m"})), 10),
    "a deleted file": (
        good_prompt().replace(
            change=change_of(
                added={"app/system.txt": PROMPT_PATHS["app/system.txt"]},
                deleted={"app/gone.txt": "gone"},
                folders={"app/gone.txt": frozenset({digest_of("another")})},
            )
        ),
        10,
    ),
    "an old statement for a deletion": (
        good_prompt().replace(
            change=change_of(
                deleted={"app/tools.txt": PROMPT_PATHS["app/tools.txt"]},
                folders={"app/tools.txt": frozenset({NAMED["app/system.txt"]})},
            )
        ),
        10,
    ),
    "the configuration without approval": (good_prompt().replace(change=change_of(added={"gate.yaml": "new"})), 13),
    "the configuration with an approval of another": (
        good_prompt()
        .replace(change=change_of(added={"gate.yaml": "new"}))
        .plus(bundle(statement("approval", {"other.yaml": digest_of("other")}, predicate=at(NOW_S)), APPROVER)),
        13,
    ),
}

# -- wrong type: another claim does not count (10), an unknown type is invalid (14) ------------------------------------

OTHER_CLAIMS: Final = ("eval", "route", "slo", "corpus", "dataset", "plugin", "review", "model.card")
ANY: Final = trust_settings(*signers(), signer("any", claims=(*OTHER_CLAIMS, "prompt", "training.provenance")))


def typed(claim: str) -> Scene:
    item = bundle(prompt_of(NAMED, claim), make_key("any"))
    return evidence(SIGNATURE, PROVENANCE, item, EVAL).replace(trust=ANY)


def kind(text: str) -> Scene:
    return evidence(SIGNATURE, PROVENANCE, bundle(statement("prompt", NAMED, predicateType=text)), EVAL)


WRONG_TYPE: Final[dict[str, Row]] = {
    **{f"{claim} instead of a prompt": (typed(claim), 10) for claim in OTHER_CLAIMS},
    **{
        f"predicate type {text!r}": (kind(text), 14)
        for text in (
            "urn:promotion-gate:predicate:prompt:v2",
            "urn:promotion-gate:predicate:prompt",
            "URN:promotion-gate:predicate:prompt:v1",
            "urn:promotion-gate:predicate:prompt:v1 ",
            "https://example.test/prompt/v1",
            "prompt",
        )
    },
    "no predicate type": (kind(""), 14),
    "statement v0.2": (
        good_case().plus(bundle(statement("prompt", NAMED, _type="https://in-toto.io/Statement/v0.2"))),
        14,
    ),
    "no statement": (good_case().plus(bundle(b"{}")), 14),
    "provenance instead of a signature": (evidence(PROVENANCE, PROMPT, EVAL), 10),
    "a prompt about the model": (evidence(bundle(prompt_of(FILES)), PROVENANCE, PROMPT, EVAL), 10),
    "incomplete provenance": (
        evidence(
            SIGNATURE, bundle(provenance(FILES).replace(b'"digest":{"sha1"', b'"d":{"sha1"'), BUILDER), PROMPT, EVAL
        ),
        13,
    ),
    "a payload of another type": (
        good_case().plus(encode(envelope_value(prompt_of(NAMED)) | {"payloadType": "x"})),
        14,
    ),
    "a bundle of another version": (good_case().plus(encode(bundle_value(prompt_of(NAMED)) | {"mediaType": "x"})), 14),
    "a bundle with a certificate": (
        good_case().plus(encode(bundle_value(prompt_of(NAMED)) | {"verificationMaterial": {"certificate": {}}})),
        14,
    ),
    "junk": (good_case().plus(b"\x00"), 14),
    "an empty file": (good_case().plus(b""), 14),
}

# -- signature and signer: exit 11 -------------------------------------------------------------------------------------


def trusted(*more: Any, **settings: Any) -> Scene:
    return good_case().replace(trust=trust_settings(*signers(), *more, **settings))


def by(key: Any) -> Scene:
    return evidence(SIGNATURE, PROVENANCE, bundle(prompt_of(NAMED), key), EVAL)


SIGNER: Final[dict[str, Row]] = {
    "a stranger": (by(STRANGER), 11),
    "a stranger beside the good one": (good_case().plus(envelope(prompt_of(NAMED), STRANGER)), 11),
    "a signer of another claim": (by(BUILDER), 11),
    "the provenance by a signer of prompts": (evidence(SIGNATURE, bundle(provenance(FILES)), PROMPT, EVAL), 11),
    "the signature by the builder": (evidence(bundle(model_signature(FILES), BUILDER), PROVENANCE, PROMPT, EVAL), 11),
    "no signature": (good_case().plus(encode(envelope_value(prompt_of(NAMED)))), 11),
    "a signature over other bytes": (
        good_case().plus(
            encode(envelope_value(prompt_of(NAMED), make_key()) | {"payload": b64(prompt_of(NAMED, "eval"))})
        ),
        11,
    ),
    "a revoked key": (trusted(revoked_keys=["release"]), 11),
    "a key revoked by its digest": (trusted(revoked_keys=[make_key().spki]), 11),
    "a key revoked under its other name": (trusted(signer("alias", make_key()), revoked_keys=["alias"]), 11),
    "revoked evidence": (trusted(revoked_evidence=[sha256_digest(PROMPT)]), 11),
    "a revoked statement": (trusted(revoked_evidence=[sha256_digest(prompt_of(NAMED))]), 11),
    "a key that is not yet valid": (
        good_case().replace(trust=trust_settings(signer(valid_from_s=NOW_S + 1), *signers()[1:])),
        11,
    ),
    "a key that is no longer valid": (
        good_case().replace(trust=trust_settings(signer(valid_until_s=NOW_S - 1), *signers()[1:])),
        11,
    ),
    "a threshold of two and one signer": (trusted(signer("ann", claims=("prompt",)), thresholds={"prompt": 2}), 11),
    "a threshold of two and one key twice": (
        trusted(signer("ann", claims=("prompt",)), signer("again", make_key()), thresholds={"prompt": 2}).plus(
            envelope(prompt_of(NAMED), make_key())
        ),
        11,
    ),
    "a stranger and junk and other bytes": (
        good_case().plus(
            envelope(prompt_of(NAMED), STRANGER), b"junk", bundle(statement("slo", {"app/system.txt": X}))
        ),
        11,
    ),
}

# -- other bytes: exit 12 ----------------------------------------------------------------------------------------------


def signed_files(files: Mapping[str, Digest]) -> Scene:
    return evidence(bundle(model_signature(files, "summarizer")), PROVENANCE, PROMPT, EVAL)


def built_files(files: Mapping[str, Digest]) -> Scene:
    return evidence(SIGNATURE, bundle(provenance(files), BUILDER), PROMPT, EVAL)


OTHER_BYTES: Final[dict[str, Row]] = {
    "a signature of fewer files": (signed_files({"config.json": FILES["config.json"]}), 12),
    "a signature of more files": (signed_files({**FILES, "extra.bin": X}), 12),
    "a signature of old files": (signed_files({**FILES, "config.json": X}), 12),
    "a signature of renamed files": (signed_files({f"{name}2": digest for name, digest in FILES.items()}), 12),
    "a signature of swapped files": (signed_files(dict(zip(FILES, reversed(FILES.values()), strict=True))), 12),
    "provenance of old files": (built_files({**FILES, "config.json": X}), 12),
    "provenance of swapped files": (built_files(dict(zip(FILES, reversed(FILES.values()), strict=True))), 12),
    "provenance of an old folder": (built_files({"models/summarizer": X}), 12),
    "an old prompt": (evidence(SIGNATURE, PROVENANCE, bundle(prompt_of({"app/system.txt": X})), EVAL), 12),
    "an old eval": (evidence(SIGNATURE, PROVENANCE, PROMPT, bundle(prompt_of({"app/system.txt": X}, "eval"))), 12),
    "swapped prompts": (
        evidence(
            SIGNATURE, PROVENANCE, bundle(prompt_of(dict(zip(NAMED, reversed(NAMED.values()), strict=True)))), EVAL
        ),
        12,
    ),
    "digests that disagree": (
        good_case().plus(bundle(statement("prompt", [subject("a", NAMED["app/system.txt"], sha512="0" * 128)]))),
        12,
    ),
    "an old prompt and nothing else": (evidence(bundle(prompt_of({"app/system.txt": X}))), 12),
    "an old eval beside the new one": (good_case().plus(bundle(prompt_of({"app/system.txt": X}, "eval"))), 0),
    "an old approval": (good_case().plus(bundle(statement("approval", {"app/system.txt": X}), APPROVER)), 12),
}

SETS: Final = {"missing": MISSING, "wrong type": WRONG_TYPE, "signer": SIGNER, "other bytes": OTHER_BYTES}
ROWS: Final = {f"{group}: {name}": row for group, rows in SETS.items() for name, row in rows.items()}


@pytest.mark.parametrize("name", ROWS)
def test_a_set_of_attestations_has_its_exit_code(name: str) -> None:
    scene, expected = ROWS[name]
    found = judge(scene)
    assert (found.exit_code, found.causes[:1]) == (expected, (expected,) if expected >= 10 else ())
    assert (found.verdict is Verdict.ALLOW) == (expected == 0)


def test_there_are_120_sets_in_two_files() -> None:
    assert len(ROWS) >= 70


@pytest.mark.parametrize("scene", [good_case(), good_model(), good_prompt()])
def test_the_case_that_the_sets_start_from_is_allowed(scene: Scene) -> None:
    assert judge(scene).verdict is Verdict.ALLOW


def test_every_control_of_the_profile_judges_the_case() -> None:
    outcomes = {name: control.outcome for name, control in judge(good_case()).controls.items()}
    # Nothing here was collected, no model was tuned, there is no image and nothing is waived.
    nothing_to_judge = {"chain.valid", "container.provenance", "container.signed", "eval.binds", "eval.passed"}
    nothing_to_judge |= {"deploy.image_pinned", "deploy.restricted", "scan.secrets", "scan.vulnerabilities"}
    nothing_to_judge |= {"training.base_lineage", "waiver.valid"}
    assert outcomes == {name: Outcome.NOT_APPLICABLE if name in nothing_to_judge else Outcome.PASS for name in outcomes}
    assert outcomes.keys() >= {"artifact.signed", "change.attested", "scan.malware", *nothing_to_judge}
    assert {control.mode for control in judge(good_case()).controls.values()} == {Mode.ENFORCE}
