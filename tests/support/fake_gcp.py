"""Google Cloud KMS on a loopback port, over gRPC, for the real client."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from cryptography.hazmat.primitives.serialization import Encoding
from google.cloud import kms
from google.cloud.kms_v1.services.key_management_service.transports import KeyManagementServiceGrpcTransport

from tests.support.fake_keepers import Private, sign_digest, spki

# As it is before a test puts `GcpKms.client` into its place.
_CLIENT = kms.KeyManagementServiceClient
_SERVICE = "google.cloud.kms.v1.KeyManagementService"


@dataclass
class GcpKey:
    """A key version, with the algorithm that the service fixes for it. `problem` is what every use of it gets."""

    private: Private
    algorithm: str
    problem: grpc.StatusCode | None = None
    sign_problem: grpc.StatusCode | None = None


class GcpKms:
    """GetPublicKey and AsymmetricSign. `failures` are told first, one a request."""

    def __init__(self, keys: Mapping[str, GcpKey]) -> None:
        self.keys = keys
        self.failures: list[grpc.StatusCode] = []
        self.address = ""

    def client(self) -> kms.KeyManagementServiceClient:
        """Google's own client, speaking to this service; what it takes the place of is the address and TLS."""
        channel = grpc.insecure_channel(self.address)
        return _CLIENT(transport=KeyManagementServiceGrpcTransport(channel=channel))

    def key(self, name: str, context: grpc.ServicerContext) -> GcpKey:
        if self.failures:
            context.abort(self.failures.pop(0), "at the moment")
        if name not in self.keys:
            context.abort(grpc.StatusCode.NOT_FOUND, f"{name} not found")
        found = self.keys[name]
        if found.problem is not None:
            context.abort(found.problem, "refused")
        return found

    def get_public_key(self, request: kms.GetPublicKeyRequest, context: grpc.ServicerContext) -> kms.PublicKey:
        key = self.key(request.name, context)
        pem = spki(key.private, Encoding.PEM)
        algorithm = getattr(kms.CryptoKeyVersion.CryptoKeyVersionAlgorithm, key.algorithm)
        return kms.PublicKey(
            name=request.name, pem=pem.decode(), algorithm=algorithm, public_key=kms.ChecksummedData(data=pem)
        )

    def asymmetric_sign(
        self, request: kms.AsymmetricSignRequest, context: grpc.ServicerContext
    ) -> kms.AsymmetricSignResponse:
        key = self.key(request.name, context)
        if key.sign_problem is not None:
            context.abort(key.sign_problem, "refused")
        digest = request.digest.sha384 or request.digest.sha256
        made = sign_digest(key.private, digest, pss="PSS" in key.algorithm)
        return kms.AsymmetricSignResponse(name=request.name, signature=made)


@contextmanager
def serving_gcp(keeper: GcpKms) -> Iterator[GcpKms]:
    """The service, up and answering; gone afterwards."""
    handlers = {
        "GetPublicKey": grpc.unary_unary_rpc_method_handler(
            keeper.get_public_key,
            request_deserializer=kms.GetPublicKeyRequest.deserialize,
            response_serializer=kms.PublicKey.serialize,
        ),
        "AsymmetricSign": grpc.unary_unary_rpc_method_handler(
            keeper.asymmetric_sign,
            request_deserializer=kms.AsymmetricSignRequest.deserialize,
            response_serializer=kms.AsymmetricSignResponse.serialize,
        ),
    }
    server = grpc.server(ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
    keeper.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield keeper
    finally:
        server.stop(None).wait()
