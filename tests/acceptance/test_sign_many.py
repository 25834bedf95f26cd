"""`gate sign` for many statements at once, and with keys that are not in files."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from gate.attest.signers import Passphrase
from gate.attest.signers import file as key_files
from gate.attest.signers.key import KeySigner
from gate.formats.bundle import parse_container
from gate.verify.keys import TrustedKey, load_key
from tests.acceptance.world import Done, gate, inside
from tests.support.fake_keepers import TOKEN, AwsKey, AwsKms, Vault, VaultKey, aws_error, serving
from tests.support.softhsm import LIBRARY, PIN, make_tokens

KEY = ec.generate_private_key(ec.SECP256R1())
OTHER = ec.generate_private_key(ec.SECP256R1())
FOLDER = Path(".gate/attestations")


def pem(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    encryption = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def trusted(key: ec.EllipticCurvePrivateKey) -> TrustedKey:
    return load_key(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def statement(number: int, claim: str = "prompt") -> bytes:
    return json.dumps(
        {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": f"f{number}", "digest": {"sha256": f"{number:064x}"}}],
            "predicateType": f"urn:promotion-gate:predicate:{claim}:v1",
            "predicate": {},
        }
    ).encode()


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three statements, and keys beside it."""
    root = tmp_path / "place"
    (root / "st").mkdir(parents=True)
    for number, claim in enumerate(("prompt", "corpus", "prompt")):
        (root / "st" / f"s{number}.json").write_bytes(statement(number, claim))
    for name, key in (("key", KEY), ("other", OTHER)):
        (tmp_path / name).write_bytes(pem(key))
        (tmp_path / name).chmod(0o600)
    monkeypatch.chdir(root)
    return root


def written(folder: Path = FOLDER) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())} if folder.exists() else {}


def payload(bundle: bytes) -> bytes:
    return parse_container(bundle, limit=len(bundle)).envelope.payload


def is_by(bundle: bytes, key: ec.EllipticCurvePrivateKey) -> bool:
    found = parse_container(bundle, limit=len(bundle)).envelope
    return any(trusted(key).verifies(item, found.signed_bytes) for item in found.signatures)


def refused(done: Done, *words: str, code: int = 5) -> None:
    assert (done.code, done.out) == (code, ""), done.text
    for word in words:
        assert word in done.err, done.err


NAMES = ["s0.sigstore.json", "s1.sigstore.json", "s2.sigstore.json"]


@pytest.mark.usefixtures("place")
def test_all_statements_of_a_folder_are_signed() -> None:
    Path("st/notes.txt").write_text("not looked at")
    done = inside("sign", "--in", "st", "--key", "../key")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[0] == "signed    st: 3 statements (1 corpus, 2 prompt)"
    assert "written   .gate/attestations (3 new, 0 replaced)" in done.out
    bundles = written()
    assert list(bundles) == NAMES
    for number, bundle in enumerate(bundles.values()):
        assert payload(bundle) == Path(f"st/s{number}.json").read_bytes()
        assert is_by(bundle, KEY)
    again = inside("sign", "--in", "st", "--key", "../key", "--out", str(FOLDER))
    assert "(0 new, 3 replaced)" in again.out
    assert written() == bundles


@pytest.mark.usefixtures("place")
def test_a_folder_of_statements_alone_needs_no_option() -> None:
    assert inside("sign", "st", "--key", "../key", "--out", "signed").code == 0
    assert list(written(Path("signed"))) == NAMES


def git(*arguments: str, cwd: Path = Path()) -> None:
    done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("arguments", [("--in", "st"), ("st",), ("--in", "st/s1.json"), ("st/s1.json",)])
def test_statements_that_git_tracks_are_signed_on_purpose_only(arguments: tuple[str, ...]) -> None:
    """A pull request can bring files into an ignored folder, and a job that signs the folder would vouch for them."""
    git("init", "-q")
    Path(".gitignore").write_text("st/\n")
    assert inside("sign", *arguments, "--key", "../key", "--out", "first").code == 0
    git("add", "--force", "st/s1.json")
    done = inside("sign", *arguments, "--key", "../key")
    refused(done, "git tracks 1 of ", "s1.json", "--tracked")
    assert written() == {}
    assert inside("sign", *arguments, "--key", "../key", "--tracked").code == 0


