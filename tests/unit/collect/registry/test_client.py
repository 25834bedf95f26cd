"""What the client does with a registry that behaves: authorization, TLS, redirects, asking again, storing."""

from __future__ import annotations

import base64
import builtins
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from gate.collect.oci import open_client, open_writer, read_attached
from gate.collect.registry import transport
from gate.collect.registry.access import Target
from gate.collect.registry.client import Bounds, Client
from gate.collect.registry.credentials import Credentials
from gate.collect.registry.writer import Writer
from gate.errors import ConfigError, EvidenceError
from gate.formats.image_reference import Repository
from gate.formats.oci import EMPTY_CONFIG, INDEX, MANIFEST, describe, fallback_tag
from gate.model.digest import Digest, sha256_digest
from gate.model.json import JsonObject
from gate.model.registry import OciEvidence, RegistryAccess
from gate.model.settings import Limits
from tests.support.hostile_registry import BUNDLE, REPOSITORY, Handler, HostileRegistry
from tests.support.liar import Authority, server_context

ANN = Credentials("ann", "secret")
BASIC = "Basic " + base64.b64encode(b"ann:secret").decode()
QUICK = Bounds(pauses_s=(0.01, 0.01))
DATA = b'{"stored":1}'


@pytest.fixture
def registry() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


def target(registry: HostileRegistry, host: str = "", **access: Any) -> Target:
    return Target(Repository(host or registry.host, REPOSITORY), RegistryAccess(**{"timeout_s": 10, **access}))


def bundle_of(client: Client, registry: HostileRegistry) -> bytes:
    ((item,), has_api) = client.referrers(registry.image)
    assert has_api == registry.has_api
    assert item.digest == registry.bundle
    return client.blob(describe(BUNDLE, "x"), 1000)


def with_token(asked: Handler, token: str = "t-1") -> bool:  # a test's token
    """Wants a token that its own server gives for a name and password."""
    if asked.path.startswith("/token"):
        return asked.say(200, json.dumps({"token": token}).encode())
    if asked.headers.get("Authorization") == f"Bearer {token}":
        return False
    challenge = f'Basic realm="x", Bearer realm="{asked.registry.url}/token",service="s p",scope="everything:*"'
    return asked.say(401, WWW_Authenticate=challenge)


