"""`gate webhook serve` as it runs in a cluster: TLS, a real registry, signed evidence and a decision log on disk."""

from __future__ import annotations

import json
import signal
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gate.formats.rfc3339 import format_time
from gate.model.digest import Digest
from tests.acceptance.world import Done, inside
from tests.support.admission import BREAKER, annotated, body, break_glass, pod
from tests.support.certificates import Authority, Pair
from tests.support.evidence import make_key
from tests.support.registries import Registry
from tests.support.webhook import Client, Process, wait_for
from tests.support.webhook_site import Site

DIGEST = "sha256:" + "1" * 64


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with Registry(tmp_path_factory.mktemp("registry"), "cue") as running:
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Site:
    found = Site(tmp_path_factory.mktemp("site"), registry)
    found.configure()
    return found


@pytest.fixture(scope="module")
def server(site: Site, authority: Authority) -> Iterator[Process]:
    with site.serve(authority.server("shared")) as process:
        yield process.started()


@pytest.fixture
def client(server: Process, authority: Authority) -> Iterator[Client]:
    with Client(server.port, authority) as client:
        yield client


@pytest.fixture
def own(tmp_path: Path, registry: Registry) -> Site:
    """A site whose configuration a test may change."""
    (tmp_path / "site").mkdir()
    found = Site(tmp_path / "site", registry)
    found.configure()
    return found


@pytest.fixture
def pair(authority: Authority, tmp_path: Path) -> Pair:
    return authority.server(tmp_path.name)


def recorded(site: Site, *arguments: str) -> Done:
    return inside("log", *arguments, "--root", str(site.root))


# --- answers ----------------------------------------------------------------------------------------------------------


def test_s40_a_signed_image_is_let_in_and_the_decision_is_in_the_log(site: Site, client: Client) -> None:
    answer = client.judged(site.review(site.good(), uid="705ab4f5-6393-11e8-b7cc-42010a800002"))
    assert answer["uid"] == "705ab4f5-6393-11e8-b7cc-42010a800002"
    assert answer["allowed"] is True, answer
    decision = answer["auditAnnotations"]["decision"]
    shown = json.loads(recorded(site, "show", decision, "--format", "json").out)
    assert shown["verdict"] == "allow"
    assert shown["id"] == decision


@pytest.mark.parametrize(
    ("evidence", "control"),
    [
        ((), "container.signed"),
        (("signature",), "container.provenance"),
        (("provenance",), "container.signed"),
        (("stranger", "provenance"), "container.signed"),
    ],
)
def test_s40_an_image_without_its_evidence_is_refused_with_the_reason(
    site: Site, client: Client, evidence: tuple[str, ...], control: str
) -> None:
    image = site.image("-".join(("lacks", *evidence)), *evidence)
    answer = client.judged(site.review(image))
    assert answer["allowed"] is False
    assert control in answer["auditAnnotations"]["controls"]
    message = answer["status"]["message"]
    assert control in message
    assert "fix: " in message
    assert len(message) <= 1024
    shown = json.loads(recorded(site, "show", answer["auditAnnotations"]["decision"], "--format", "json").out)
    assert shown["verdict"] == "deny"


@pytest.mark.parametrize("kind", ["debian", "ggcr"])
def test_s40_registries_of_other_makings_are_asked_the_same(
    tmp_path: Path, authority: Authority, pair: Pair, kind: str
) -> None:
    """One has no list of what refers to an image, one names the wrong types in it."""
    (tmp_path / "stored").mkdir()
    with Registry(tmp_path / "stored", kind) as other:
        site = Site(tmp_path, other)
        site.configure()
        good, bad = site.good(), site.image("unsigned")
        with site.serve(pair) as process, Client(process.started().port, authority) as client:
            assert client.judged(site.review(good))["allowed"] is True
            answer = client.judged(site.review(bad))
            assert (answer["allowed"], answer["auditAnnotations"]["cause"]) == (False, "refused")


def test_s40_evidence_of_one_image_does_not_cover_another(site: Site, client: Client) -> None:
    good, other = site.good(), site.image("beside a good one")
    assert client.judged(site.review(good))["allowed"]
    answer = client.judged(site.review(good, other))
    assert answer["allowed"] is False
    assert other.rpartition("@")[2] in answer["status"]["message"]


