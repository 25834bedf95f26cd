"""An API server is asked page by page, with credentials that go to it alone, and a list that is cut is an error."""

from __future__ import annotations

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from gate.collect import cluster as module
from gate.collect.cluster import Cluster, ClusterAccess, account_access, kubeconfig_access, read_named
from gate.errors import ConfigError, EvidenceError, GateError, LimitError, UnavailableError
from gate.formats.kubeconfig import KubeServer
from gate.formats.workloads.listing import Listed, Unlisted
from gate.model.admission import ObjectKind
from tests.support.certificates import Authority

POD = ObjectKind("", "v1", "Pod")
DEPLOYMENT = ObjectKind("apps", "v1", "Deployment")


def page(*names: str, after: str = "", kind: str = "PodList", version: str = "v1", **more: Any) -> bytes:
    items = [{"metadata": {"name": name, "namespace": "team"}, "spec": {}} for name in names]
    metadata = {"resourceVersion": "1", "continue": after}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": metadata, "items": items, **more}).encode()


@dataclass
class ApiServer:
    """Answers from a table of paths and tokens; remembers what it was asked."""

    authority: Authority
    pages: dict[tuple[str, str], bytes] = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    cut: int = 0

    def __enter__(self) -> Self:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                api.asked.append((self.path, dict(self.headers)))
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                body = api.pages.get((parts.path, query.get("continue", [""])[0]))
                self.send_response(api.status if body is not None else 404)
                for name, value in api.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body or b"") + api.cut))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body or b"")
                self.close_connection = True

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = False

            def handle_error(self, *_: object) -> None: ...

        self.server = Server(("127.0.0.1", 0), Handler)
        pair = self.authority.server("api")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pair.certificate, pair.key)
        context.load_verify_locations(cadata=self.authority.pem.decode())
        context.verify_mode = ssl.CERT_OPTIONAL
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def access(self, **more: Any) -> ClusterAccess:
        values: dict[str, Any] = {"authority": self.authority.pem, "token": "s3cret", **more}
        return ClusterAccess(KubeServer("https", "127.0.0.1", self.port), **values)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[ApiServer]:
    with ApiServer(Authority(tmp_path / "authority")) as found:
        yield found


def listed(access: ClusterAccess, kind: ObjectKind = POD, resource: str = "pods", namespace: str | None = None) -> Any:
    cluster = Cluster(access)
    try:
        return list(cluster.listed(kind, resource, namespace))
    finally:
        cluster.close()


