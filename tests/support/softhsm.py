"""A real PKCS#11 token: SoftHSM in a folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

LIBRARY = "/usr/lib/softhsm/libsofthsm2.so"
PIN = "1234-abcd"
_ED25519_PARAMETERS = bytes.fromhex("06032b6570")


def make_tokens(folder: Path) -> Path:
    """Two tokens, `gate` with a key of each kind and `other` with none; returns SoftHSM's configuration."""
    (folder / "tokens").mkdir(parents=True)
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {**os.environ, "SOFTHSM2_CONF": str(configuration)}
    initialise = ["softhsm2-util", "--init-token", "--free", "--pin", PIN, "--so-pin", "12345678", "--label"]
    # In a process of its own, as a person makes them: the module reads its configuration once a process.
    for command in ([*initialise, "gate"], [*initialise, "other"], [sys.executable, __file__]):
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return configuration


def make_keys() -> None:
    """One key of each kind, two of one label, and a private key without its public one."""
    import pkcs11
    from pkcs11 import Attribute, KeyType, Mechanism
    from pkcs11.util.ec import encode_named_curve_parameters

    token = pkcs11.lib(LIBRARY).get_token(token_label="gate")
    with token.open(rw=True, user_pin=PIN) as session:

        def curve(name: str, number: int, label: str) -> None:
            parameters = {Attribute.EC_PARAMS: encode_named_curve_parameters(name)}
            domain = session.create_domain_parameters(KeyType.EC, parameters, local=True)
            public, _ = domain.generate_keypair(id=bytes([0, number]), label=label, store=True)
            if label == "alone":
                public.destroy()

        for number, (name, label) in enumerate(
            (("secp256r1", "p256"), ("secp384r1", "p384"), ("secp521r1", "p521"), ("secp256r1", "alone"))
        ):
            curve(name, number, label)
        for number in (10, 11):
            curve("secp256r1", number, "twin")
        session.generate_keypair(KeyType.RSA, 2048, id=b"\x20", label="rsa", store=True)
        session.generate_keypair(KeyType.DSA, 1024, id=b"\x21", label="dsa", store=True)
        edwards = {Attribute.EC_PARAMS: _ED25519_PARAMETERS}
        session.create_domain_parameters(KeyType.EC_EDWARDS, edwards, local=True).generate_keypair(
            mechanism=Mechanism.EC_EDWARDS_KEY_PAIR_GEN, id=b"\x22", label="ed25519", store=True
        )


if __name__ == "__main__":
    make_keys()