@pytest.mark.parametrize("place", ["initContainers", "ephemeralContainers"])
def test_s39_no_container_is_overlooked(site: Site, client: Client, place: str) -> None:
    for image, is_allowed in ((site.image("a side car"), False), (site.good(), True)):
        more: dict[str, Any] = {place: [{"name": "more", "image": image}]}
        assert client.judged(site.review(site.good(), **more))["allowed"] is is_allowed


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "docker.io/library/nginx:1",
        f"registry.example/other@{DIGEST}",
        f"127.0.0.1:1/team/app@{DIGEST}",
        f"nginx@{DIGEST}",
        "",
        "a b",
        "-",
        "../../etc/passwd",
        "\u202eevil@" + DIGEST,
    ],
)
def test_s40_what_is_not_of_a_configured_registry_is_refused(site: Site, client: Client, image: str) -> None:
    answer = client.judged(site.review(site.good(), image))
    assert answer["allowed"] is False
    assert answer["auditAnnotations"]["cause"] in {"reference", "object"}
    assert answer["status"]["message"].isascii()


def test_s40_a_tag_is_refused(site: Site, registry: Registry, client: Client) -> None:
    site.good("tagged")
    answer = client.judged(site.review(f"{registry.repository}:tagged"))
    assert (answer["allowed"], answer["auditAnnotations"]["cause"]) == (False, "reference")


def test_s40_an_image_that_is_not_there_is_refused(registry: Registry, site: Site, client: Client) -> None:
    assert client.judged(site.review(f"{registry.repository}@{DIGEST}"))["allowed"] is False


MALFORMED: dict[str, Any] = {
    "no object": lambda request: request.pop("object"),
    "null object": lambda request: request.update(object=None),
    "text as object": lambda request: request.update(object="x"),
    "no images": lambda request: request["object"]["spec"].update(containers=[]),
    "no spec": lambda request: request["object"].pop("spec"),
    "unknown operation": lambda request: request.update(operation="PATCH"),
    "connect": lambda request: request.update(operation="CONNECT"),
    "other kind": lambda request: request["object"].update(kind="ConfigMap"),
    "other version": lambda request: request["kind"].update(version="v2"),
    "unknown kind": lambda request: request.update(
        kind={"group": "x.example", "version": "v1", "kind": "Thing"},
        object={"apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "a"}},
    ),
    "scale": lambda request: request.update(subResource="scale"),
    "other namespace": lambda request: request["object"]["metadata"].update(namespace="other"),
    "containers as object": lambda request: request["object"]["spec"].update(containers={"a": 1}),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_s39_what_is_not_understood_is_refused_with_the_uid(site: Site, client: Client, name: str) -> None:
    document = json.loads(body(pod(site.good()), "uid-malformed"))
    MALFORMED[name](document["request"])
    answer = client.judged(json.dumps(document).encode())
    assert (answer["uid"], answer["allowed"]) == ("uid-malformed", False)
    assert answer["status"]["message"].startswith("refused by gate")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}',
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":{"uid":""}}',
        b'{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","request":null}',
    ],
)
def test_what_is_no_review_is_refused(client: Client, data: bytes) -> None:
    status, answer = client.post(data)
    assert status == 400
    assert json.loads(answer)["response"]["allowed"] is False


def test_a_review_of_another_version_is_refused(site: Site, client: Client) -> None:
    data = site.review(site.good()).replace(b"admission.k8s.io/v1", b"admission.k8s.io/v1beta1")
    assert client.judged(data)["allowed"] is False


EVIDENCE = [
    (),
    ("signature",),
    ("provenance",),
    ("signature", "provenance"),
    ("stranger",),
    ("stranger", "provenance"),
    ("signature", "stranger", "provenance"),
]


