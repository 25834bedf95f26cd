"""Secrets are taken out of text and of documents, and nothing else is (SECURITY 35)."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gate.formats.secrets import KINDS, SecretsError, redact, redacted
from tests.support.secrets import SECRETS, core

ROOT = Path(__file__).parents[3]
MARK = re.compile(r"\[redacted ([a-z0-9-]+) [0-9a-f]{8}\]")
A = "A1b2C3d4E5f6G7h8J9k0"
MORE = {
    "age-key": "AGE-SECRET-KEY-1" + "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L" * 2,
    "aws-key-id": "ASIA" + "ABCDEFGHIJKLMNOP",
    "slack-token": "xoxe.xoxp-1-" + A,
    "webhook": "https://chat.example/api/webhooks/123/" + A,
    "openai-key": "sk-or-v1-" + "0123456789abcdef" * 4,
    "hugging-face-token": "api_org_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH",
    "replicate-token": "r8_" + A * 2,
    "groq-key": "gsk_" + A * 2,
    "databricks-token": "dapi" + "0123456789abcdef" * 2,
    "google-secret": "ya29." + A,
    "stripe-key": "whsec_" + A,
    "docker-token": "dckr_pat_" + A,
    "vault-token": "hvs." + A,
    "cloud-token": "dop_v1_" + "0123456789abcdef" * 4,
    "sendgrid-key": "SG." + A + "." + A,
    "jwt": "eyJhbGciOiJkaXIifQ" + f"..{A}.{A}.{A}",
    "cookie": "Set-Cookie: session=" + A,
    "signature": "https://x.example/b?sv=1&sig=" + A + "%3D",
    "bearer": "Authorization: token " + A,
    "url-credentials": "https://" + A + "@host.example/x",
    "password": "machine x.example login me password " + A,
    "token": "X_API_KEY: '" + A + "'",
}
HARMLESS = [
    "sha256:" + hashlib.sha256(b"x").hexdigest(),
    hashlib.sha1(b"x").hexdigest(),
    hashlib.sha1(b"x").hexdigest().upper(),
    hashlib.sha512(b"x").hexdigest(),
    "SHA256:" + base64.b64encode(hashlib.sha256(b"x").digest()).decode().rstrip("="),
    base64.b64encode(b"ordinary text of some length, which is no secret of anybody").decode(),
    base64.b64encode(hashlib.sha256(b"y").digest()).decode(),
    "sha512-" + base64.b64encode(hashlib.sha512(b"y").digest()).decode(),
    "models/Llama3/checkpoints/Epoch12/Weights",
    "models/tokenizer.json",
    "src/secrets/passwords/token/list.py",
    "sk-learn-pipelines-of-ordinary-length/model.bin",
    "hf_transformers_weights_of_ordinary_length",
    "https://github.com/acme/models/.github/workflows/release.yml@refs/heads/main",
    "git+https://git.example/acme/model@0123456789abcdef0123456789abcdef01234567",
    "ssh://git@git.example/acme/model",
    "registry.example:5000/acme/model:1.2@sha256:" + "0" * 64,
    "pkg:pypi/requests@2.32.0?repository_url=https://index.example/simple",
    "01J8ZQ4T7M3N5P6R7S8T9V0W1X",
    "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "password: required, at least 12 characters",
    "token: expected a string at line 12",
    "eos_token=<|endoftext|>",
    "max_tokens=4096",
    "password=${PASSWORD}",
    "token: ${{ secrets.RELEASE_TOKEN }}",
    "secret=***",
    "basic understanding1",
    "Basic QUJDREVGR0hJSktMTU5PUA==",
    "bearer authentication",
    "the token is sha256:" + "0" * 64,
    "token=sha256:" + "0" * 64,
    "2026-11-20T12:00:00Z",
    "data:image/png;base64," + base64.b64encode(bytes(range(60))).decode(),
    "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----",
    "arn:aws:kms:eu-central-1:123456789012:key/6ba7b810-9dad-11d1-80b4-00c04fd430c8",
]


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", ["{}", "see {}, please", "'{}'", "x {}", "in {}.", "A={}", "<b>{}</b>"])
def test_s35_each_kind_is_found_wherever_it_stands(kind: str, form: str) -> None:
    text = form.format(SECRETS[kind])
    clean = redact(text)
    assert MARK.search(clean)
    assert not any(secret in clean for secret in core(SECRETS[kind]))
    assert redact(clean) == clean


@pytest.mark.parametrize("kind", SECRETS)
def test_s35_each_kind_is_found_as_programs_quote_it(kind: str) -> None:
    for quoted in (repr, json.dumps, lambda text: json.dumps(json.dumps({"x": text}))):
        clean = redact(quoted(SECRETS[kind]))
        assert not any(secret in clean for secret in core(SECRETS[kind]))


@pytest.mark.parametrize("kind", MORE)
def test_s35_further_forms_of_a_kind_are_found(kind: str) -> None:
    found = MARK.search(redact(MORE[kind]))
    assert found is not None
    assert found[1] == kind


def test_s35_there_are_25_kinds_and_more() -> None:
    found = {match[1] for text in (*SECRETS.values(), *MORE.values()) for match in MARK.finditer(redact(text))}
    assert len(found) >= 25
    assert found == set(KINDS)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


def test_nothing_in_our_own_pages_and_policies_looks_like_a_secret() -> None:
    pages = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("rego/**/*.rego"), *ROOT.glob("schemas/*.json")]
    assert len(pages) > 100
    for page in pages:
        text = page.read_text("utf-8")
        shown = [line for line in text.splitlines() if redact(line) != line]
        assert not shown, page


def test_what_stands_around_a_secret_stays() -> None:
    assert redact(f"https://me:{A}@host.example/x?y=1") == f"https://me:{mark('url-credentials', A)}@host.example/x?y=1"
    assert redact(f"db_password='{A}' and more") == f"db_password='{mark('password', A)}' and more"
    assert redact(f"Bearer {A}, please") == f"Bearer {mark('bearer', A)}, please"


def mark(kind: str, secret: str) -> str:
    return f"[redacted {kind} {hashlib.sha256(secret.encode()).hexdigest()[:8]}]"


def test_equal_secrets_become_equal_and_different_ones_different() -> None:
    one, other = SECRETS["github token"], SECRETS["github token"].replace("A1", "Z9")
    assert redact(one) in redact(f"as in {one}")
    assert redact(one) != redact(other)


PARTS = st.sampled_from(
    [*SECRETS.values(), "[redacted jwt 01234567]", " ", "=", "'", ":", "\n", "x", "token", "/", "@"]
)


@given(st.lists(PARTS, max_size=6).map("".join))
@example("")
@example("password=[redacted jwt 01234567]")
def test_redacting_twice_changes_nothing(text: str) -> None:
    assert redact(redact(text)) == redact(text)


UNITS = [
    "eyJaaaaaaaa.", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "token=", "token:1", "password=a1", "://a:", "://",
    "A1b2", "AKIA", "ghp_", "sk-aA1", "SG.aaaaaaaaaaaaaaaaaaaa", "Basic QQ", "Bearer a1", "cookie: a=", "sig=",
    'auth":"', "login a password ", "--token ", "[redacted ", "hf_aA", "xoxb-", "glpat-", "AGE-SECRET-KEY-1", "A/1b",
    "authorization: ",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_s35_time_is_linear_in_the_length(unit: str) -> None:
    """Thirty-two times the text takes far less than the thousandfold that squares would."""

    def seconds(size: int) -> float:
        text = unit * (size // len(unit))
        best = 60.0
        for _ in range(3):
            began = time.process_time()
            redact(text)
            best = min(best, time.process_time() - began)
        return best

    assert seconds(1 << 17) < 250 * seconds(1 << 12) + 0.05


# --- documents -------------------------------------------------------------------------------------------------------


def value(text: str) -> dict[str, Any]:
    return {"a": text, "b": [text, {"c": f"in {text}"}], text: {"d": 1, "e": None, "f": True, "g": 1.5}}


@pytest.mark.parametrize("kind", SECRETS)
def test_s35_no_member_of_a_document_holds_a_secret(kind: str) -> None:
    clean = redacted(value(SECRETS[kind]))
    assert not any(secret in json.dumps(clean) for secret in core(SECRETS[kind]))
    assert clean["a"] in clean
    assert redacted(clean) == clean


def test_a_document_without_secrets_stays_as_it_is() -> None:
    plain: dict[str, Any] = {
        "a": ["b", 1, None, {"c": False}],
        "d": {"eos_token": "<|endoftext|>", "token": "required", "secret": 5},
    }
    assert redacted(plain) == plain


def test_s35_a_member_named_for_a_secret_holds_one() -> None:
    other = A[::-1]
    clean = redacted({"env": {"DB_PASSWORD": A, "apiKey": A, "TOKEN": A, "tokens": other, "key": other}})
    hidden = mark("value", A)
    assert clean == {"env": {"DB_PASSWORD": hidden, "apiKey": hidden, "TOKEN": hidden, "tokens": other, "key": other}}
    assert redacted(clean) == clean


@pytest.mark.parametrize("text", [A, SECRETS["github token"], f"{A}-{SECRETS['github token']}"])
@pytest.mark.parametrize("form", [lambda text: text, lambda text: [{"b": text}], lambda text: {text: 1}])
def test_s35_equal_texts_stay_equal_whatever_the_member_is_called(text: str, form: Callable[[str], Any]) -> None:
    """What a policy forbids by its name is forbidden where a member called `token` says it, too."""
    clean = redacted({"facts": {"stop_token": text}, "forbidden": form(text)}, is_outside=True)
    assert clean["forbidden"] == form(clean["facts"]["stop_token"])


def test_s35_paths_keep_their_place_and_their_kind() -> None:
    """Rules that judge by where a file lies, or by its extension, judge it so whatever it is called."""
    path = f"policy/password={A}/x/{SECRETS['github token']}.pkl"
    clean = redacted({"files": {path: {}}, "listed": [path], "told": f"{path}: bad"}, is_outside=True)
    kept = f"policy/password={mark('password', A)}/x/{mark('github-token', SECRETS['github token'])}.pkl"
    assert clean["files"] == {kept: {}}
    assert clean["listed"] == [kept]
    assert A not in str(clean["told"])
    assert redacted({"path": f"token={A}.pkl"}) == {"path": f"token={mark('token', A)}.pkl"}
    assert redacted({"path": f".token={A}"}) == {"path": f".token={mark('token', A)}"}


@pytest.mark.parametrize("kind", SECRETS)
def test_s35_no_path_holds_a_secret(kind: str) -> None:
    # Forty characters that nothing names are a secret only where they stand alone.
    paths = (SECRETS[kind],) if kind == "aws secret" else (SECRETS[kind], f"a/{SECRETS[kind]}", f"{SECRETS[kind]}.bin")
    for path in paths:
        clean = json.dumps(redacted({"files": {path: {}}, "path": path}))
        assert not any(secret in clean for secret in core(SECRETS[kind]))


def test_s35_nobody_writes_down_what_a_secret_becomes() -> None:
    """Else a name could pass for one that holds a secret, whose mark every report shows."""
    forged = redact(f"password={A}")
    clean = redacted({"theirs": f"password={A}", "forged": forged}, is_outside=True)
    assert clean["theirs"] == forged
    assert clean["forged"] != forged
    assert redacted({"again": forged}) == {"again": forged}


def test_s35_two_names_never_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or one entry would hide the other."""
    monkeypatch.setattr("gate.formats.secrets._mark", lambda kind, _: f"[redacted {kind} 00000000]")
    with pytest.raises(SecretsError, match="two secrets are both") as caught:
        redacted({"files": {f"token={A}": 1, f"token={A[::-1]}": 2}})
    with pytest.raises(SecretsError, match="two names of members are token="):
        redacted({f"token={A}": 1, "token=[redacted token 00000000]": 2})
    assert caught.value.exit_code == 3
    assert "rename" in caught.value.hint