class TestListing:
    def test_pages_are_followed_to_the_end(self, api: ApiServer) -> None:
        api.pages = {
            ("/api/v1/pods", ""): page("a", "b", after="x/y+z="),
            ("/api/v1/pods", "x/y+z="): page("c", after="q"),
            ("/api/v1/pods", "q"): page("d"),
        }
        found = listed(api.access())
        assert [(item.place, item.name) for item in found] == [
            ("Pod[0]", "a"), ("Pod[1]", "b"), ("Pod[2]", "c"), ("Pod[3]", "d"),
        ]  # fmt: skip
        assert found[0].object["kind"] == "Pod"
        assert all(headers["Authorization"] == "Bearer s3cret" for _, headers in api.asked)
        assert all(headers["Accept-Encoding"] == "identity" for _, headers in api.asked)

    def test_groups_and_namespaces(self, api: ApiServer) -> None:
        path = "/apis/apps/v1/namespaces/team/deployments"
        api.pages = {(path, ""): page("a", kind="DeploymentList", version="apps/v1")}
        (found,) = listed(api.access(), DEPLOYMENT, "deployments", "team")
        assert isinstance(found, Listed)
        assert found.kind == DEPLOYMENT

    def test_an_empty_list_and_a_kind_that_is_not_there(self, api: ApiServer) -> None:
        api.pages = {("/api/v1/pods", ""): page()}
        assert listed(api.access()) == []
        (found,) = listed(api.access(), DEPLOYMENT, "deployments")
        assert isinstance(found, Unlisted)
        assert "no such kind" in found.problem

    @pytest.mark.parametrize(
        "body",
        [
            b"", b"null", b"[]", b"{", page()[:-1], page(kind="ServiceList"), page(kind="List"), page(version="v2"),
            page(items={}), page(items="x"), page(metadata=None), page(metadata={"continue": 1}),
            page("a", after="again"), page(after="again"), b'{"kind":"Status","apiVersion":"v1","code":200}',
        ],
    )  # fmt: skip
    def test_what_is_no_list_of_them_is_an_error(self, api: ApiServer, body: bytes) -> None:
        api.pages = {("/api/v1/pods", ""): body, ("/api/v1/pods", "again"): page("b", after="again")}
        with pytest.raises(EvidenceError):
            listed(api.access())

    def test_items_that_are_none_are_told(self, api: ApiServer) -> None:
        api.pages = {("/api/v1/pods", ""): page(items=[None, {"kind": "Secret", "metadata": {}}])}
        assert [type(item) for item in listed(api.access())] == [Unlisted, Unlisted]

    @pytest.mark.parametrize(
        ("status", "error", "words"),
        [
            (401, EvidenceError, "does not let these credentials list pods"),
            (403, EvidenceError, "does not let these credentials list pods"),
            (410, EvidenceError, "forgot where"),
            (500, UnavailableError, "answers 500"),
            (302, UnavailableError, "answers 302"),
            (204, UnavailableError, "answers 204"),
        ],
    )
    def test_other_answers_are_errors(self, api: ApiServer, status: int, error: type[GateError], words: str) -> None:
        api.pages = {("/api/v1/pods", ""): page("a")}
        api.status, api.headers = status, {"Location": f"https://127.0.0.1:{api.port}/api/v1/pods"}
        with pytest.raises(error, match=words) as caught:
            listed(api.access())
        assert "s3cret" not in str(caught.value)
        assert len(api.asked) == 1

    def test_an_answer_that_breaks_off(self, api: ApiServer) -> None:
        api.pages, api.cut = {("/api/v1/pods", ""): page("a")}, 10
        with pytest.raises(EvidenceError, match="broke off"):
            listed(api.access())

    def test_bytes_and_time_are_bounded(self, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
        api.pages = {("/api/v1/pods", ""): page("a" * 1000)}
        monkeypatch.setattr(module, "_PAGE_BYTES", 100)
        with pytest.raises(LimitError, match="too much"):
            listed(api.access())
        monkeypatch.setattr(module, "_PAGE_BYTES", 1 << 20)
        monkeypatch.setattr(module, "_PAGE_S", -1.0)
        with pytest.raises(LimitError, match="too slowly"):
            listed(api.access())

    def test_pages_are_bounded(self, api: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
        api.pages = {("/api/v1/pods", ""): page("a", after="b"), ("/api/v1/pods", "b"): page("b", after="c")}
        monkeypatch.setattr(module, "_PAGES", 2)
        with pytest.raises(EvidenceError, match="without an end"):
            listed(api.access())


class TestTrust:
    def test_s30_a_server_that_nobody_vouches_for_is_told_nothing(self, api: ApiServer, tmp_path: Path) -> None:
        api.pages = {("/api/v1/pods", ""): page("a")}
        for authority in (Authority(tmp_path / "other").pem, None):
            with pytest.raises(EvidenceError, match="is not trusted"):
                listed(api.access(authority=authority))
        server = KubeServer("https", "127.0.0.1", api.port, server_name="elsewhere.example")
        with pytest.raises(EvidenceError, match="is not trusted"):
            listed(ClusterAccess(server, api.authority.pem, "s3cret"))
        assert not api.asked
        server = KubeServer("https", "127.0.0.1", api.port, server_name="localhost")
        assert len(listed(ClusterAccess(server, api.authority.pem, "s3cret"))) == 1

    def test_nobody_there(self, tmp_path: Path) -> None:
        server = KubeServer("https", "127.0.0.1", 1)
        with pytest.raises(UnavailableError, match="cannot be reached"):
            listed(ClusterAccess(server, Authority(tmp_path).pem))

    def test_a_client_certificate(self, api: ApiServer) -> None:
        pair = api.authority.client("auditor")
        api.pages = {("/api/v1/pods", ""): page("a")}
        access = api.access(token=None, certificate=pair.certificate.read_bytes(), key=pair.key.read_bytes())
        assert len(listed(access)) == 1
        assert "Authorization" not in api.asked[0][1]
        assert "PRIVATE" not in repr(access)

    @pytest.mark.parametrize("wrong", ["authority", "certificate", "key"])
    def test_material_that_is_none(self, api: ApiServer, wrong: str) -> None:
        pair = api.authority.client("auditor")
        material: dict[str, Any] = {
            "authority": api.authority.pem,
            "certificate": pair.certificate.read_bytes(),
            "key": pair.key.read_bytes(),
        }
        with pytest.raises(ConfigError, match="is not PEM"):
            Cluster(api.access(**{**material, wrong: b"\xff nothing"}))

    def test_a_key_with_a_password(self, api: ApiServer) -> None:
        from cryptography.hazmat.primitives.serialization import (
            BestAvailableEncryption,
            Encoding,
            PrivateFormat,
            load_pem_private_key,
        )

        pair = api.authority.client("auditor")
        key = load_pem_private_key(pair.key.read_bytes(), None)
        locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"test"))
        with pytest.raises(ConfigError, match="is not PEM"):
            Cluster(api.access(certificate=pair.certificate.read_bytes(), key=locked))

    def test_plain_http_on_this_machine_alone(self, tmp_path: Path) -> None:
        assert Cluster(ClusterAccess(KubeServer("http", "localhost", 8001))).close() is None  # type: ignore[func-returns-value]
        for server, user, allowed in (
            ("http://127.0.0.1:8001", {}, True),
            ("http://127.0.0.1:8001", {"token": "a"}, False),
            ("http://10.0.0.1:8001", {}, False),
        ):
            path = kubeconfig(tmp_path, {"server": server}, user)
            if allowed:
                assert kubeconfig_access(path, None).name == "http://127.0.0.1:8001"
                continue
            with pytest.raises(ConfigError, match="plain HTTP"):
                kubeconfig_access(path, None)