class TestAuthorization:
    def test_s30_a_token_is_asked_for_with_the_least_rights(self, registry: HostileRegistry) -> None:
        registry.behave = with_token
        with Client(target(registry), find=lambda _: ANN) as client:
            assert bundle_of(client, registry) == BUNDLE
        (asked,) = [path for _, path in registry.requests if path.startswith("/token")]
        assert parse_qs(urlsplit(asked).query) == {"scope": [f"repository:{REPOSITORY}:pull"], "service": ["s p"]}
        assert registry.seen == [None, BASIC, "Bearer t-1", "Bearer t-1"]

    def test_without_credentials_a_token_is_asked_for_by_nobody(self, registry: HostileRegistry) -> None:
        registry.behave = with_token
        with Client(target(registry), find=lambda _: None) as client:
            assert bundle_of(client, registry) == BUNDLE
        assert registry.seen[1] is None

    def test_an_identity_token_is_sent_in_the_body(self, registry: HostileRegistry) -> None:
        bodies: list[bytes] = []

        def behave(asked: Handler) -> bool:
            if asked.path.startswith("/token"):
                bodies.append(asked.body)
            return with_token(asked)

        registry.behave = behave
        with Client(target(registry), find=lambda _: Credentials("", "id&1", is_identity_token=True)) as client:
            assert bundle_of(client, registry) == BUNDLE
        form = parse_qs(bodies[0].decode())
        assert (form["grant_type"], form["refresh_token"]) == (["refresh_token"], ["id&1"])
        assert registry.requests[1] == ("POST", "/token")

    def test_a_token_that_runs_out_is_asked_for_again(self, registry: HostileRegistry) -> None:
        tokens = iter(("t-1", "t-2"))
        current = [""]

        def behave(asked: Handler) -> bool:
            if asked.path.startswith("/token"):
                current[0] = next(tokens)
            return with_token(asked, current[0] if asked.kind != "blobs" else "t-2")

        registry.behave = behave
        with Client(target(registry), find=lambda _: ANN) as client:
            assert bundle_of(client, registry) == BUNDLE

    def test_a_name_and_password_are_sent_once_they_are_asked_for(self, registry: HostileRegistry) -> None:
        registry.behave = lambda asked: (
            asked.headers.get("Authorization") != BASIC and asked.say(401, WWW_Authenticate='Basic realm="x"')
        )
        asked_for: list[str] = []

        def find(name: str) -> Credentials:
            asked_for.append(name)
            return ANN

        with Client(target(registry), find=find) as client:
            assert bundle_of(client, registry) == BUNDLE
        assert registry.seen == [None, BASIC, BASIC]
        assert asked_for == [registry.host]

    @pytest.mark.parametrize("found", [None, Credentials("", "t", is_identity_token=True)])
    def test_without_a_name_and_password_the_error_says_what_to_do(
        self, registry: HostileRegistry, found: Credentials | None
    ) -> None:
        registry.behave = lambda asked: asked.say(401, WWW_Authenticate='Basic realm="x"')
        with Client(target(registry), find=lambda _: found) as client, pytest.raises(EvidenceError) as caught:
            client.referrers(registry.image)
        assert caught.value.hint == f"docker login {registry.host}"

    def test_s30_no_credentials_over_plain_http_to_another_machine(
        self, registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registry.behave = with_token
        named(monkeypatch, "registry.test")
        remote = target(registry, f"registry.test:{registry.port}", insecure=True, private=True)
        with Client(remote, find=lambda _: ANN) as client, pytest.raises(EvidenceError, match="over plain HTTP"):
            client.referrers(registry.image)
        assert registry.seen == [None]

    def test_a_configured_token_server_gets_the_credentials(self, registry: HostileRegistry) -> None:
        with HostileRegistry(with_token) as tokens:

            def behave(asked: Handler) -> bool:
                if asked.headers.get("Authorization") == "Bearer t-1":
                    return False
                return asked.say(401, WWW_Authenticate=f'Bearer realm="{tokens.url}/token"')

            registry.behave = behave
            with Client(target(registry, token_host=tokens.host), find=lambda _: ANN) as client:
                assert bundle_of(client, registry) == BUNDLE
            assert tokens.seen == [BASIC]
            assert BASIC not in registry.seen


def named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Gives this machine another name."""
    import socket

    original = socket.getaddrinfo

    def look_up(host: Any, *arguments: Any, **more: Any) -> Any:
        return original("127.0.0.1" if host == name else host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


class TestTransport:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> Authority:
        return Authority(tmp_path)

    def test_tls_with_a_configured_authority(self, authority: Authority) -> None:
        context = server_context(*authority.issue("registry", "127.0.0.1"))
        with HostileRegistry(with_token, context) as registry:
            with Client(target(registry, ca=authority.pem), find=lambda _: ANN) as client:
                assert bundle_of(client, registry) == BUNDLE
            with (
                HostileRegistry() as plain,
                Client(target(registry, ca=authority.pem), bounds=QUICK, find=lambda _: ANN) as client,
            ):
                registry.behave = lambda asked: asked.say(302, Location=f"{plain.url}{asked.path}")
                with pytest.raises(EvidenceError, match="from HTTPS to plain HTTP"):
                    client.blob(describe(BUNDLE, "x"), 1000)
                assert plain.requests == []

    def test_an_unknown_authority_is_refused(self, authority: Authority, tmp_path: Path) -> None:
        (tmp_path / "other").mkdir()
        other = Authority(tmp_path / "other")
        context = server_context(*authority.issue("registry", "127.0.0.1"))
        with (
            HostileRegistry(tls=context) as registry,
            Client(target(registry, ca=other.pem), bounds=QUICK) as client,
            pytest.raises(EvidenceError, match="is not trusted"),
        ):
            client.referrers(registry.image)

    def test_another_name_is_refused(self, authority: Authority) -> None:
        context = server_context(*authority.issue("registry", "other.test"))
        with (
            HostileRegistry(tls=context) as registry,
            Client(target(registry, ca=authority.pem), bounds=QUICK) as client,
            pytest.raises(EvidenceError, match="is not trusted"),
        ):
            client.referrers(registry.image)

    def test_plain_http_where_tls_is_wanted(self, registry: HostileRegistry, authority: Authority) -> None:
        registry.behave = lambda asked: asked.raw(b"")
        with (
            Client(target(registry, ca=authority.pem), bounds=QUICK) as client,
            pytest.raises(EvidenceError, match=r"no TLS connection|broke off"),
        ):
            client.referrers(registry.image)

    def test_a_handshake_that_never_ends_ends_with_the_time(self, authority: Authority) -> None:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as silent:
            place = Target(
                Repository(f"127.0.0.1:{silent.getsockname()[1]}", "a"), RegistryAccess(ca=authority.pem, timeout_s=1)
            )
            with Client(place, bounds=QUICK) as client, pytest.raises(EvidenceError, match="in time"):
                client.referrers(Digest("sha256:" + "0" * 64))

    def test_an_authority_that_is_none(self, registry: HostileRegistry) -> None:
        with pytest.raises(ConfigError, match="no certificate in PEM"):
            Client(target(registry, ca=b"x"))

    def test_nobody_there(self) -> None:
        with HostileRegistry() as gone:
            pass
        with Client(target(gone), bounds=QUICK) as client, pytest.raises(EvidenceError, match="nobody listens"):
            client.referrers(gone.image)

    def test_what_fails_now_and_then_is_asked_again(self, registry: HostileRegistry) -> None:
        def behave(asked: Handler) -> bool:
            number = len(registry.requests) % 3
            return (number == 1 and asked.say(503, Retry_After="0")) or (number == 2 and asked.raw(b""))

        registry.behave = behave
        with Client(target(registry), bounds=QUICK) as client:
            assert bundle_of(client, registry) == BUNDLE
        assert len(registry.requests) == 6

    def test_silence_breaks_off_before_the_time_is_over(
        self, registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(transport, "READ_S", 0.2)
        registry.behave = lambda _: registry.ended.wait(20)
        with Client(target(registry), bounds=QUICK) as client, pytest.raises(EvidenceError, match="did not answer in"):
            client.referrers(registry.image)
        assert len(registry.requests) == 3

    def test_waiting_ends_with_the_time(self, registry: HostileRegistry) -> None:
        registry.behave = lambda asked: asked.say(503, Retry_After="9")
        with Client(target(registry, timeout_s=1)) as client, pytest.raises(EvidenceError, match="in time"):
            client.referrers(registry.image)

    def test_redirects_of_blobs_are_followed_without_credentials(self, registry: HostileRegistry) -> None:
        registry.behave = with_token
        with HostileRegistry() as store:

            def behave(asked: Handler) -> bool:
                if asked.kind == "blobs" and not asked.path.endswith("?here"):
                    return asked.say(307, Location=f"{asked.path}?here")
                if asked.path.endswith("?here"):
                    return asked.say(302, Location=f"{store.url}{asked.path}&signature=s")
                return with_token(asked)

            registry.behave = behave
            with Client(target(registry), find=lambda _: ANN) as client:
                assert bundle_of(client, registry) == BUNDLE
            assert store.seen == [None]

    def test_a_registry_that_is_not_here_needs_to_be_configured(
        self, registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        named(monkeypatch, "registry.test")
        host = f"registry.test:{registry.port}"
        with (
            Client(target(registry, host, insecure=True)) as client,
            pytest.raises(EvidenceError, match="not a public one"),
        ):
            client.referrers(registry.image)
        with Client(target(registry, host, insecure=True, private=True)) as client:
            assert bundle_of(client, registry) == BUNDLE


class TestListing:
    def test_pages_are_followed_to_the_last(self, registry: HostileRegistry) -> None:
        for number in range(5):
            registry.attach(b"bundle %d" % number)
        entries = registry.listed[registry.image]

        def behave(asked: Handler) -> bool:
            if asked.kind != "referrers":
                return False
            start = int(parse_qs(urlsplit(asked.path).query).get("last", ["0"])[0])
            page = json.dumps({"schemaVersion": 2, "manifests": entries[start : start + 2]}).encode()
            more = f'<?last={start + 2}&n=2>; title="x"; rel="next"' if start + 2 < len(entries) else ""
            return asked.say(200, page, INDEX, Link=more)

        registry.behave = behave
        source = OciEvidence("server", None, RegistryAccess(timeout_s=10))
        found, skipped = read_attached(Path(), source, registry.reference, Limits())
        assert (len(found), skipped) == (6, {})

    def test_the_tag_is_read_only_where_referrers_are_unknown(self, registry: HostileRegistry) -> None:
        registry.has_api = False
        with Client(target(registry), bounds=QUICK) as client:
            assert client.referrers(registry.image) == ((), False)
            registry.manifests[fallback_tag(registry.image)] = registry.index(registry.image), INDEX
            assert bundle_of(client, registry) == BUNDLE

    def test_null_is_an_empty_list(self, registry: HostileRegistry) -> None:
        registry.behave = lambda asked: asked.say(200, b'{"schemaVersion":2,"manifests":null}', INDEX)
        with Client(target(registry)) as client:
            assert client.referrers(registry.image) == ((), True)

    def test_what_is_about_another_image_or_is_an_index_is_left_out(self, registry: HostileRegistry) -> None:
        other = registry.attach(b"other", subject=describe(b"another", MANIFEST).json)
        entries = registry.listed.pop(sha256_digest(b"another"))
        index = {**describe(b"{}", INDEX).json}
        registry.listed[registry.image] += [*entries, index]
        found, skipped = read_attached(Path(), OciEvidence("server"), registry.reference, Limits())
        assert [item.data for item in found] == [BUNDLE]
        assert skipped == {
            f"{registry.host}/{REPOSITORY}@{other}": "its subject is another manifest",
            f"{registry.host}/{REPOSITORY}@{index['digest']}": f"not a bundle but {INDEX!r}",
        }

    @pytest.mark.parametrize(
        ("image", "repository", "message"),
        [
            ("ghcr.io/a:v1", None, "has no digest"),
            ("no image", None, "not an image reference"),
            (f"ghcr.io/a@sha256:{'0' * 64}", "ghcr.io/a:v1", "neither tag nor digest"),
        ],
    )
    def test_an_image_without_digest_is_refused(self, image: str, repository: str | None, message: str) -> None:
        with pytest.raises(ConfigError, match=message):
            read_attached(Path(), OciEvidence("server", repository), image, Limits())

    def test_without_the_extra_the_error_names_it(
        self, registry: HostileRegistry, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        original = builtins.__import__

        def without(name: str, *arguments: Any, **more: Any) -> Any:
            if name.partition(".")[0] == "urllib3":
                raise ImportError(name)
            return original(name, *arguments, **more)

        monkeypatch.delitem(sys.modules, "urllib3", raising=False)
        monkeypatch.setattr(builtins, "__import__", without)
        attempts: list[Callable[[], Client]] = [
            lambda: open_client(target(registry), Limits()),
            lambda: open_writer(target(registry)),
        ]
        for attempt in attempts:
            with pytest.raises(ConfigError) as caught:
                attempt()
            assert caught.value.hint == "pip install 'gate[oci]'"


class TestStoring:
    """OCI-08: a fault at each step either does no harm or is an error, and doing it again is always right."""

    def test_a_blob_is_stored_once(self, registry: HostileRegistry) -> None:
        registry.behave = with_token
        with Writer(target(registry), find=lambda _: ANN) as writer:
            writer.put_blob(DATA)
            writer.put_blob(DATA)
        assert registry.blobs[sha256_digest(DATA)] == DATA
        assert [method for method, path in registry.requests if not path.startswith("/token")] == [
            "HEAD", "HEAD", "POST", "PUT", "HEAD",
        ]  # fmt: skip
        assert any("pull%2Cpush" in path for _, path in registry.requests)

    @pytest.mark.parametrize(
        ("command", "answer"),
        [
            ("POST", {"status": 500}),
            ("POST", {"status": 404}),
            ("POST", {"status": 202}),
            ("POST", {"status": 202, "Location": "http://127.0.0.2/upload"}),
            ("POST", {"status": 202, "Location": "file:///upload"}),
            ("PUT", {"status": 500}),
            ("PUT", {"status": 400}),
            ("HEAD", {"status": 500}),
        ],
    )
    def test_an_upload_that_fails_is_an_error_and_is_not_asked_for_twice(
        self, registry: HostileRegistry, command: str, answer: Any
    ) -> None:
        registry.behave = lambda asked: asked.command == command and asked.say(**answer)
        with Writer(target(registry), QUICK) as writer, pytest.raises(EvidenceError):
            writer.put_blob(DATA)
        if command != "HEAD":
            assert [method for method, _ in registry.requests].count(command) == 1
        assert sha256_digest(DATA) not in registry.blobs

    def test_an_upload_of_which_only_the_answer_was_lost_is_stored(self, registry: HostileRegistry) -> None:
        def behave(asked: Handler) -> bool:
            if asked.command != "PUT":
                return False
            registry.blobs[sha256_digest(asked.body)] = asked.body
            return asked.raw(b"")

        registry.behave = behave
        with Writer(target(registry), QUICK) as writer:
            writer.put_blob(DATA)

    def test_a_manifest_is_stored_once_and_read_back(self, registry: HostileRegistry) -> None:
        failures = iter((True, False))
        registry.behave = lambda asked: asked.command == "PUT" and next(failures, False) and asked.say(503)
        with Writer(target(registry), QUICK) as writer:
            assert writer.put_manifest(DATA, MANIFEST)
            assert not writer.put_manifest(DATA, MANIFEST)

    def test_a_manifest_that_is_not_kept_is_an_error(self, registry: HostileRegistry) -> None:
        registry.behave = lambda asked: asked.command == "PUT" and asked.say(201)
        with Writer(target(registry), QUICK) as writer, pytest.raises(EvidenceError, match="is not there"):
            writer.put_manifest(DATA, MANIFEST)

    def test_a_manifest_that_is_changed_is_an_error(self, registry: HostileRegistry) -> None:
        registry.behave = lambda asked: (
            asked.kind == "manifests" and asked.name == sha256_digest(DATA) and asked.say(200, b"x", MANIFEST)
        )
        with Writer(target(registry), QUICK) as writer, pytest.raises(EvidenceError, match="the bytes that came"):
            writer.put_manifest(DATA, MANIFEST)

    @staticmethod
    def entry(registry: HostileRegistry) -> JsonObject:
        return describe(registry.manifests[registry.bundle][0], MANIFEST).json

    def test_somebody_else_who_writes_the_tag_meanwhile_is_noticed(self, registry: HostileRegistry) -> None:
        registry.has_api = False
        tag = fallback_tag(registry.image)
        other = json.dumps({"schemaVersion": 2, "manifests": [{**describe(b"x", MANIFEST).json, "note": 1}]}).encode()
        writes = iter((True,))

        def behave(asked: Handler) -> bool:
            if asked.command == "PUT" and asked.name == tag and next(writes, False):
                registry.manifests[tag] = other, INDEX
                return asked.say(201)
            return False

        registry.behave = behave
        with Writer(target(registry), QUICK) as writer:
            assert writer.list_referrers(registry.image, [self.entry(registry)]) == tag
        listed = json.loads(registry.manifests[tag][0])["manifests"]
        assert [item["digest"] for item in listed] == [sha256_digest(b"x"), registry.bundle]
        assert listed[0]["note"] == 1

    def test_a_registry_that_never_lists_it_is_an_error(self, registry: HostileRegistry) -> None:
        registry.listed.clear()
        with Writer(target(registry), QUICK) as writer, pytest.raises(EvidenceError, match="does not list"):
            writer.list_referrers(registry.image, [self.entry(registry)])

    def test_a_tag_with_a_broken_index_stays(self, registry: HostileRegistry) -> None:
        registry.has_api = False
        broken = b'{"schemaVersion":2,"manifests":[1]}'
        registry.manifests[fallback_tag(registry.image)] = broken, INDEX
        with Writer(target(registry), QUICK) as writer:
            with pytest.raises(EvidenceError, match="no index of manifests"):
                writer.list_referrers(registry.image, [self.entry(registry)])
            with pytest.raises(EvidenceError, match="no index of manifests"):
                writer._extend(registry.image, [self.entry(registry)])
        assert registry.manifests[fallback_tag(registry.image)] == (broken, INDEX)

    def test_an_index_that_has_it_meanwhile_is_not_written(self, registry: HostileRegistry) -> None:
        registry.manifests[fallback_tag(registry.image)] = registry.index(registry.image), INDEX
        with Writer(target(registry), QUICK) as writer:
            writer._extend(registry.image, [self.entry(registry)])
        assert "PUT" not in {method for method, _ in registry.requests}

    def test_waiting_for_the_list_ends_with_the_time(self, registry: HostileRegistry) -> None:
        registry.listed.clear()
        place = target(registry, timeout_s=1)
        with (
            Writer(place, Bounds(pauses_s=(5.0,))) as writer,
            pytest.raises(EvidenceError, match="more than the 1 sec"),
        ):
            writer.list_referrers(registry.image, [self.entry(registry)])

    def test_the_empty_configuration_is_what_the_specification_says(self) -> None:
        assert sha256_digest(EMPTY_CONFIG).startswith("sha256:44136fa355b3678a")