def test_a_folder_of_statements_is_found_behind_links_and_in_submodules(place: Path, tmp_path: Path) -> None:
    git("init", "-q")
    git("add", "st/s1.json")
    (tmp_path / "link").symlink_to(place)
    refused(inside("sign", "--in", "../link/st", "--key", "../key"), "git tracks 1 of 3 statements", "s1.json")
    git("init", "-q", cwd=place / "st")
    assert inside("sign", "--in", "st", "--key", "../key", "--out", "first").code == 0
    git("add", "s2.json", cwd=place / "st")
    refused(inside("sign", "--in", "st", "--key", "../key"), "git tracks 1 of 3 statements", "s2.json")


@pytest.mark.usefixtures("place")
def test_one_statement_is_named_by_in() -> None:
    done = inside("sign", "--in", "st/s1.json", "--key", "../key", "--out", "signed")
    assert "signed    st/s1.json: 1 statement (1 corpus)" in done.out
    assert list(written(Path("signed"))) == ["s1.sigstore.json"]


def test_a_mixture_of_statements_and_other_files_is_not_guessed_about(place: Path) -> None:
    (place / "st" / "config.json").write_bytes(b"{}")
    refused(inside("sign", "st", "--key", "../key"), "st holds 3 in-toto statements, such as s0.json, among 1 other")
    (place / "st" / "config.json").unlink()
    (place / "st" / "more").mkdir()
    refused(inside("sign", "st", "--key", "../key"), "gate sign --in st")
    assert written() == {}


def test_a_model_folder_stays_a_model(place: Path) -> None:
    model = place / "model"
    model.mkdir()
    (model / "config.json").write_bytes(b'{"a": 1}')
    (model / "broken.json").write_bytes(b"{")
    (model / "weights.safetensors").write_bytes(b"x")
    assert inside("sign", "st/s0.json", "--key", "../key", "--out", "model/s0.sigstore.json").code == 0
    unreadable = model / "unreadable.json"
    unreadable.write_bytes(b"[]")
    unreadable.chmod(0o200)
    done = inside("sign", "model", "--key", "../key")
    if done.code:  # nothing is unreadable for the owner of the machine
        unreadable.chmod(0o600)
        done = inside("sign", "model", "--key", "../key")
    assert "signed    model: artifact.signature, 5 files" in done.out


def test_a_folder_that_cannot_be_listed_is_an_error(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_: Path) -> Iterator[Path]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", fails)
    refused(inside("sign", str(place / "st"), "--key", "../key"), "cannot read", "Permission denied")


