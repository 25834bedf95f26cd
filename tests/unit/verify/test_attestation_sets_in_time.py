"""Sets of attestations, the whole way: duplicate, conflicting, stale, chained and cyclic (QUALITY 1)."""

from __future__ import annotations

from typing import Final

import pytest

from gate.model.decision import Verdict
from gate.model.digest import Digest, sha256_digest
from tests.support.cases import (
    BUILDER,
    DAY_S,
    EVAL,
    FILES,
    NAMED,
    PROMPT,
    PROVENANCE,
    SIGNATURE,
    STRANGER,
    Row,
    Scene,
    at,
    evidence,
    good_case,
    good_prompt,
    judge,
    prompt_of,
    signers,
)
from tests.support.evidence import (
    NOW_S,
    bundle,
    digest_of,
    encode,
    envelope,
    envelope_value,
    model_signature,
    provenance,
    statement,
    trust_settings,
)

X: Final = digest_of("x")
OLD_TEXTS: Final = {**NAMED, "app/system.txt": digest_of("the prompt before")}

# -- duplicates: the same evidence twice is refused, the same word twice is not ---------------------------------------

DUPLICATE: Final[dict[str, Row]] = {
    **{
        f"{name} twice": (good_case().plus(good_case().evidence[number]), 14)
        for number, name in enumerate(("signature", "provenance", "prompt", "eval"))
    },
    "everything twice": (good_case().plus(*good_case().evidence), 14),
    "everything in another order": (good_case().replace(evidence=tuple(reversed(good_case().evidence))), 0),
    "one payload in an envelope and a bundle": (good_case().plus(envelope(prompt_of(NAMED))), 0),
    "one payload with another key id": (good_case().plus(envelope(prompt_of(NAMED), keyid="x")), 0),
    "two prompts that agree": (good_case().plus(bundle(prompt_of(NAMED, age_s=2 * DAY_S))), 0),
    "an old signature beside the new one": (
        good_case().plus(bundle(model_signature({**FILES, "config.json": X}, "summarizer"))),
        0,
    ),
    "an old prompt beside the new one": (good_case().plus(bundle(prompt_of(OLD_TEXTS))), 0),
    "a forged copy": (good_case().plus(bundle(prompt_of(NAMED), STRANGER)), 11),
    "an unsigned copy": (good_case().plus(encode(envelope_value(prompt_of(NAMED)))), 11),
    "a duplicate member": (good_case().plus(PROMPT[:-1] + b',"mediaType":"x"}'), 14),
    "a duplicate member in the payload": (good_case().plus(bundle(prompt_of(NAMED)[:-1] + b',"subject":[]}')), 14),
    "forged evidence about others": (good_case().plus(bundle(prompt_of({"elsewhere": X}), STRANGER)), 0),
    "unknown evidence about others": (good_case().plus(bundle(statement(subjects={"elsewhere": X}, kind="x"))), 0),
}

# -- conflicting: exit 13 ----------------------------------------------------------------------------------------------

CONFLICTING: Final[dict[str, Row]] = {
    **{
        f"provenance by another {name}, {'after' if after else 'before'}": (
            good_case().plus(bundle(data, BUILDER))
            if after
            else evidence(bundle(data, BUILDER), *good_case().evidence),
            13,
        )
        for name, data in {
            "builder": provenance(FILES, "https://builder.test/2"),
            "type": provenance(FILES).replace(b"train/v1", b"train/v2"),
            "source": provenance(FILES).replace(b"aaaaaaaa", b"bbbbbbbb", 1),
        }.items()
        for after in (False, True)
    },
    "complete and incomplete provenance": (
        good_case().plus(bundle(provenance(FILES).replace(b'"digest":{"sha1"', b'"d":{"sha1"'), BUILDER)),
        13,
    ),
    "the same story told twice": (
        good_case().plus(bundle(provenance(FILES, finishedOn="2026-11-20T00:00:00Z"), BUILDER)),
        0,
    ),
}

# -- stale: exit 13 ----------------------------------------------------------------------------------------------------


def eval_of(age_s: int | None) -> Scene:
    predicate = {} if age_s is None else at(NOW_S - age_s)
    return evidence(SIGNATURE, PROVENANCE, PROMPT, bundle(statement("eval", NAMED, predicate=predicate)))