@pytest.mark.parametrize("evidence", EVIDENCE, ids=lambda names: "+".join(names) or "nothing")
def test_the_webhook_and_a_check_decide_the_same(
    own: Site, site: Site, client: Client, evidence: tuple[str, ...]
) -> None:
    """The same image, evidence, trust and policy: the verdict, and what each control says of the image."""
    image = site.image("+".join(("same", *evidence)).replace("+", "."), *evidence)
    answer = client.judged(site.review(image))
    shown = recorded(site, "show", answer["auditAnnotations"]["decision"], "--format", "json")
    admitted = json.loads(shown.out)
    document = json.loads((own.root / "gate.yaml").read_text())
    document |= {
        "artifacts": {"app": {"kind": "container", "image": image}},
        "evidence": [{"oci": {"artifact": "app", "insecure": True, "private": True}}],
    }
    own.write("gate.yaml", document)
    checked = json.loads(inside("check", "--format", "json", "--root", str(own.root)).out)
    assert admitted["verdict"] == checked["verdict"] == ("allow" if answer["allowed"] else "deny")
    assert admitted["exit_code"] == checked["exit_code"]
    for name in ("artifact.pinned", "container.signed", "container.provenance", "evidence.accepted"):
        of_check, of_webhook = checked["controls"][name], admitted["controls"][name]
        assert of_check["status"] == of_webhook["status"], name
        assert len(of_check["violations"]) == len(of_webhook["violations"]), name


# --- how it runs ------------------------------------------------------------------------------------------------------


def test_s42_a_thousand_images_add_no_series(site: Site, server: Process, client: Client) -> None:
    def series() -> set[str]:
        time.sleep(1.05)
        lines = server.get("/metrics")[1].splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    client.judged(site.review(site.good()))
    time.sleep(2.1)  # figures are fetched now and then
    before = series()
    for number in range(1_000):
        client.judged(site.review(f"registry.example/image-{number}@{DIGEST}", uid=f"uid-{number}"))
    assert series() == before
    assert len(before) < 250


def test_it_is_alive_and_ready(server: Process) -> None:
    wait_for(lambda: server.get("/readyz") == (200, "ok\n"))
    assert server.get("/livez") == (200, "ok\n")


def test_each_answer_is_a_line_of_the_log_without_secrets(site: Site, server: Process, client: Client) -> None:
    secret = "ghp_" + "aB3dE5gH7jK9mN1pQ3sT5vW7yZ1bC3dE5fG7"
    answer = client.judged(site.review(f"registry.example/a:{secret}", uid="with-a-secret"))
    assert secret not in json.dumps(answer)
    line = wait_for(lambda: [line for line in server.log("review") if line["uid"] == "with-a-secret"])[0]
    assert line["allowed"] is False
    assert {"wait", "read"} <= line["stages_ms"].keys()
    assert secret not in "".join(server.text)


def test_s42_many_at_once_are_answered_right_or_refused(own: Site, authority: Authority, pair: Pair) -> None:
    """More than there is room for: the good are let in or refused for lack of room, the bad are never let in."""
    own.configure(admission={"limits": {"concurrent": 2, "queue": 4, "deadline": "4s"}})
    images = {"good": own.good(), "bad": own.image("bad")}
    answers: list[tuple[str, str, dict[str, Any]]] = []

    def ask(number: int) -> None:
        with Client(process.port, authority) as client:
            for turn in range(5):
                name, uid = ("good", "bad")[(number + turn) % 2], f"uid-{number}-{turn}"
                answers.append((name, uid, client.judged(own.review(images[name], uid=uid))))

    with own.serve(pair) as process:
        process.started()
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(30)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(answers) == 150
        assert all(answer["uid"] == uid for _, uid, answer in answers)
        assert not any(answer["allowed"] for name, _, answer in answers if name == "bad")
        assert any(answer["allowed"] for name, _, answer in answers if name == "good")
        causes = {answer["status"]["code"] for name, _, answer in answers if name == "good" and not answer["allowed"]}
        assert causes <= {429}
        with Client(process.port, authority) as client:
            assert client.judged(own.review(images["good"]))["allowed"]
    allowed = {answer["auditAnnotations"]["decision"] for _, _, answer in answers if answer["allowed"]}
    assert recorded(own, "verify").code == 0
    lines = recorded(own, "export").out
    assert all(decision in lines for decision in allowed)