def test_a_file_that_cannot_be_read_is_no_statement(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from gate.app import sign
    from gate.errors import AttestError

    def fails(*_: object) -> bytes:
        raise AttestError("cannot read")

    monkeypatch.setattr(sign, "read_prefix", fails)
    assert "3 files" in inside("sign", str(place / "st"), "--key", "../key").out


def test_every_bad_statement_is_named_and_nothing_is_written(place: Path) -> None:
    folder = place / "st"
    (folder / "bad0.json").write_bytes(statement(9).replace(b"prompt", b"unheard-of"))
    (folder / "bad1.json").write_bytes(b'{"_type": "https://in-toto.io/Statement/v1", ')
    (folder / "bad2.json").write_bytes(b"{}")
    (folder / "bad3.json").write_bytes(statement(9).replace(b"%064x" % 9, b"abc"))
    (folder / "bad4.json").symlink_to("s0.json")
    (folder / "bad5.json").mkdir()
    os.mkfifo(folder / "bad6.json")
    assert inside("sign", "st/s0.json", "--key", "../key", "--out", "st/bad7.json").code == 0
    done = inside("sign", "--in", "st", "--key", "../no-such-key")
    refused(done, "8 of 11 statements cannot be signed, and nothing was written", *(f"bad{n}.json: " for n in range(8)))
    assert "s0.json: " not in done.err
    assert written() == {}


def test_a_broken_statement_makes_no_model_of_a_folder_of_statements(place: Path) -> None:
    (place / "st" / "s3.json").write_bytes(b'{"_type": "https://in-toto.io/Statement/v1", ')
    refused(
        inside("sign", "st", "--key", "../key"), "1 of 4 statements cannot be signed", "s3.json: this looks like an"
    )


def test_a_large_statement_says_which_limit_it_needs(place: Path) -> None:
    value = json.loads(statement(0))
    value["subject"] = [{"name": f"f{n}", "digest": {"sha256": f"{n:064x}"}} for n in range(9000)]
    (place / "st" / "large.json").write_text(json.dumps(value))
    done = inside("sign", "--in", "st", "--key", "../key")
    assert "note      this bundle needs limits: {evidence_bytes: 2MiB} in gate.yaml" in done.out


@pytest.mark.usefixtures("place")
def test_another_partys_signature_over_one_statement_is_kept() -> None:
    for key in ("../other", "../key", "../key"):
        assert inside("sign", "st/s0.json", "--key", key).code == 0
    assert sorted(is_by(bundle, KEY) for bundle in written().values()) == [False, True]
    refused(inside("sign", "st/s0.json", "--key", "../key", "--shards"), "is a statement: nothing is hashed")


def test_what_is_no_bundle_is_not_replaced_and_then_nothing_is(place: Path) -> None:
    (place / FOLDER).mkdir(parents=True)
    (place / FOLDER / "s1.sigstore.json").write_bytes(b"mine")
    refused(inside("sign", "--in", "st", "--key", "../key"), "1 of 3", "s1.json: ", "exists and is not overwritten")
    assert written() == {"s1.sigstore.json": b"mine"}


@pytest.mark.usefixtures("place")
def test_another_partys_signature_is_kept() -> None:
    assert inside("sign", "--in", "st", "--key", "../other").code == 0
    first = written()
    done = inside("sign", "--in", "st", "--key", "../key")
    assert "(3 new, 0 replaced)" in done.out
    both = written()
    assert len(both) == 6
    assert first.items() <= both.items()
    own = trusted(KEY).spki.removeprefix("sha256:")[:12]
    assert is_by(both[f"s0.{own}.sigstore.json"], KEY)
    assert "(0 new, 3 replaced)" in inside("sign", "--in", "st", "--key", "../key").out
    Path(f"st/s0.{own}.json").write_bytes(statement(0))
    before = written()
    refused(inside("sign", "--in", "st", "--key", "../key"), "would be written for two statements")
    assert written() == before


def test_places_that_make_no_sense_are_refused(place: Path) -> None:
    (place / "empty").mkdir()
    refused(inside("sign", "--in", "empty", "--key", "../key"), "empty: there are no statements (*.json)")
    refused(inside("sign", "--in", "none", "--key", "../key"), "cannot read none")
    refused(inside("sign", "--in", "st", "--key", "../key", "--out", "st"), "is the folder that is signed")
    (place / "file").write_bytes(b"")
    refused(inside("sign", "--in", "st", "--key", "../key", "--out", "file"), "cannot write file/s0.sigstore.json")
    refused(inside("sign", "--key", "../key"), "Give what to sign", code=2)
    refused(inside("sign", "st", "--in", "st", "--key", "../key"), "Give what to sign", code=2)
    refused(inside("sign", "--in", "st", "--key", "../key", "--shards"), "are for models", code=2)
    assert written() == {}


def test_a_full_disk_leaves_everything_as_it_was(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inside("sign", "--in", "st", "--key", "../key").code == 0
    before = written()
    for number in range(3):
        (place / "st" / f"s{number}.json").write_bytes(statement(number + 10))
    synced: list[int] = []

    def full(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    refused(inside("sign", "--in", "st", "--key", "../key"), "No space left on device")
    assert written() == before


def test_a_key_is_opened_once_for_a_thousand_statements(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(1000):
        (place / "st" / f"s{number}.json").write_bytes(statement(number))
    opened: list[Path] = []
    load = key_files.load_file_signer

    def counting(path: Path, passphrase: Passphrase) -> KeySigner:
        opened.append(path)
        return load(path, passphrase)

    monkeypatch.setattr(key_files, "load_file_signer", counting)
    done = inside("sign", "--in", "st", "--key", "../key")
    assert "1000 statements" in done.out
    assert len(written()) == 1000
    assert len(opened) == 1


@pytest.mark.usefixtures("place")
def test_a_key_in_a_variable_signs_and_is_not_shown() -> None:
    here = Path.cwd()
    secret = pem(KEY).decode()
    done = gate("sign", "--in", "st", "--key", "env:SIGNING_KEY", cwd=here, environment={"SIGNING_KEY": secret})
    assert (done.code, done.err) == (0, "")
    assert is_by(written()["s0.sigstore.json"], KEY)
    encrypted = {"SIGNING_KEY": pem(KEY, b"open sesame").decode()}
    refused(gate("sign", "st", "--key", "env:SIGNING_KEY", cwd=here, environment=encrypted), "no terminal to ask on")
    broken = {"SIGNING_KEY": secret.splitlines()[1]}
    done = gate("sign", "st", "--key", "env:SIGNING_KEY", cwd=here, environment=broken)
    refused(done, "the environment variable SIGNING_KEY is not one private key")
    assert broken["SIGNING_KEY"] not in done.err
    refused(gate("sign", "st", "--key", "env:NONE", cwd=here), "NONE is not set")
    refused(gate("sign", "st", "--key", secret, cwd=here), "--key holds a private key itself")


def aws_environment(service: AwsKms) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_KMS": service.url,
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": TOKEN,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


@pytest.mark.usefixtures("place")
def test_a_key_in_aws_kms_signs_and_one_that_fails_on_the_way_leaves_nothing() -> None:
    here = Path.cwd()
    with serving(AwsKms({"alias/release": AwsKey(KEY), "alias/off": AwsKey(KEY, "DisabledException")})) as service:
        environment = aws_environment(service)
        refused(
            gate("sign", "--in", "st", "--key", "awskms:alias/off", cwd=here, environment=environment),
            "AWS KMS, alias/off: the key is disabled",
            "enable-key",
        )
        answer = service.answer
        signed: list[str] = []

        def failing(*arguments: Any) -> Any:
            signed.append("x")
            return aws_error("AccessDeniedException") if len(signed) == 3 else answer(*arguments)

        service.answer = failing  # type: ignore[assignment]
        done = gate("sign", "--in", "st", "--key", "awskms:alias/release", cwd=here, environment=environment)
        refused(done, "access is denied", "kms:Sign")
        assert TOKEN not in done.text
        assert written() == {}
        done = gate("sign", "--in", "st", "--key", "awskms:alias/release", cwd=here, environment=environment)
        assert (done.code, done.err) == (0, "")
    assert all(is_by(bundle, KEY) for bundle in written().values())


@pytest.mark.usefixtures("place")
def test_a_key_in_vault_signs() -> None:
    here = Path.cwd()
    with serving(Vault({"release": VaultKey("ecdsa-p256", [OTHER, KEY])})) as service:
        environment = {"VAULT_ADDR": service.url, "VAULT_TOKEN": TOKEN}
        done = gate("sign", "st", "--key", "hashivault:release", cwd=here, environment=environment)
        assert (done.code, done.err) == (0, "")
        wrong = {**environment, "VAULT_TOKEN": "t-wrong"}
        refused(gate("sign", "st", "--key", "hashivault:release", cwd=here, environment=wrong), "access is denied")
        service.sealed = True
        refused(gate("sign", "st", "--key", "hashivault:release", cwd=here, environment=environment), "sealed")
    assert all(is_by(bundle, KEY) for bundle in written().values())


def test_a_key_on_a_token_signs_and_its_pin_is_not_shown(place: Path, tmp_path: Path) -> None:
    environment = {"SOFTHSM2_CONF": str(make_tokens(tmp_path / "hsm")), "TOKEN_PIN": PIN, "WRONG": "0000-9999"}
    key = f"pkcs11:token=gate;object=p384?module-path={LIBRARY}"
    done = gate("sign", "st", "--key", f"{key}&pin-source=env:TOKEN_PIN", cwd=place, environment=environment)
    assert (done.code, done.err) == (0, "")
    assert "key       ecdsa-p384-sha384 sha256:" in done.out
    assert len(written()) == 3
    wrong = gate("sign", "st", "--key", f"{key}&pin-source=env:WRONG", cwd=place, environment=environment)
    refused(wrong, "PKCS#11 token 'gate': the PIN is wrong; it was tried once")
    asked = gate("sign", "st", "--key", key, cwd=place, environment=environment)
    refused(asked, "PIN of PKCS#11 token 'gate': there is no terminal to ask on")
    given = gate("sign", "st", "--key", f"{key}&pin-value={PIN}", cwd=place, environment=environment)
    refused(given, "holds a PIN, and command lines are read by others")
    for run in (done, wrong, asked, given):
        assert PIN not in run.text
        assert "0000-9999" not in run.text
