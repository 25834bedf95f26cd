"""Keys in AWS KMS: the real client against a service on this machine.

Not run here: the cloud itself, its sign-in and its TLS.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fake_keepers import AwsKey, AwsKms, Private, aws_error, serving
from tests.support.keeper_tests import K1, P256, P384, P521, RSA, opened, refused, refuses, signs, without_settings

ARN = "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    without_settings(monkeypatch, tmp_path)


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsKms]:
    keys = {
        "alias/p256": AwsKey(P256),
        "alias/p384": AwsKey(P384),
        "alias/rsa": AwsKey(RSA),
        "alias/p521": AwsKey(P521),
        "alias/k1": AwsKey(K1),
        "alias/encrypts": AwsKey(RSA, "encrypt"),
        "alias/late": AwsKey(P256, "Sign:DisabledException"),
        ARN: AwsKey(P256),
        **{f"alias/{name}": AwsKey(P256, name) for name in AWS_REFUSALS},
    }
    with serving(AwsKms(keys)) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", service.url)
        yield service


AWS_REFUSALS = {
    "DisabledException": "the key is disabled",
    "KMSInvalidStateException": "pending deletion",
    "AccessDeniedException": "access is denied",
    "UnsupportedOperationException": "not an asymmetric key for signing",
    "ExpiredTokenException": "the credentials have expired",
    "UnrecognizedClientException": "the credentials are not valid",
    "SomethingNewException": "the service refused (SomethingNewException)",
}


@pytest.mark.parametrize(
    ("uri", "private", "algorithm"),
    [
        ("awskms:alias/p256", P256, "ecdsa-p256-sha256"),
        ("awskms:///alias/p384", P384, "ecdsa-p384-sha384"),
        ("awskms:alias/rsa", RSA, "rsa-pss-sha256"),
        (f"awskms:{ARN}", P256, "ecdsa-p256-sha256"),
    ],
)
def test_keys_in_aws_kms_sign(aws: AwsKms, uri: str, private: Private, algorithm: str) -> None:
    signs(uri, private, algorithm)
    assert [line.rpartition(".")[2] for line in aws.asked] == ["GetPublicKey", "Sign", "Sign", "Sign"]


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("code", AWS_REFUSALS)
def test_what_aws_kms_refuses_is_told(code: str) -> None:
    refused(f"awskms:alias/{code}", f"AWS KMS, alias/{code}", AWS_REFUSALS[code])


@pytest.mark.usefixtures("aws")
def test_a_key_that_is_not_in_aws_kms_is_told() -> None:
    refused("awskms:alias/none", "there is no such key in this account and region")


@pytest.mark.usefixtures("aws")
def test_aws_keys_of_other_kinds_are_refused() -> None:
    refused("awskms:alias/p521", "not an asymmetric key for signing")
    refused("awskms:alias/encrypts", "not an asymmetric key for signing")
    refused("awskms:alias/k1", "curve secp256k1 is not accepted")


@pytest.mark.usefixtures("aws")
def test_an_aws_key_that_is_disabled_between_two_signatures_is_told() -> None:
    refuses(opened("awskms:alias/late"), "the key is disabled")


def test_aws_throttling_is_waited_out_for_a_while(aws: AwsKms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    aws.failures = [aws_error("ThrottlingException")] * 2
    signs("awskms:alias/p256", P256, "ecdsa-p256-sha256")
    aws.failures = [aws_error("ThrottlingException")] * 9
    before = len(aws.asked)
    refused("awskms:alias/p256", "too many requests, also after 3 attempts")
    assert len(aws.asked) - before == 3


@pytest.mark.usefixtures("aws")
def test_the_region_of_an_arn_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    signs(f"awskms:{ARN}", P256, "ecdsa-p256-sha256")
    refused("awskms:alias/p256", "no region is set")


@pytest.mark.usefixtures("aws")
def test_aws_without_credentials_or_network_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    with serving(AwsKms({})) as gone:
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", gone.url)
    refused("awskms:alias/p256", "the service cannot be asked (EndpointConnectionError)")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    refused("awskms:alias/p256", "the credentials are incomplete")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    refused("awskms:alias/p256", "there are no credentials")


@pytest.mark.parametrize("uri", ["awskms:", "awskms://localhost:4566/alias/k", "awskms:alias/k?x", "awskms:a b"])
def test_references_to_no_aws_key_are_refused(uri: str) -> None:
    refused(uri, "is followed by a key id, an alias or an ARN")


@pytest.mark.usefixtures("aws")
def test_the_default_session_of_boto3_is_left_alone() -> None:
    import boto3

    before = boto3.DEFAULT_SESSION
    opened("awskms:alias/p256")
    assert boto3.DEFAULT_SESSION is before
