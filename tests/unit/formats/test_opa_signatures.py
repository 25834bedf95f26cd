"""OPA's signature file: the same hashes as OPA's, one text a set of files, nothing that a header chooses."""

from __future__ import annotations

import base64
import json
import subprocess
from pathlib import Path

import pytest

from gate.formats.dsse import decode_base64
from gate.formats.opa_signatures import (
    PATH,
    OpaSignatureError,
    file_hash,
    read_signature,
    signature_file,
    signing_input,
)
from gate.formats.strict_json import StrictJsonError
from tests.support.evidence import make_key
from tests.support.opa_server import opa_program

STRINGS = '"\\u2028<&>\\t\\u0001\\u007f\\b\\fé😀\\/", "": {"x": {"y": "z"}, "w": "\\""}'
DATA = '{"b": [1, 1.50, -0, 1e3, 12345678901234567890.5, null, true, false], "a": {}, "é": [], "B": [{}, [[]]], "s": '
FILES = {
    "gate/main/main.rego": b"package gate.main\n",
    "gate/profiles/a/data.json": (DATA + STRINGS + "}").encode(),
    ".manifest": b'{"roots": ["gate"]}',
}
WORDS = {"p256": "ES256", "p384": "ES384", "ed25519": "EdDSA", "rsa-pss": "PS256", "rsa-pkcs1": "RS256"}


def signed(kind: str = "p256", files: dict[str, bytes] | None = None) -> bytes:
    data = signing_input(files or FILES, WORDS[kind])
    return signature_file(data, WORDS[kind], make_key("policy", kind).sign(data))


def test_hashes_are_those_of_opa(tmp_path: Path) -> None:
    for path, data in FILES.items():
        (tmp_path / "in" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / path).write_bytes(data)
    sign = [opa_program(), "sign", "--signing-alg", "HS256", "--signing-key", "secret", "--bundle", "in"]
    subprocess.run(sign, check=True, cwd=tmp_path, capture_output=True)
    token = json.loads((tmp_path / ".signatures.json").read_bytes())["signatures"][0].split(".")[1]
    listed = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))["files"]
    theirs = {item["name"].removeprefix("in/").lstrip("/"): item["hash"] for item in listed}
    assert theirs == {path: file_hash(path, data) for path, data in FILES.items()}


@pytest.mark.parametrize("kind", sorted(WORDS))
def test_a_signature_comes_back_in_the_form_that_keys_verify(kind: str) -> None:
    from gate.verify.keys import load_key

    key = make_key("policy", kind)
    signature, data = read_signature(signed(kind), {**FILES, PATH: b"itself is not in it"})
    assert data == signing_input(FILES, WORDS[kind])
    assert load_key(key.pem, key.scheme).verifies(signature, data)


@pytest.mark.parametrize("kind", ["p256", "p384"])
def test_an_ecdsa_signature_of_another_length_is_refused(kind: str) -> None:
    start, _, signature = signed(kind).rpartition(b".")
    raw = decode_base64(signature.removesuffix(b'"]}').decode() + "=" * (-(len(signature) - 3) % 4), "it")
    for other in (raw[:-1], raw + b"\0"):
        text = base64.urlsafe_b64encode(other).rstrip(b"=")
        with pytest.raises(OpaSignatureError, match="wrong length"):
            read_signature(start + b"." + text + b'"]}', FILES)


@pytest.mark.parametrize(
    "files",
    [
        {**FILES, "gate/x.rego": b""},
        {path: data for path, data in FILES.items() if path != "gate/main/main.rego"},
        {**FILES, "gate/main/main.rego": b"package gate.other\n"},
    ],
)
def test_a_signature_for_other_files_is_refused(files: dict[str, bytes]) -> None:
    with pytest.raises(OpaSignatureError, match="exactly the files"):
        read_signature(signed(), files)


def changed(header: dict[str, str] | None = None, **payload: object) -> bytes:
    """A file whose header or payload says something else; nobody looks at its signature."""
    first, second, _ = (base64.urlsafe_b64decode(part + b"==") for part in signed()[16:-3].split(b"."))
    values = ({**json.loads(first), **(header or {})}, {**json.loads(second), **payload})
    text = b".".join(base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=") for value in values)
    return b'{"signatures":["' + text + b'.AAAA"]}'


def test_another_algorithm_key_id_or_scope_is_refused() -> None:
    for data in (
        changed({"alg": "none"}),
        changed({"alg": "HS256"}),
        changed({"kid": "other"}),
        changed(scope="read"),
        changed(keyid="x"),
        changed(files=[]),
        changed(iss="x"),
    ):
        with pytest.raises(OpaSignatureError, match="key id and scope"):
            read_signature(data, FILES)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b'{"signatures":[]}',
        b'{"signatures":["a.b"]}',
        signed() + b"\n",
        signed().replace(b'{"', b'{"plugin":"x","'),
        signed().replace(b'"]', b'","a.b.c"]'),
        signed().replace(b"signatures", b"signature"),
    ],
)
def test_a_file_of_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(OpaSignatureError, match="one signature"):
        read_signature(data, FILES)


def test_a_signature_has_one_text() -> None:
    data = signed("ed25519")  # 64 bytes: four bits of the last digit stand for nothing
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    last = digits.index(data[-4:-3])
    with pytest.raises(OpaSignatureError, match="canonical"):
        read_signature(data[:-4] + digits[last ^ 1 : (last ^ 1) + 1] + b'"]}', FILES)
    with pytest.raises(OpaSignatureError, match="not base64"):
        read_signature(data[:-4] + b'"]}', FILES)


def test_data_that_is_no_strict_json_has_no_hash() -> None:
    for text in (b"", b'{"a":1,"a":2}', b"{,}", b"\xff"):
        with pytest.raises(StrictJsonError):
            file_hash("gate/profiles/a/data.json", text)
