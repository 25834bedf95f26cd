"""Kubeconfigs say where an API server is; what would start a program or trust anybody is refused."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import yaml

from gate.formats.kubeconfig import KubeconfigError, KubeServer, Material, checked_token, read_kubeconfig

PEM = b"-----BEGIN CERTIFICATE-----\n"
DATA = base64.b64encode(PEM).decode()
SERVER = "https://10.0.0.1:6443"


def config(cluster: Any = None, user: Any = None, **more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "main",
        "contexts": [
            {"name": "main", "context": {"cluster": "c", "user": "u", "namespace": "x"}},
            {"name": "other", "context": {"cluster": "d"}},
        ],
        "clusters": [
            {
                "name": "c",
                "cluster": {"server": SERVER, "certificate-authority-data": DATA} if cluster is None else cluster,
            },
            {"name": "d", "cluster": {"server": "https://other.example/k8s/clusters/c-1/"}},
        ],
        "users": [{"name": "u", "user": {"token": "secret"} if user is None else user}],
        **more,
    }


def read(value: Any, context: str | None = None) -> KubeServer:
    found = read_kubeconfig(json.dumps(value).encode(), context)
    assert read_kubeconfig(yaml.safe_dump(value).encode(), context) == found
    return found


def test_a_server_with_an_authority_and_a_token() -> None:
    found = read(config())
    assert found == KubeServer(
        "https", "10.0.0.1", 6443, authority=Material(PEM), token=Material(b"secret"), certificate=None, key=None
    )
    assert "secret" not in repr(found)


def test_another_context_without_user_and_with_a_path() -> None:
    assert read(config(), "other") == KubeServer("https", "other.example", 443, "/k8s/clusters/c-1")


def test_files_and_certificates() -> None:
    cluster = {"server": "https://[::1]:7443", "certificate-authority": "ca.crt", "tls-server-name": "kubernetes"}
    user = {"client-certificate": "a.crt", "client-key-data": DATA, "tokenFile": "token"}
    found = read(config(cluster, user))
    assert (found.host, found.server_name) == ("::1", "kubernetes")
    assert found.authority == Material(path="ca.crt")
    assert (found.certificate, found.key) == (Material(path="a.crt"), Material(PEM))
    assert found.token == Material(path="token")
    assert read(config({"server": "http://localhost:8001"}, {})).port == 8001
    assert (
        read(config({"server": SERVER, "extensions": [], "insecure-skip-tls-verify": False}, {"token": None})).token
        is None
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "not one Config"),
        ({}, "not one Config"),
        (config(apiVersion="v2"), "not one Config"),
        (config(kind="Secret"), "not one Config"),
        (config(**{"current-context": ""}), "no current context"),
        (config(**{"current-context": None}), "no current context"),
        (config(**{"current-context": 1}), "no current context"),
        (config(**{"current-context": "gone"}), "not one context of the name 'gone'"),
        (config(contexts=None), "not one context"),
        (config(contexts=[{"name": "main"}]), "not one context"),
        (config(contexts=[{"name": "main", "context": {"cluster": "c"}}] * 2), "not one context"),
        (config(clusters=[]), "not one cluster of the name 'c'"),
        (config(users={}), "not one user of the name 'u'"),
        (config(users=["u"]), "not one user of the name 'u'"),
        (config(contexts=[{"name": "main", "context": {"cluster": ["c"]}}]), "not one cluster"),
        (config({}), "not an address"),
        (config({"server": 1}), "not an address"),
        (config({"server": "ftp://a"}), "not an address"),
        (config({"server": "https://a b"}), "not an address"),
        (config({"server": "https://user@host"}), "not an address"),
        (config({"server": "https://host?x"}), "not an address"),
        (config({"server": "https://host/a//b"}), "not an address"),
        (config({"server": f"{SERVER}\n"}), "not an address"),
        (config({"server": "https://host:0"}), "no port 0"),
        (config({"server": "https://host:65536"}), "no port 65536"),
        (config({"server": SERVER, "tls-server-name": 1}), "not an address"),
        (config({"server": SERVER, "insecure-skip-tls-verify": True}), "nobody vouches for"),
        (config({"server": SERVER, "insecure-skip-tls-verify": "false"}), "nobody vouches for"),
        (config({"server": SERVER, "proxy-url": "http://proxy"}), "'proxy-url'"),
        (config({"server": SERVER, "certificate-authority-data": "%"}), "not base64"),
        (config({"server": SERVER, "certificate-authority-data": 1}), "not base64"),
        (config({"server": SERVER, "certificate-authority-data": "é"}), "not base64"),
        (config({"server": SERVER, "certificate-authority": 1}), "not the path of a file"),
        (config({"server": SERVER, "certificate-authority": "a\0"}), "not the path of a file"),
        (config(user={"exec": {"command": "sh"}}), "'exec'"),
        (config(user={"auth-provider": {"name": "gcp"}}), "'auth-provider'"),
        (config(user={"username": "a", "password": "b"}), "'password'"),
        (config(user={"as": "admin", "token": "a"}), "'as'"),
        (config(user={"client-certificate-data": DATA}), "come together"),
        (config(user={"client-key": "a.key"}), "come together"),
        (config(user={"token": 1}), "not one word"),
        (config(user={"token": "a b"}), "not one word"),
        (config(user={"token": "a\r\nX: y"}), "not one word"),
        (config(user={"tokenFile": 1}), "not the path of a file"),
        (config(user={"tokenFile": "a\0"}), "not the path of a file"),
    ],
)  # fmt: skip
def test_what_is_refused(value: Any, message: str) -> None:
    with pytest.raises(KubeconfigError, match=message) as caught:
        read_kubeconfig(json.dumps(value).encode())
    assert "secret" not in str(caught.value)


def test_what_is_no_yaml_and_several_documents() -> None:
    with pytest.raises(KubeconfigError, match="1:1"):
        read_kubeconfig(b"\xff")
    with pytest.raises(KubeconfigError, match="not one Config"):
        read_kubeconfig(b"a: 1\n---\nb: 1\n")
    with pytest.raises(KubeconfigError, match="duplicate key"):
        read_kubeconfig(b"kind: Config\nkind: Config\n")


def test_a_token_is_one_word() -> None:
    assert checked_token("a.b-c_d") == "a.b-c_d"
    for wrong in ("", "a b", "a\n", "é", "a" * 16385, None):
        with pytest.raises(KubeconfigError):
            checked_token(wrong)