def kubeconfig(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
    }
    path = folder / "config"
    path.write_text(yaml.safe_dump(value))
    return path


class TestAccess:
    def test_files_lie_beside_the_kubeconfig(self, api: ApiServer, tmp_path: Path) -> None:
        (tmp_path / "ca.crt").write_bytes(api.authority.pem)
        (tmp_path / "token").write_text("s3cret\n")
        cluster = {"server": f"https://127.0.0.1:{api.port}", "certificate-authority": "ca.crt"}
        api.pages = {("/api/v1/pods", ""): page("a")}
        access = kubeconfig_access(kubeconfig(tmp_path, cluster, {"tokenFile": "token"}), None)
        assert len(listed(access)) == 1
        assert "s3cret" not in repr(access)
        data = {"server": cluster["server"], "certificate-authority-data": base64.b64encode(api.authority.pem).decode()}
        assert len(listed(kubeconfig_access(kubeconfig(tmp_path, data, {"token": "a"}), "main"))) == 1

    def test_what_a_kubeconfig_names_must_be_there(self, tmp_path: Path) -> None:
        path = kubeconfig(tmp_path, {"server": "https://a", "certificate-authority": "gone"}, {})
        with pytest.raises(EvidenceError, match="does not exist"):
            kubeconfig_access(path, None)
        with pytest.raises(EvidenceError, match="does not exist"):
            kubeconfig_access(tmp_path / "gone", None)
        with pytest.raises(ConfigError, match="'exec'"):
            kubeconfig_access(kubeconfig(tmp_path, {"server": "https://a"}, {"exec": {}}), None)
        (tmp_path / "token").write_text("two words")
        with pytest.raises(ConfigError, match="not one word"):
            kubeconfig_access(kubeconfig(tmp_path, {"server": "https://a"}, {"tokenFile": "token"}), None)

    def test_a_service_account(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="no pod with a service account"):
            account_access(tmp_path)
        (tmp_path / "token").write_text("abc\n")
        (tmp_path / "ca.crt").write_bytes(b"pem")
        access = account_access(tmp_path)
        assert (access.name, access.token) == ("https://kubernetes.default.svc:443", "abc")
        (tmp_path / "token").write_text("")
        with pytest.raises(ConfigError, match="not one word"):
            account_access(tmp_path)

    def test_names_of_servers(self) -> None:
        assert ClusterAccess(KubeServer("https", "::1", 1, "/x")).name == "https://[::1]:1/x"

    def test_files_that_are_none(self, tmp_path: Path) -> None:
        with pytest.raises(EvidenceError):
            read_named(tmp_path, 10)
        (tmp_path / "long").write_bytes(b"x" * 11)
        with pytest.raises(LimitError, match="more than the 10 bytes"):
            read_named(tmp_path / "long", 10)
        (tmp_path / "link").symlink_to("long")
        assert read_named(tmp_path / "link", 11) == b"x" * 11


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "urllib3", None)
    with pytest.raises(ConfigError, match="need the extra"):
        Cluster(ClusterAccess(KubeServer("https", "127.0.0.1", 1)))
