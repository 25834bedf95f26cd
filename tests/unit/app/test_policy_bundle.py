"""A policy bundle judges only when everything about it holds; each obligation is missed here in its own way."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gate import resources
from gate.app.policy import judging_policy, load_policy
from gate.app.policy_bundle import BuildRequest, build_bundle, open_bundle, read_pair
from gate.errors import AttestError, ConfigError, PolicyError
from gate.evaluate.bundle import make_bundle, packaged_bundle
from gate.evaluate.opa_bundle import AUTHZ, MANIFEST, ROOTS, bundle_files, pack, unpack
from gate.formats.opa_signatures import PATH, signature_file, signing_input
from gate.model.policy import JudgingPolicy, PolicyOrigin
from gate.model.settings import PolicySettings
from gate.verify.trust import TrustStore
from tests.support.evidence import NOW_S, SigningKey, bundle, digest_of, make_key, signer, statement, trust

KIND = "urn:promotion-gate:predicate:policy-bundle:v1"
WORDS = {"p256": "ES256", "p384": "ES384", "ed25519": "EdDSA", "rsa-pss": "PS256", "rsa-pkcs1": "RS256"}
POLICY = packaged_bundle()
KEY = make_key("policy", "p256")
STRANGER = make_key("stranger", "p256")
COLLEAGUE = make_key("colleague", "p256")
MAIN = "gate/main/main.rego"


def library(**changes: bytes | None) -> dict[str, bytes]:
    """The files of a bundle, some of them changed or left out; its manifest as it was."""
    files = {**bundle_files(POLICY, resources.authz_policy(), 3, "0.1.0"), **changes}
    return {path: data for path, data in files.items() if data is not None}


def sealed(
    files: Mapping[str, bytes] | None = None,
    key: SigningKey = KEY,
    *,
    opa: SigningKey | None = None,
    opa_files: Mapping[str, bytes] | None = None,
    predicate: Mapping[str, Any] | None = None,
    subjects: Mapping[str, bytes] | None = None,
    kind: str = KIND,
) -> tuple[bytes, bytes]:
    """A bundle and its envelope as somebody with a key could make them."""
    whole = dict(files or library())
    opa = opa or key
    if opa_files != {}:
        signed = signing_input(opa_files or whole, WORDS[opa.kind])
        whole[PATH] = signature_file(signed, WORDS[opa.kind], opa.sign(signed))
    data = pack(whole)
    says = {
        "serial": 3,
        "revision": make_bundle({p: d for p, d in whole.items() if p not in {PATH, MANIFEST, AUTHZ}}).digest,
        "roots": list(ROOTS),
        "files": {path: digest_of(content) for path, content in whole.items()},
    }
    about = {name: digest_of(content) for name, content in (subjects or {"policy.tar.gz": data}).items()}
    payload = statement(subjects=about, kind=kind, predicate={**says, **(predicate or {})})
    return data, bundle(payload, key)


def store(**more: Any) -> TrustStore:
    """Trust in the key of the tests, and in a colleague who may not speak for policies."""
    return trust(signer("policy", KEY, ["policy.bundle"]), signer("colleague", COLLEAGUE, ["prompt"]), **more)


def refusal(pair: tuple[bytes, bytes], trusted: TrustStore | None = None, serial: int = 1) -> str:
    with pytest.raises(PolicyError) as caught:
        open_bundle(*pair, trusted or store(), serial)
    assert caught.value.hint
    return str(caught.value)


class TestWhatHolds:
    @pytest.mark.parametrize("kind", sorted(WORDS))
    def test_a_bundle_of_every_kind_of_key_is_opened(self, kind: str) -> None:
        key = make_key("policy", kind)
        found = open_bundle(*sealed(key=key), trust(signer("policy", key, ["policy.*"])), 3)
        assert (found.policy.digest, found.policy.serial, found.files) == (POLICY.digest, 3, len(library()) + 1)
        assert [one.name for one in found.signers] == ["policy"]

    def test_a_bundle_brings_its_library(self) -> None:
        rules = {**POLICY.files, MAIN: POLICY.files[MAIN] + b"\n# of another version\n"}
        other = make_bundle(rules)
        files = bundle_files(other, b"package system.authz\n", 3, "9.9.9")
        assert open_bundle(*sealed(files), store(), 1).policy.digest == other.digest

    def test_the_serial_that_is_asked_for_is_enough(self) -> None:
        assert open_bundle(*sealed(), store(), 3).manifest.serial == 3

    def test_two_people_can_be_needed(self) -> None:
        second = make_key("second", "ed25519")
        both = signer("policy", KEY, ["policy.bundle"]), signer("second", second, ["policy.bundle"])
        assert "needs 2" in refusal(sealed(), trust(*both, thresholds={"policy.bundle": 2}))
        data, _ = sealed()
        payload = statement(
            subjects={"x": digest_of(data)},
            kind=KIND,
            predicate={
                "serial": 3,
                "revision": POLICY.digest,
                "roots": list(ROOTS),
                "files": {path: digest_of(content) for path, content in unpack(data).items()},
            },
        )
        found = open_bundle(data, bundle(payload, KEY, second), trust(*both, thresholds={"policy.bundle": 2}), 1)
        assert [one.name for one in found.signers] == ["policy", "second"]


class TestWhoSigned:
    def test_another_key(self) -> None:
        assert "no trusted key made the signature" in refusal(sealed(key=STRANGER))

    def test_a_key_without_the_claim(self) -> None:
        assert "colleague may not speak for policy.bundle" in refusal(sealed(key=COLLEAGUE))

    @pytest.mark.parametrize("window", [{"valid_until_s": NOW_S - 1}, {"valid_from_s": NOW_S + 1}])
    def test_a_key_outside_its_window(self, window: dict[str, int]) -> None:
        assert "outside its validity" in refusal(sealed(), trust(signer("policy", KEY, ["policy.bundle"], **window)))

    def test_a_revoked_key(self) -> None:
        assert "is revoked" in refusal(sealed(), store(revoked_keys=["policy"]))

    def test_a_revoked_bundle_and_a_revoked_envelope(self) -> None:
        pair = sealed()
        for content in pair:
            assert "revoked in gate.yaml" in refusal(pair, store(revoked_evidence=[digest_of(content)]))

    def test_nobody(self) -> None:
        data, _ = sealed()
        for envelope in (b"", b"{}", b"[]", data):
            assert "envelope" in refusal((data, envelope))
        unsigned = b'{"payload":"e30=","payloadType":"application/vnd.in-toto+json","signatures":[]}'
        assert "no signature" in refusal((data, unsigned))

    def test_opa_is_given_a_signature_of_the_same_signer(self) -> None:
        assert "no trusted key" in refusal(sealed(opa=STRANGER))
        assert "is by colleague" in refusal(sealed(opa=COLLEAGUE))


class TestWhatIsSigned:
    def test_the_envelope_of_another_bundle(self) -> None:
        (data, _), (_, envelope) = sealed(), sealed(library(**{AUTHZ: b"package system.authz\n"}))
        assert "but its envelope signs" in refusal((data, envelope))

    @pytest.mark.parametrize(
        "change",
        [
            {AUTHZ: b"package system.authz\ndefault allow := true\n"},
            {MAIN: b"package gate.main\n"},
            {"gate/lib/x/x.rego": b"package gate.lib.x\n"},
            {"gate/lib/shape/shape.rego": None},
            {MANIFEST: library()[MANIFEST].replace(b'"serial":3', b'"serial":4')},
            {MANIFEST: library()[MANIFEST].replace(b'"system"', b'"other"')},
        ],
        ids=["authorisation", "changed", "extra", "missing", "serial", "roots"],
    )
    def test_a_bundle_that_was_changed_afterwards(self, change: dict[str, bytes | None]) -> None:
        assert "but its envelope signs" in refusal((pack(library(**change)), sealed()[1]))

    @pytest.mark.parametrize(
        ("change", "what"),
        [
            ({MAIN: b"package gate.main\n"}, "revision"),
            ({"gate/lib/x/x.rego": b"package gate.lib.x\n"}, "revision"),
            ({"gate/lib/shape/shape.rego": None}, "revision"),
            ({MANIFEST: library()[MANIFEST].replace(b'"serial":3', b'"serial":4')}, "serial"),
            ({MANIFEST: library()[MANIFEST].replace(b'"system"', b'"other"')}, "roots"),
            ({MANIFEST: None}, "lacks .manifest"),
            ({AUTHZ: None}, "lacks system/authz"),
        ],
    )
    def test_a_bundle_that_a_trusted_signer_made_otherwise(self, change: dict[str, bytes | None], what: str) -> None:
        assert what in refusal(sealed(library(**change)))

    def test_a_stripped_signature(self) -> None:
        assert "lacks .signatures.json" in refusal(sealed(opa_files={}))

    @pytest.mark.parametrize("change", [{AUTHZ: b"package system.authz\n"}, {AUTHZ: None}, {"gate/x.rego": b""}])
    def test_a_signature_for_opa_over_other_files(self, change: dict[str, bytes | None]) -> None:
        assert "not for exactly the files" in refusal(sealed(opa_files=library(**change)))

    @pytest.mark.parametrize(
        ("says", "what"),
        [
            ({"serial": 4}, "serial"),
            ({"revision": "sha256:" + "0" * 64}, "revision"),
            ({"roots": ["gate"]}, "roots"),
            ({"files": {MAIN: digest_of("x")}}, "files"),
            ({"serial": "3"}, "malformed"),
            ({"serial": True}, "malformed"),
            ({"serial": 0}, "malformed"),
            ({"files": {}}, "malformed"),
            ({"more": 1}, "malformed"),
        ],
    )
    def test_a_statement_that_says_something_else(self, says: dict[str, Any], what: str) -> None:
        assert what in refusal(sealed(predicate=says))

    def test_a_statement_of_another_kind_or_about_more(self) -> None:
        assert "no policy bundle" in refusal(sealed(kind="urn:promotion-gate:predicate:prompt:v1"))
        data, _ = sealed()
        assert "but its envelope signs" in refusal(sealed(subjects={"policy.tar.gz": data, "other": b""}))
        assert "_type" in refusal((data, bundle(b"{}", KEY)))

    def test_an_older_serial(self) -> None:
        assert "has the serial 3, but gate.yaml asks for at least 4" in refusal(sealed(), serial=4)

    def test_no_changed_byte_is_loaded_differently(self) -> None:
        data, envelope = sealed()
        chance, trusted, loaded = random.Random(4), store(), 0
        places = [(0, place) for place in chance.sample(range(len(data)), 1000)]
        places += [(1, place) for place in chance.sample(range(len(envelope)), 1000)]
        for which, place in places:
            pair = [data, envelope]
            old = pair[which][place]
            pair[which] = pair[which][:place] + bytes([old ^ chance.randrange(1, 256)]) + pair[which][place + 1 :]
            try:
                assert open_bundle(pair[0], pair[1], trusted, 1).policy.digest == POLICY.digest
            except PolicyError:
                continue
            assert which == 1  # only in what nobody reads: the hint that helps people to find the key
            loaded += 1
        assert loaded < 40


class TestLoading:
    def test_the_settings_choose(self) -> None:
        data, envelope = sealed()
        settings = PolicySettings(bundle_path="p.tar.gz", bundle=data, envelope=envelope, serial=2)
        found = load_policy(settings, store())
        assert judging_policy(settings, found) == JudgingPolicy(PolicyOrigin.BUNDLE, 3)
        assert load_policy(PolicySettings(), store()).digest == found.digest
        with pytest.raises(PolicyError, match="nothing signs the policy bundle"):
            load_policy(PolicySettings(bundle_path="p.tar.gz", bundle=data), store())

    def test_own_controls_are_named(self) -> None:
        rules = POLICY.modules["gate/controls/scan/malware/malware.rego"]
        own = {"policy/gate/controls/scan/malware/malware.rego": rules.encode()}
        settings = PolicySettings(("policy",), ("scan.malware",), own)
        found = judging_policy(settings, load_policy(settings, store()))
        assert found == JudgingPolicy(PolicyOrigin.DIRECTORIES, None, ("scan.malware",), ("scan.malware",))
        assert judging_policy(PolicySettings(), POLICY) == JudgingPolicy()


class TestBuilding:
    @pytest.fixture
    def place(self, tmp_path: Path) -> Path:
        pem = KEY.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "k.key").write_bytes(pem)
        (tmp_path / "k.key").chmod(0o600)
        profile = tmp_path / "policy/gate/profiles/team/data.json"
        profile.parent.mkdir(parents=True)
        profile.write_text('{"name": "team", "description": "Ours.", "extends": "baseline", "controls": {}}')
        return tmp_path

    def build(self, place: Path, serial: int = 1, out: str = "p.tar.gz") -> None:
        build_bundle(BuildRequest(place, Path(out), "k.key", serial), lambda _: "")

    def test_what_is_built_is_opened(self, place: Path) -> None:
        self.build(place)
        found = open_bundle(*read_pair(place / "p.tar.gz"), store(), 1)
        assert set(found.policy.profiles) == {*packaged_bundle().profiles, "team"}

    def test_only_a_higher_serial_replaces_it(self, place: Path) -> None:
        self.build(place, 2)
        before = read_pair(place / "p.tar.gz")
        for serial in (1, 2):
            with pytest.raises(ConfigError, match="is not higher"):
                self.build(place, serial)
        assert read_pair(place / "p.tar.gz") == before
        self.build(place, 3)
        assert open_bundle(*read_pair(place / "p.tar.gz"), store(), 3).manifest.serial == 3

    def test_nothing_else_is_overwritten(self, place: Path) -> None:
        (place / "note.tar.gz").write_bytes(b"a note")
        (place / "link.tar.gz").symlink_to("nowhere")
        (place / "folder.tar.gz").mkdir()
        (place / "half.tar.gz.sigstore.json").write_bytes(b"")
        for name in ("note", "link", "folder", "half"):
            with pytest.raises(AttestError, match="is not overwritten"):
                self.build(place, out=f"{name}.tar.gz")
        assert (place / "note.tar.gz").read_bytes() == b"a note"
        assert not (place / "half.tar.gz").exists()

    def test_a_name_or_serial_that_nobody_could_use_is_refused(self, place: Path) -> None:
        with pytest.raises(ConfigError, match="OPA reads a bundle only"):
            self.build(place, out="policy.tgz")
        for serial in (0, 1 << 53):
            with pytest.raises(ConfigError, match="whole number"):
                self.build(place, serial)

    def test_a_policy_that_could_not_judge_is_not_signed(self, place: Path) -> None:
        broken = place / "policy/custom/lib/x/x.rego"
        broken.parent.mkdir(parents=True)
        broken.write_text("package custom.lib.x\n\na := http.send({})\n")
        with pytest.raises(PolicyError, match=r"no policy may call http\.send"):
            self.build(place)
        assert not list(place.glob("*.tar.gz*"))

    def test_a_profile_that_engines_could_read_differently_is_not_signed(self, place: Path) -> None:
        profile = place / "policy/gate/profiles/team/data.json"
        profile.write_text("name: team\ndescription: YAML.\nextends: baseline\ncontrols: {}\n")
        with pytest.raises(PolicyError, match="is no JSON"):
            self.build(place)
        assert not list(place.glob("*.tar.gz*"))

    def test_a_bundle_without_its_envelope_cannot_be_verified(self, place: Path) -> None:
        self.build(place)
        (place / "p.tar.gz.sigstore.json").unlink()
        with pytest.raises(ConfigError, match="cannot read"):
            read_pair(place / "p.tar.gz")