STALE: Final[dict[str, Row]] = {
    "an eval of a second": (eval_of(0), 0),
    "an eval at its limit": (eval_of(30 * DAY_S), 0),
    "an eval a second over its limit": (eval_of(30 * DAY_S + 1), 13),
    "an eval of a year": (eval_of(365 * DAY_S), 13),
    "an eval of 1970": (eval_of(NOW_S), 13),
    "an eval without a time": (eval_of(None), 13),
    "an eval from the near future": (eval_of(-300), 0),
    "an eval from the future": (eval_of(-301), 13),
    "an eval from another year": (eval_of(-365 * DAY_S), 13),
    "a prompt from the future": (
        evidence(SIGNATURE, PROVENANCE, bundle(prompt_of(NAMED, age_s=-DAY_S)), EVAL),
        13,
    ),
    "provenance from the future": (
        evidence(SIGNATURE, bundle(provenance(FILES, finishedOn="2027-01-01T00:00:00Z"), BUILDER), PROMPT, EVAL),
        13,
    ),
    "an eval with a time that is none": (
        evidence(SIGNATURE, PROVENANCE, PROMPT, bundle(statement("eval", NAMED, predicate={"created_at": "now"}))),
        14,
    ),
    "an eval with a time before 1970": (
        good_case().plus(bundle(statement("eval", NAMED, predicate={"created_at": "1969-12-31T23:59:59Z"}))),
        14,
    ),
    "a limit of the configuration": (good_case().replace(parameters={"evidence.fresh": {"prompt": DAY_S - 1}}), 13),
    "stated times that do not count": (
        good_case().replace(parameters={"evidence.fresh": {"accept_stated": False}}),
        13,
    ),
    "a limit in days": (eval_of(31 * DAY_S).replace(parameters={"evidence.fresh": {"eval": "32d"}}), 0),
    "a limit in days that is over": (eval_of(31 * DAY_S).replace(parameters={"evidence.fresh": {"eval": "30d"}}), 13),
    "a stale eval beside a fresh one": (good_case().plus(eval_of(31 * DAY_S).evidence[3]), 13),
}

# -- chains: exit 14 ---------------------------------------------------------------------------------------------------


def linked(claim: str, *parents: Digest, name: str = "elsewhere") -> bytes:
    return statement(claim, {name: digest_of(name)}, depends_on=list(parents), predicate=at(NOW_S - DAY_S))


PROMPT_ID: Final = sha256_digest(prompt_of(NAMED))
VIA: Final = linked("eval", PROMPT_ID)
FORGED: Final = prompt_of({"x": X})


def chained(*items: bytes) -> Scene:
    return good_prompt().replace(evidence=(PROMPT, *items))


CYCLIC: Final[dict[str, Row]] = {
    "an eval that builds on the prompt": (chained(bundle(VIA)), 0),
    "an eval that builds on an eval": (
        chained(bundle(VIA), bundle(linked("eval", sha256_digest(VIA), name="more"))),
        14,
    ),
    "an eval that builds on nothing": (chained(bundle(linked("eval"))), 10),
    "a dangling dependency": (chained(EVAL, bundle(prompt_of(NAMED, depends_on=[X]))), 14),
    "a dependency on forged evidence": (
        chained(EVAL, envelope(FORGED, STRANGER), bundle(prompt_of(NAMED, depends_on=[sha256_digest(FORGED)]))),
        14,
    ),
    "a dependency on revoked evidence": (
        chained(bundle(VIA), EVAL).replace(trust=trust_settings(*signers(), revoked_evidence=[PROMPT_ID])),
        11,
    ),
    "a dependency on evidence that is not there": (good_prompt().replace(evidence=(EVAL, bundle(VIA))), 10),
    "a dependency by the digest of the envelope": (
        chained(EVAL, bundle(prompt_of(NAMED, depends_on=[sha256_digest(EVAL)]))),
        14,
    ),
    "a repeated dependency": (chained(EVAL, bundle(prompt_of(NAMED, depends_on=[PROMPT_ID, PROMPT_ID]))), 14),
    "a dependency that is no digest": (chained(EVAL, bundle(prompt_of(NAMED, depends_on=[Digest("release")]))), 14),
    "a dependency in capitals": (chained(EVAL, bundle(prompt_of(NAMED, depends_on=[Digest(PROMPT_ID.upper())]))), 14),
    "a chain on a broken link": (
        chained(
            EVAL,
            bundle(broken := prompt_of(NAMED, "eval", depends_on=[X])),
            bundle(prompt_of(NAMED, depends_on=[sha256_digest(broken)])),
        ),
        14,
    ),
    "a dangling dependency about others": (
        chained(EVAL, bundle(statement("prompt", {"elsewhere": X}, depends_on=[X]))),
        0,
    ),
    "a dangling dependency in the only eval": (chained(bundle(prompt_of(NAMED, "eval", depends_on=[X]))), 14),
    "a prompt that builds on a stale eval": (
        chained(
            bundle(stale := prompt_of({"y": X}, "eval", age_s=40 * DAY_S)),
            bundle(linked("eval", sha256_digest(stale))),
        ),
        10,
    ),
}

SETS: Final = {"duplicate": DUPLICATE, "conflicting": CONFLICTING, "stale": STALE, "cyclic": CYCLIC}
ROWS: Final = {f"{group}: {name}": row for group, rows in SETS.items() for name, row in rows.items()}


@pytest.mark.parametrize("name", ROWS)
def test_a_set_of_attestations_has_its_exit_code(name: str) -> None:
    scene, expected = ROWS[name]
    found = judge(scene)
    assert (found.exit_code, found.causes[:1]) == (expected, (expected,) if expected >= 10 else ())
    assert (found.verdict is Verdict.ALLOW) == (expected == 0)


def test_there_are_120_sets_in_two_files() -> None:
    assert len(ROWS) >= 50
