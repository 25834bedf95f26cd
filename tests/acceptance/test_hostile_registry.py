"""S30: whatever a registry does, the answer is exit code 3 in bounded time and memory, and credentials stay at home."""

from __future__ import annotations

import gzip
import itertools
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from gate.collect import oci
from gate.collect.oci import read_attached
from gate.collect.registry.client import Bounds, Client
from gate.errors import EvidenceError
from gate.formats.bundle import MEDIA_TYPE
from gate.formats.oci import INDEX, MANIFEST
from gate.model.evidence import Evidence
from gate.model.registry import OciEvidence, RegistryAccess
from gate.model.settings import Limits
from tests.support.hostile_registry import BUNDLE, Behaviour, Handler, HostileRegistry, docker_config, encode

SECRET: Final = "robot:a-password-that-must-stay-at-home"
LIMITS: Final = Limits(evidence_bytes=1 << 16, evidence_count=50)
MEMORY: Final = 32 << 20
SECONDS: Final = 8.0


@dataclass(frozen=True)
class Case:
    """What a registry does, and what the error says of it."""

    name: str
    behave: Callable[[HostileRegistry, HostileRegistry], Behaviour]
    message: str


CASES: list[Case] = []


def case(name: str, message: str) -> Callable[[Callable[..., Behaviour]], Callable[..., Behaviour]]:
    def add(behave: Callable[..., Behaviour]) -> Callable[..., Behaviour]:
        CASES.append(Case(name, behave, message))
        return behave

    return add


def on(kind: str, do: Callable[[Handler], bool]) -> Callable[[HostileRegistry, HostileRegistry], Behaviour]:
    """Does it for one kind of request, and answers the others well."""
    return lambda _registry, _thief: lambda asked: asked.kind == kind and do(asked)


def add(name: str, kind: str, message: str, do: Callable[[Handler], bool]) -> None:
    CASES.append(Case(f"{kind}: {name}", on(kind, do), message))