def test_s42_a_hundred_who_ask_for_one_image_make_one_look_at_the_registry(
    own: Site, authority: Authority, pair: Pair
) -> None:
    own.configure(admission={"limits": {"concurrent": 8, "queue": 200, "deadline": "20s"}})
    answers: list[dict[str, Any]] = []

    def ask(number: int) -> None:
        with Client(process.port, authority) as client:
            client.connection.connect()
            ready.wait()
            answers.append(client.judged(own.review(image, uid=f"uid-{number}"), "?timeout=30s"))

    ready, image = threading.Barrier(100), own.good("asked by a hundred")
    with own.serve(pair) as process:
        process.started()
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(100)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [answer["allowed"] for answer in answers] == [True] * 100
        wait_for(lambda: process.metric("gate_record_records") == 100)
        assert process.metric("gate_registry_fetches") == 1


def test_a_signed_exception_lets_in_for_now_and_is_told_and_recorded(
    own: Site, authority: Authority, pair: Pair
) -> None:
    (own.root / "keys" / "breaker.pub").write_bytes(BREAKER.pem)
    document = json.loads((own.root / "gate.yaml").read_text())
    document["admission"]["break_glass"] = {"signers": ["breaker"], "max": "2h"}
    own.write("gate.yaml", document)
    image, other = own.image("unsigned in need"), own.image("another in need")
    now = int(time.time())
    times = {"created": format_time(now - 60), "expires": format_time(now + 3000)}
    digest = Digest(image.rpartition("@")[2])

    with own.serve(pair) as process, Client(process.started().port, authority) as client:

        def asked(images: tuple[str, ...], exception: bytes) -> dict[str, Any]:
            return client.judged(body(pod(*images, annotations=annotated(exception))))

        assert client.judged(own.review(image))["allowed"] is False
        answer = asked((image,), break_glass((digest,), BREAKER, **times))
        assert answer["allowed"] is True, answer
        assert answer["auditAnnotations"]["cause"] == "break_glass"
        assert answer["auditAnnotations"]["verdict"] == "deny"
        assert "INC-7" in answer["warnings"][0]
        shown = recorded(own, "show", answer["auditAnnotations"]["decision"], "--format", "json")
        assert json.loads(shown.out)["verdict"] == "deny"
        ended = {"created": format_time(now - 3700), "expires": format_time(now - 100)}
        assert asked((image,), break_glass((digest,), BREAKER, **ended))["allowed"] is False
        assert asked((image, other), break_glass((digest,), BREAKER, **times))["allowed"] is False
        assert asked((other,), break_glass((digest,), BREAKER, **times))["allowed"] is False
        assert asked((image,), break_glass((digest,), make_key("stranger"), **times))["allowed"] is False
        assert process.metric('gate_webhook_reviews_total{cause="break_glass"}') == 1


def test_what_is_in_flight_at_the_end_is_answered_and_recorded(own: Site, authority: Authority, pair: Pair) -> None:
    image = own.good()
    answers: list[dict[str, Any]] = []

    def ask(number: int) -> None:
        with Client(process.port, authority) as client:
            client.connection.connect()
            ready.wait()
            answers.append(client.judged(own.review(image, uid=f"uid-{number}")))

    ready = threading.Barrier(21)
    with own.serve(pair, "--linger-s", "1") as process:
        process.started()
        threads = [threading.Thread(target=ask, args=(number,)) for number in range(20)]
        for thread in threads:
            thread.start()
        ready.wait()
        process.signal(signal.SIGTERM)
        for thread in threads:
            thread.join()
        assert process.ended() == 0
    assert [answer["allowed"] for answer in answers] == [True] * 20
    assert recorded(own, "verify").code == 0
    lines = recorded(own, "export").out
    assert all(answer["auditAnnotations"]["decision"] in lines for answer in answers)


def test_a_dry_run_lets_in_and_says_what_it_would_have_refused(own: Site, authority: Authority, pair: Pair) -> None:
    own.configure(admission={"mode": "dry-run"})
    with own.serve(pair) as process, Client(process.started().port, authority) as client:
        answer = client.judged(own.review(own.image("unsigned")))
        assert answer["allowed"] is True
        assert "container.signed" in answer["warnings"][0]
        assert answer["auditAnnotations"]["would-refuse"].startswith("refused")
        # What is no review is refused all the same.
        assert json.loads(client.post(b"{}")[1])["response"]["allowed"] is False


