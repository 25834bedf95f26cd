"""`gate audit` as a person uses it: a listing of a cluster, a real registry, and what is refused among what runs."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gate.formats import schema
from tests.acceptance.world import Done, inside
from tests.support.admission import pod
from tests.support.certificates import Authority
from tests.support.pages import run_page
from tests.support.registries import Registry
from tests.support.webhook_site import Site
from tests.unit.collect.test_cluster import ApiServer


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), "cue") as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Site:
    found = Site(tmp_path_factory.mktemp("site"), registry)
    found.configure()
    return found


def named(item: dict[str, Any], name: str) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "name": name}}


def listing(site: Site, *items: Any) -> Path:
    path = site.root.parent / "running.json"
    path.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": list(items)}))
    return path


def audit(site: Site, *arguments: str) -> Done:
    return inside("audit", "--root", str(site.root), *arguments)


def found(site: Site, *arguments: str) -> dict[str, Any]:
    done = audit(site, *arguments, "--format", "json")
    value: dict[str, Any] = json.loads(done.out)
    assert schema.problem("audit.json", value) is None
    assert done.code == value["exit_code"]
    return value


def test_what_runs_and_would_be_refused_is_told(site: Site) -> None:
    good, bad = site.good(), site.image("unsigned")
    path = listing(site, named(pod(good), "good"), named(pod(bad), "bad"), named(pod(good, bad), "both"))
    done = audit(site, "--from", str(path))
    assert done.code == 13
    assert "REFUSED, admission missed it: 2 objects" in done.out
    assert "Pod/payments/bad" in done.out
    assert "3 objects: 2 refused, 1 allowed.   exit 13" in done.out
    standings = {item["name"]: item["standing"] for item in found(site, "--from", str(path))["objects"]}
    assert standings == {"good": "allowed", "bad": "refused", "both": "refused"}


def test_everything_that_runs_is_in_order(site: Site) -> None:
    done = audit(site, "--from", str(listing(site, pod(site.good()))))
    assert (done.code, done.err) == (0, "")
    assert "1 object: 1 allowed.   exit 0" in done.out


def test_nothing_is_recorded_and_a_log_is_not_needed(tmp_path: Path, registry: Registry) -> None:
    own = Site(tmp_path, registry)
    own.configure()
    assert audit(own, "--from", str(listing(own, pod(own.good())))).code == 0
    assert not (tmp_path / ".gate").exists()


def test_a_key_that_is_revoked_later_and_one_that_has_expired(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "site").mkdir()
    own = Site(tmp_path / "site", registry)
    own.configure()
    path = listing(own, pod(own.good()))
    assert audit(own, "--from", str(path)).code == 0
    settings = json.loads((own.root / "gate.yaml").read_text())
    own.write("gate.yaml", settings | {"trust": settings["trust"] | {"revoked": {"keys": ["builder"]}}})
    assert found(own, "--from", str(path))["objects"][0]["grounds"] == ["revoked"]
    settings["trust"]["signers"]["builder"]["valid_until"] = "2020-01-01T00:00:00Z"
    own.write("gate.yaml", settings)
    assert found(own, "--from", str(path))["objects"][0]["grounds"] == ["expired"]


def test_a_dry_run_of_the_webhook_is_no_dry_run_of_the_audit(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "site").mkdir()
    own = Site(tmp_path / "site", registry)
    own.configure(admission={"mode": "dry-run"})
    done = audit(own, "--from", str(listing(own, pod(own.image("unsigned")))))
    assert done.code == 13
    assert "the webhook runs in the mode dry-run" in done.out
    tag = found(own, "--from", str(listing(own, pod(f"{registry.repository}:tag"))))["objects"][0]
    assert (tag["standing"], tag["cause"]) == ("refused", "reference")


def test_standard_input_and_namespaces(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    data = listing(site, pod(site.good())).read_bytes()

    class Input:
        buffer = io.BytesIO(data)

    monkeypatch.setattr("sys.stdin", Input())
    value = found(site, "--from", "-", "--namespace", "payments")
    assert (value["source"], value["exit_code"]) == ("standard input", 0)


def test_a_namespace_that_nothing_is_in(site: Site) -> None:
    value = found(site, "--from", str(listing(site, pod(site.good()))), "--namespace", "typo")
    assert (value["exit_code"], value["left_out"]) == (3, 1)


@pytest.mark.parametrize(
    ("text", "code"),
    [("{", 3), ("a: [", 3), ("", 3), ('{"kind":"PodList","apiVersion":"v1","items":[]}', 3), ("[]", 3)],
)
def test_what_is_no_listing_is_no_success(site: Site, text: str, code: int) -> None:
    path = listing(site)
    path.write_text(text)
    assert audit(site, "--from", str(path)).code == code


def test_a_page_of_a_longer_list_is_no_success(site: Site) -> None:
    path = listing(site, pod(site.good()))
    value = json.loads(path.read_text())
    path.write_text(json.dumps({**value, "metadata": {"continue": "abc"}}))
    done = audit(site, "--from", str(path))
    assert done.code == 3
    assert "one page of a longer list" in done.out


def test_a_registry_that_is_down_judges_nothing(site: Site) -> None:
    value = found(site, "--from", str(listing(site, pod(site.good().replace(site.registry.host, "127.0.0.1:1")))))
    assert value["exit_code"] == 13  # a registry that is not configured
    assert value["objects"][0]["cause"] == "reference"


def test_the_report_goes_into_a_file_that_is_never_stale(site: Site, tmp_path: Path) -> None:
    report = tmp_path / "audit.json"
    report.write_text("old")
    path = listing(site, pod(site.good()))
    done = audit(site, "--from", str(path), "--format", "json", "--output", str(report))
    assert done.out == "1 object: 1 allowed.   exit 0\n"
    assert json.loads(report.read_text())["exit_code"] == 0
    assert audit(site, "--from", str(tmp_path / "gone"), "--output", str(report)).code == 3
    assert report.read_text() == ""


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--from", "x", "--cluster"),
        ("--from", "x", "--kubeconfig", "y"),
        ("--from", "x", "--kinds", "all"),
        ("--cluster", "--context", "y"),
        ("--cluster", "--namespace", "../x"),
        ("--cluster",),
    ],
)
def test_usage(site: Site, arguments: tuple[str, ...]) -> None:
    assert audit(site, *arguments).code == 2


def test_without_the_section_nothing_is_judged(site: Site) -> None:
    settings = json.loads((site.root / "gate.yaml").read_text())
    del settings["admission"]
    site.write("other.yaml", settings)
    done = audit(site, "--config", "other.yaml", "--from", str(listing(site, pod(site.good()))))
    assert done.code == 2
    assert "no admission" in done.err


def test_an_api_server_is_asked_for_its_pods_and_for_all_else(site: Site, tmp_path: Path) -> None:
    place = {"api_version": "x.example/v1", "kind": "Thing", "resource": "things", "images": ["spec.image"]}
    settings = json.loads((site.root / "gate.yaml").read_text())
    site.write("places.yaml", settings | {"admission": settings["admission"] | {"places": [place]}})
    good = pod(site.good())
    bare = {name: value for name, value in good.items() if name not in {"kind", "apiVersion"}}
    with ApiServer(Authority(tmp_path / "authority")) as api:
        (tmp_path / "ca.crt").write_bytes(api.authority.pem)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "contexts": [{"name": "main", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [
                {"name": "c", "cluster": {"server": f"https://127.0.0.1:{api.port}", "certificate-authority": "ca.crt"}}
            ],
            "users": [{"name": "u", "user": {"token": "t"}}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        api.pages[("/api/v1/pods", "")] = json.dumps(
            {"apiVersion": "v1", "kind": "PodList", "metadata": {}, "items": [bare]}
        ).encode()
        reach = ("--cluster", "--kubeconfig", str(tmp_path / "config"))
        value = found(site, *reach)
        assert value["exit_code"] == 0
        assert value["source"] == f"https://127.0.0.1:{api.port}"
        assert [path.partition("?")[0] for path, _ in api.asked] == ["/api/v1/pods"]
        value = found(site, *reach, "--kinds", "all", "--config", "places.yaml")
        assert value["exit_code"] == 3  # this server has no other kinds, and that is told
        asked = {path.partition("?")[0] for path, _ in api.asked}
        assert {"/apis/apps/v1/deployments", "/apis/batch/v1/cronjobs", "/api/v1/podtemplates"} <= asked
        assert "/apis/x.example/v1/things" in asked
        api.asked.clear()
        assert audit(site, *reach, "--namespace", "payments").code == 3
        assert [path.partition("?")[0] for path, _ in api.asked] == ["/api/v1/namespaces/payments/pods"]
        api.status = 403
        assert audit(site, *reach).code == 3


def test_the_commands_of_the_page_run(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "site").mkdir()
    own = Site(tmp_path / "site", registry)
    own.configure()
    running = listing(own, named(pod(own.good()), "good"), named(pod(own.image("unsigned")), "bad"))
    running.rename(own.root / "running.json")
    shown = run_page("audit.md", own.root, tmp_path / "programs")
    assert shown.count("2 objects: 1 refused, 1 allowed.   exit 13") == 4
    assert json.loads((own.root / "audit.json").read_text())["exit_code"] == 13