def says(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> Callable[[Handler], bool]:
    return lambda asked: asked.say(status, body, kind, **headers)


def raw(*data: bytes) -> Callable[[Handler], bool]:
    return lambda asked: asked.raw(b"".join(data))


HEAD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"


def forever(start: bytes, piece: bytes, pause_s: float = 0.0) -> Callable[[Handler], bool]:
    def behave(asked: Handler) -> bool:
        asked.raw(start)
        while not asked.registry.ended.wait(pause_s):
            asked.wfile.write(piece)
        return True

    return behave


# --- every status at every place: only 404 of what lists referrers means that nothing is there ------------------------

for place, code in itertools.product(
    ("referrers", "manifests", "blobs"), (201, 204, 206, 304, 400, 405, 406, 410, 418, 429, 500, 502, 503, 504)
):
    add(f"status {code}", place, f"HTTP status {code}", says(code))
for place in ("referrers", "manifests", "blobs"):
    add("status 403", place, "is refused", says(403))
    add("status 401 without a challenge", place, "no authorization that the gate knows", says(401))
    add("redirect to nowhere", place, "HTTP status 302|no address|more than", says(302))
add("what is listed is missing", "manifests", "is listed and is not there", says(404))
add("what is described is missing", "blobs", "HTTP status 404", says(404))

# --- other bytes than those that were asked for -----------------------------------------------------------------------

add("HTML with status 200", "manifests", "the bytes that came", says(200, b"<html>", "text/html"))
add("another manifest", "manifests", "the bytes that came", says(200, b'{"schemaVersion":2}', MANIFEST))
add("nothing", "manifests", "the bytes that came", says(200, b"", MANIFEST))
add("nothing", "blobs", "the bytes that came", says(200, b""))
add("other bytes of the same number", "blobs", "the bytes that came", says(200, BUNDLE.replace(b"knows", b"lies!")))
add("one byte less", "blobs", "the bytes that came", says(200, BUNDLE[:-1]))
add("one byte more", "blobs", "more than the", says(200, BUNDLE + b" "))
add(
    "with a header that swears",
    "blobs",
    "the bytes that came",
    lambda asked: asked.say(200, b"x" * len(BUNDLE), Docker_Content_Digest=asked.name),
)
add(
    "good bytes of another type",
    "manifests",
    "content type 'text/plain'",
    lambda asked: asked.say(200, asked.registry.manifests[asked.name][0], "text/plain"),
)
add(
    "good bytes of no type",
    "manifests",
    "content type ''",
    lambda asked: asked.say(200, asked.registry.manifests[asked.name][0], ""),
)

# --- lists that are none ----------------------------------------------------------------------------------------------

ENTRY: Final[dict[str, Any]] = {"mediaType": MANIFEST, "digest": "sha256:" + "1" * 64, "size": 10}


def listing(*entries: object, **more: object) -> bytes:
    return encode({"schemaVersion": 2, "mediaType": INDEX, "manifests": list(entries), **more})


for name, data in {
    "HTML": b"<html></html>",
    "nothing": b"",
    "a list": b"[]",
    "a byte order mark": b"\xef\xbb\xbf" + listing(),
    "two lists": b'{"schemaVersion":2,"manifests":[],"manifests":[]}',
    "NaN": listing(x=1).replace(b'"x":1', b'"x":NaN'),
    "a number beyond 64 bits": listing(x=1).replace(b'"x":1', b'"x":' + b"9" * 40),
    "100,000 levels": b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "another version": listing(schemaVersion=1),
    "true as the version": listing(schemaVersion=True),
    "another type": listing(mediaType=MANIFEST),
    "a mapping for a list": listing(manifests={}),
    "a string for an entry": listing("x"),
    "an entry without digest": listing({**ENTRY, "digest": None}),
    "an entry with MD5": listing({**ENTRY, "digest": "md5:" + "1" * 32}),
    "an entry with SHA-512": listing({**ENTRY, "digest": "sha512:" + "1" * 128}),
    "a digest in capitals": listing({**ENTRY, "digest": "sha256:" + "A" * 64}),
    "a path for a digest": listing({**ENTRY, "digest": "sha256:../../../etc/passwd"}),
    "a negative size": listing({**ENTRY, "size": -1}),
    "true as the size": listing({**ENTRY, "size": True}),
    "no type": listing({**ENTRY, "mediaType": ""}),
    "a number for a type": listing({**ENTRY, "artifactType": 1}),
}.items():
    add(name, "referrers", "no index of manifests", says(200, data, INDEX))
add("good content of another type", "referrers", "content type 'text/html'", says(200, listing(), "text/html"))
add(
    "51 entries where 50 are allowed",
    "referrers",
    "more than 50 manifests",
    says(200, listing(*({**ENTRY, "digest": f"sha256:{number:064x}"} for number in range(51))), INDEX),
)
add(
    "more bytes than a list may have",
    "referrers",
    "more than the 4194304 bytes",
    says(200, b" " * ((4 << 20) + 1), INDEX),
)

# --- manifests that lie about what they hold --------------------------------------------------------------------------

LAYER: Final = {"mediaType": MEDIA_TYPE, "digest": "sha256:" + "2" * 64, "size": 10}
for name, changes, said in (
    ("two layers", {"layers": [LAYER, LAYER]}, "exactly one"),
    ("no layer", {"layers": []}, "exactly one"),
    ("a layer of another type", {"layers": [{**LAYER, "mediaType": "text/html"}]}, "exactly one"),
    ("a layer of more bytes than are allowed", {"layers": [{**LAYER, "size": (1 << 16) + 1}]}, "more than the 65536"),
    ("a layer of a petabyte", {"layers": [{**LAYER, "size": 1 << 50}]}, "more than the 65536"),
    ("a layer without size", {"layers": [{**LAYER, "size": None}]}, "has no size"),
    ("a mapping for layers", {"layers": {}}, "no list of layers"),
    ("a number for its type", {"artifactType": 1}, "artifactType is not a string"),
    ("neither type nor configuration", {"artifactType": "", "config": None}, "config is not a descriptor"),
    ("the type of an index", {"mediaType": INDEX}, "not a document of the type"),
):

    def replaced(registry: HostileRegistry, _thief: HostileRegistry, changes: Any = changes) -> Behaviour:
        registry.replace(**changes)
        return lambda _: False

    CASES.append(Case(f"manifest: {name}", replaced, said))

# --- encodings, sizes, time -------------------------------------------------------------------------------------------

BOMB: Final = gzip.compress(b"\0" * (8 << 20))
for name, encoding in itertools.product(("manifests", "blobs"), ("gzip", "br", "zstd", "deflate", "gzip, gzip")):
    add(f"encoded as {encoding}", name, "which nobody asked for", says(200, BOMB, MANIFEST, Content_Encoding=encoding))
for place in ("referrers", "manifests", "blobs"):
    add("content without end", place, "more than the", forever(HEAD + b"\r\n", b"x" * 65536))
    add("10 GiB announced", place, "more than the", raw(HEAD, b"Content-Length: 10737418240\r\n\r\nx"))
add(
    "chunks without end",
    "blobs",
    "more than the",
    forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1000\r\n" + b"x" * 4096 + b"\r\n"),
)
add(
    "a size of a chunk without end",
    "blobs",
    "broke off|in time",
    forever(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0" * 4096),
)
add("a negative chunk", "blobs", "broke off", raw(HEAD, b"Transfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"))
add("headers without end", "blobs", "broke off|in time", forever(HEAD, b"X-A: " + b"a" * 60 + b"\r\n"))
add("a header without end", "blobs", "broke off|in time", forever(HEAD + b"X-A: ", b"a" * 4096))
add("a status line without end", "blobs", "broke off|in time", forever(b"HTTP/1.1 200 ", b"a" * 4096))
add("to continue, for ever", "blobs", "in time", forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"))
add("a byte of content now and then", "blobs", "in time", forever(HEAD + b"Content-Length: 42\r\n\r\n", b"x", 0.3))
add("a byte of a header now and then", "blobs", "in time", forever(b"HTTP/1.1 200 OK\r\nX-A: ", b"x", 0.3))
add("silence", "blobs", "in time", lambda asked: asked.registry.ended.wait(30) or True)
add("less than announced", "blobs", "broke off", raw(HEAD, b"Content-Length: 42\r\n\r\nx"))
add("two lengths", "blobs", "broke off", raw(HEAD, b"Content-Length: 42\r\nContent-Length: 43\r\n\r\nx"))
add("a negative length", "blobs", "broke off|the bytes that came", raw(HEAD, b"Content-Length: -1\r\n\r\nx"))
add("no HTTP", "blobs", "broke off", raw(b"220 ready\r\n"))
add("TLS where none is spoken", "blobs", "broke off", raw(b"\x15\x03\x01\x00\x02\x02\x28"))
add("the end at once", "referrers", "broke off", raw(b""))
add("to come back in an hour", "referrers", "HTTP status 429", says(429, Retry_After="3600"))
add("to come back at no time", "referrers", "HTTP status 503", says(503, Retry_After="-1e999"))

# --- pages ------------------------------------------------------------------------------------------------------------


def linked(target: str) -> Callable[[Handler], bool]:
    """A page whose next one is elsewhere; `{path}` is that of this one, `{n}` the number of requests so far."""

    def behave(asked: Handler) -> bool:
        path, n = asked.path.partition("?")[0], len(asked.registry.requests)
        link = target.format(path=path, n=n)
        return asked.say(200, listing(), INDEX, Link=f'<{link}>; rel="next"')

    return behave


for name, target, said in (
    ("the next page is the same", "{path}", "read already"),
    ("pages without end", "{path}?last={n}", "more than 20 pages"),
    ("the next page is of another image", "{path}0", "elsewhere"),
    ("the next page is outside", "/v2/_catalog?n=1000000000", "elsewhere"),
    ("the next page is at another host", "http://127.0.0.2/x", "elsewhere"),
    ("the next page is at another port", "//127.0.0.1:1{path}", "elsewhere"),
    ("the next page is a file", "file:///etc/passwd", "no address"),
    ("the next page has a password", "http://a:b@127.0.0.1{path}", "no address"),
    ("the next page has no port", "http://127.0.0.1:x/", "no address"),
    ("the next page is above", "../../../..", "elsewhere"),
):
    add(name, "referrers", said, linked(target))

# --- redirects --------------------------------------------------------------------------------------------------------

for name, target, said in (
    ("to itself", "?", "more than 3 redirects"),
    ("to a file", "file:///etc/passwd", "no address"),
    ("to FTP", "ftp://127.0.0.1/x", "no address"),
    ("with a password", "http://a:b@127.0.0.1/x", "no address"),
    ("to the machine's own cloud", "http://169.254.169.254/latest/meta-data", "not a public one"),
    ("to the same in IPv6", "http://[::ffff:169.254.169.254]/latest", "not a public one"),
    ("to a private address", "http://10.0.0.1/x", "not a public one"),
    ("to an address in octal", "http://0251.0376.0251.0376/x", "not a public one|no such host"),
    ("to every address", "http://0.0.0.0/x", "not a public one"),
    ("to its own root", "http:///x", "HTTP status 404"),
    ("to a port that is none", "http://127.0.0.1:99999/x", "no address"),
    ("with a line feed", "/x%0d%0aX: y z", "no address"),
    ("to a host that is none", "http://no.such.host.invalid/x", "no such host"),
):
    add(f"redirect {name}", "blobs", said, says(307, Location=target))


@case("blobs: redirect round and round", "more than 3 redirects")
def _(registry: HostileRegistry, _thief: HostileRegistry) -> Behaviour:
    return lambda asked: asked.kind == "blobs" and asked.say(307, Location=f"{asked.path}?{len(registry.requests)}")


@case("blobs: redirect to another registry, which has other bytes", "the bytes that came")
def _(_registry: HostileRegistry, thief: HostileRegistry) -> Behaviour:
    thief.behave = lambda asked: asked.say(200, b"x" * len(BUNDLE))
    return lambda asked: asked.kind == "blobs" and asked.say(302, Location=f"{thief.url}{asked.path}")


@case("blobs: redirect to another registry, which wants credentials", "HTTP status 401")
def _(_registry: HostileRegistry, thief: HostileRegistry) -> Behaviour:
    thief.behave = lambda asked: asked.say(401, WWW_Authenticate='Basic realm="mine"')
    return lambda asked: asked.kind == "blobs" and asked.say(302, Location=f"{thief.url}{asked.path}")


@case("blobs: redirect to a bomb", "which nobody asked for")
def _(_registry: HostileRegistry, thief: HostileRegistry) -> Behaviour:
    thief.behave = lambda asked: asked.say(200, BOMB, Content_Encoding="gzip")
    return lambda asked: asked.kind == "blobs" and asked.say(302, Location=f"{thief.url}{asked.path}")


@case("manifests: redirect to another registry", "HTTP status 302")
def _(_registry: HostileRegistry, thief: HostileRegistry) -> Behaviour:
    return lambda asked: asked.kind == "manifests" and asked.say(302, Location=f"{thief.url}{asked.path}")


# --- who asks for credentials, and how --------------------------------------------------------------------------------


def challenged(text: str, token: Callable[[Handler], bool] | None = None) -> Callable[..., Behaviour]:
    """Wants authorization; `{own}` and `{thief}` are addresses."""

    def behave(registry: HostileRegistry, thief: HostileRegistry) -> Behaviour:
        challenge = text.format(own=registry.url, thief=thief.url, port=registry.port)

        def answer(asked: Handler) -> bool:
            if asked.path.startswith("/token") and token is not None:
                return token(asked)
            return asked.say(401, WWW_Authenticate=challenge)

        return answer

    return behave


for name, text, said in (
    ("a token server elsewhere", 'Bearer realm="{thief}/token",service="x"', "not known to belong to it"),
    ("a token server at another port", 'Bearer realm="http://127.0.0.1:1/token"', "not known to belong to it"),
    (
        "a token server by a name that looks like it",
        'Bearer realm="http://127.0.0.1:{port}.evil.example/t"',
        "no addr|not known",
    ),
    ("a token server behind a name", 'Bearer realm="http://127.0.0.1:{port}@evil.example/t"', "not known"),
    ("a token server by file", 'Bearer realm="file:///etc/passwd"', "not known"),
    ("a token server with a password", 'Bearer realm="http://a:b@127.0.0.1:{port}/token"', "not known"),
    ("a token server with questions", 'Bearer realm="{own}/token?scope=everything"', "not known"),
    ("a token server with a fragment", 'Bearer realm="{own}/token#x"', "not known"),
    ("a token server on every address", 'Bearer realm="http://0.0.0.0:{port}/token"', "not known"),
    ("a token server in the cloud", 'Bearer realm="http://169.254.169.254/token"', "not known"),
    ("no token server", 'Bearer service="x"', "does not say where"),
    ("two token servers", 'Bearer realm="{own}/token",realm="{thief}/token"', "does not say where"),
    ("two services", 'Bearer realm="{own}/token",service="a",service="b"', "does not say where"),
    ("a scheme that nobody knows", 'Digest realm="x"', "no authorization that the gate knows"),
    ("nothing", "", "no authorization that the gate knows"),
    ("a name and password, which are then refused", 'Basic realm="x"', "is refused"),
    ("a challenge without end", "Bearer " + 'a="b",' * 8000, "does not say where"),
):
    CASES.append(Case(f"challenge: {name}", challenged(text), said))

OWN: Final = 'Bearer realm="{own}/token",service="x"'
for name, token, said in (
    ("is refused", says(403), "gives no token"),
    ("breaks", says(500), "gives no token"),
    ("redirects", says(302, Location="http://169.254.169.254/"), "gives no token"),
    ("is HTML", says(200, b"<html>"), "without a token"),
    ("is empty", says(200, b"{}"), "without a token"),
    ("is a number", says(200, b'{"token":1}'), "without a token"),
    ("smuggles a header", says(200, b'{"token":"a\\r\\nX-Evil: 1"}'), "without a token"),
    ("is not ASCII", says(200, '{"token":"é"}'.encode()), "without a token"),
    ("has 100,000 characters", says(200, b'{"token":"' + b"a" * 100_000 + b'"}'), "more than the"),
    ("has no end", forever(HEAD + b"\r\n", b"x" * 65536), "more than the"),
    ("is a bomb", says(200, BOMB, Content_Encoding="gzip"), "which nobody asked for"),
    ("is of no use", says(200, b'{"token":"a"}'), "is refused"),
):
    CASES.append(Case(f"token: {name}", challenged(OWN, token), said))


# --- the test ---------------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asking again without long pauses."""
    monkeypatch.setattr(
        oci,
        "open_client",
        lambda target, limits: Client(target, bounds=Bounds(limits.evidence_count, 20, (0.01, 0.02))),
    )


@pytest.fixture
def thief() -> Iterator[HostileRegistry]:
    with HostileRegistry() as running:
        yield running


def collect(registry: HostileRegistry, **access: Any) -> tuple[list[Evidence], dict[str, str]]:
    source = OciEvidence("server", None, RegistryAccess(**{"timeout_s": 2, **access}))
    return read_attached(Path(), source, registry.reference, LIMITS)


def test_there_are_enough_cases_and_each_is_another_one() -> None:
    names = [case.name for case in CASES]
    assert len(names) == len(set(names)) >= 80


def test_without_a_lie_the_bundle_is_found(thief: HostileRegistry) -> None:
    found, skipped = collect(thief)
    assert ([item.data for item in found], skipped) == ([BUNDLE], {})
    assert found[0].origin == f"{thief.host}/team/app@{thief.bundle}"
    assert {method for method, _ in thief.requests} == {"GET"}


@pytest.mark.parametrize("hostile", CASES, ids=lambda item: item.name)
def test_s30_a_hostile_registry_is_exit_3_and_credentials_stay_at_home(
    hostile: Case, thief: HostileRegistry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with HostileRegistry() as registry:
        registry.behave = hostile.behave(registry, thief)
        (tmp_path / "config.json").write_bytes(docker_config({registry.host: SECRET}))
        monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
        tracemalloc.start()
        began = time.monotonic()
        try:
            with pytest.raises(EvidenceError, match=hostile.message) as caught:
                collect(registry)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert time.monotonic() - began < SECONDS
        assert peak < MEMORY
        assert caught.value.exit_code == 3
        assert "password" not in f"{caught.value}{caught.value.hint}"
        assert "\n" not in str(caught.value)
    assert set(thief.seen) <= {None}