def test_a_changed_configuration_is_used_when_it_is_whole(own: Site, authority: Authority, pair: Pair) -> None:
    image = own.image("unsigned")
    with own.serve(pair) as process, Client(process.started().port, authority) as client:
        assert client.judged(own.review(image))["allowed"] is False
        (own.root / "gate.yaml").write_text("version: 1\nadmission: {mode: dry-run, surprise: 1}\n")
        line = wait_for(lambda: process.log("not reloaded"))[0]
        assert line["what"] == "configuration"
        assert client.judged(own.review(image))["allowed"] is False
        own.configure(admission={"mode": "dry-run"})
        wait_for(lambda: process.log("reloaded"))
        assert client.judged(own.review(image))["allowed"] is True
        own.configure()
        wait_for(lambda: len(process.log("reloaded")) == 2)
        assert client.judged(own.review(image))["allowed"] is False


def test_a_new_certificate_is_used_while_it_answers(own: Site, authority: Authority, pair: Pair) -> None:
    image, stop = own.good(), threading.Event()
    errors: list[Exception] = []

    def ask() -> None:
        while not stop.is_set():
            try:
                with Client(process.port, authority) as client:
                    assert client.judged(own.review(image))["allowed"]
            except (OSError, AssertionError) as error:
                errors.append(error)

    def happened(event: str, times: int) -> bool:
        return len(process.log(event)) > times

    with own.serve(pair) as process:
        process.started()
        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(3):
            whole = authority.server("next").certificate.read_bytes()
            pair.certificate.write_bytes(whole[: len(whole) // 2])
            wait_for(partial(happened, "not reloaded", turn))
            authority.server(pair.certificate.stem)
            wait_for(partial(happened, "reloaded", turn))
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []


def test_only_the_api_server_is_heard_where_its_authority_is_named(
    tmp_path: Path, own: Site, authority: Authority, pair: Pair
) -> None:
    clients = Authority(tmp_path / "clients", "clients")
    with own.serve(pair, "--client-ca", str(clients.path)) as process:
        process.started()
        with Client(process.port, authority, clients.client("api-server")) as client:
            assert client.judged(own.review(own.good()))["allowed"]
        with Client(process.port, authority) as client, pytest.raises((ssl.SSLError, ConnectionError)):
            client.judged(own.review(own.good()))


def test_s42_a_registry_that_is_gone_refuses_in_time(
    own: Site, tmp_path: Path, authority: Authority, pair: Pair
) -> None:
    (tmp_path / "gone").mkdir()
    with Registry(tmp_path / "gone", "cue") as gone:
        site = Site(own.root, gone)
        site.configure()
        image = site.good()
        with site.serve(pair) as process, Client(process.started().port, authority) as client:
            gone.close()
            began = time.monotonic()
            answer = client.judged(site.review(image), "?timeout=3s")
            assert time.monotonic() - began < 3
            assert (answer["allowed"], answer["auditAnnotations"]["cause"]) == (False, "registry")


# --- how it begins ----------------------------------------------------------------------------------------------------


def test_without_the_extra_it_says_which_one_is_needed(monkeypatch: pytest.MonkeyPatch, own: Site, pair: Pair) -> None:
    files = ("--tls-cert", str(pair.certificate), "--tls-key", str(pair.key), "--root", str(own.root))
    for name in [name for name in sys.modules if name.startswith("gate.server.")]:
        monkeypatch.delitem(sys.modules, name)
    for missing in ("uvicorn", "uvloop", "prometheus_client"):
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, missing, None)
            done = inside("webhook", "serve", *files)
        assert done.code == 2
        assert "needs the extra `server`" in done.err
        assert "pip install 'gate[server]'" in done.err


def test_a_configuration_without_the_section_is_refused(own: Site, pair: Pair) -> None:
    document = json.loads((own.root / "gate.yaml").read_text())
    del document["admission"]
    own.write("gate.yaml", document)
    with own.serve(pair) as process:
        assert process.ended() == 2
        assert "admission" in "".join(process.text)
        assert "Traceback" not in "".join(process.text)


def test_a_certificate_that_is_missing_is_a_usage_error(own: Site, pair: Pair) -> None:
    pair.certificate.unlink()
    with own.serve(pair) as process:
        assert process.ended() == 2
        assert "cannot be read" in "".join(process.text)
