"""Keys in Google Cloud KMS: the real client over gRPC against a service on this machine.

Not run here: the cloud itself, its sign-in and its TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from tests.support.fake_gcp import GcpKey, GcpKms, serving_gcp
from tests.support.fake_keepers import Private
from tests.support.keeper_tests import NEWER, P256, P384, RSA, opened, refused, refuses, signs, without_settings

RING = "projects/p/locations/europe-west1/keyRings/r/cryptoKeys"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


def gcp_name(key: str, version: int = 1) -> str:
    return f"{RING}/{key}/cryptoKeyVersions/{version}"


GCP_REFUSALS = {
    grpc.StatusCode.PERMISSION_DENIED: "access is denied",
    grpc.StatusCode.UNAUTHENTICATED: "the credentials are not valid",
    grpc.StatusCode.FAILED_PRECONDITION: "disabled or destroyed",
    grpc.StatusCode.INVALID_ARGUMENT: "not a key version for asymmetric signing",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "too many requests",
    grpc.StatusCode.INTERNAL: "the service refused (InternalServerError)",
}


@pytest.fixture
def gcp(monkeypatch: pytest.MonkeyPatch) -> Iterator[GcpKms]:
    keys = {
        gcp_name("p256"): GcpKey(P256, "EC_SIGN_P256_SHA256"),
        gcp_name("p256", 2): GcpKey(NEWER, "EC_SIGN_P256_SHA256"),
        gcp_name("p384"): GcpKey(P384, "EC_SIGN_P384_SHA384"),
        gcp_name("pss"): GcpKey(RSA, "RSA_SIGN_PSS_2048_SHA256"),
        gcp_name("pkcs1"): GcpKey(RSA, "RSA_SIGN_PKCS1_2048_SHA256"),
        gcp_name("sha512"): GcpKey(RSA, "RSA_SIGN_PSS_4096_SHA512"),
        gcp_name("raw"): GcpKey(RSA, "RSA_SIGN_RAW_PKCS1_2048"),
        gcp_name("late"): GcpKey(P256, "EC_SIGN_P256_SHA256", sign_problem=grpc.StatusCode.PERMISSION_DENIED),
        **{gcp_name(code.name): GcpKey(P256, "EC_SIGN_P256_SHA256", code) for code in GCP_REFUSALS},
    }
    with serving_gcp(GcpKms(keys)) as service:
        monkeypatch.setattr("google.cloud.kms.KeyManagementServiceClient", service.client)
        yield service


@pytest.mark.usefixtures("gcp")
@pytest.mark.parametrize(
    ("name", "private", "algorithm"),
    [
        (gcp_name("p256"), P256, "ecdsa-p256-sha256"),
        (gcp_name("p256", 2), NEWER, "ecdsa-p256-sha256"),
        (f"//{RING}/p384/versions/1", P384, "ecdsa-p384-sha384"),
        (gcp_name("pss"), RSA, "rsa-pss-sha256"),
        (gcp_name("pkcs1"), RSA, "rsa-pkcs1v15-sha256"),
    ],
)
def test_keys_in_google_cloud_kms_sign(name: str, private: Private, algorithm: str) -> None:
    signs(f"gcpkms:{name}", private, algorithm)


@pytest.mark.usefixtures("gcp")
@pytest.mark.parametrize("code", GCP_REFUSALS)
def test_what_google_cloud_kms_refuses_is_told(code: grpc.StatusCode) -> None:
    refused(f"gcpkms:{gcp_name(code.name)}", code.name, GCP_REFUSALS[code])


@pytest.mark.usefixtures("gcp")
def test_a_key_or_version_that_is_not_in_google_cloud_kms_is_told() -> None:
    refused(f"gcpkms:{gcp_name('none')}", "there is no such key version")
    refused(f"gcpkms:{gcp_name('p256', 3)}", "there is no such key version")


@pytest.mark.usefixtures("gcp")
def test_google_keys_of_other_kinds_are_refused() -> None:
    refused(f"gcpkms:{gcp_name('sha512')}", "it signs with rsassa-pss-sha512, which is not accepted")
    refused(f"gcpkms:{gcp_name('raw')}", "the algorithm of this key is not accepted")


@pytest.mark.usefixtures("gcp")
def test_a_google_key_that_may_be_read_and_not_used_is_told() -> None:
    refuses(opened(f"gcpkms:{gcp_name('late')}"), "access is denied")


def test_google_is_asked_again_while_unavailable(gcp: GcpKms) -> None:
    gcp.failures = [grpc.StatusCode.UNAVAILABLE]
    signs(f"gcpkms:{gcp_name('p256')}", P256, "ecdsa-p256-sha256")


def test_google_without_credentials_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    refused(f"gcpkms:{gcp_name('p256')}", "there are no usable credentials (DefaultCredentialsError)")


@pytest.mark.parametrize("rest", ["", f"{RING}/p256", f"{RING}/p256/cryptoKeyVersions/new", "alias/x", "a?b"])
def test_references_to_no_google_key_version_are_refused(rest: str) -> None:
    refused(f"gcpkms:{rest}", "the full name of a key version")
