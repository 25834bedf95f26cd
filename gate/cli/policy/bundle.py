"""`gate policy bundle`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.policy_bundle import BuildRequest, Built, build_bundle
from gate.cli.output import show
from gate.cli.signing import ask_passphrase, shown
from gate.formats.opa_signatures import KEY_ID, SCOPE
from gate.report.escape import terminal


@click.command(
    "bundle",
    epilog="""\b
Examples:
  gate policy bundle --out policy.tar.gz --key keys/policy.key --serial 1
  gate policy bundle policy shared/policy --out policy.tar.gz --key keys/policy.key --serial 2 --replaces scan.malware
""",
)
@click.argument("directories", nargs=-1, metavar="[DIRECTORY]...")
@click.option("--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="The bundle, a .tar.gz.")
@click.option("--key", required=True, metavar="KEY", help="The private key: a PEM file (PKCS#8), or file:PATH.")
@click.option(
    "--serial", required=True, type=click.IntRange(min=1), metavar="N", help="Higher than that of every bundle before."
)
@click.option("--replaces", multiple=True, metavar="ID", help="A control of the library that an own one replaces.")
def command(directories: tuple[str, ...], out: Path, key: str, serial: int, replaces: tuple[str, ...]) -> None:
    """Build a signed bundle of the library and own controls.

    The own controls are those in each DIRECTORY; without one, those that gate.yaml names, else those in the folder
    policy. Tests stay outside. An OPA server verifies the bundle by the signature inside it, the gate by the file
    beside it, FILE.sigstore.json. Both are verified before they are written, and the same sources give the same
    bytes. A bundle that lies there already is replaced only by one with a higher serial.
    """
    show(_text(build_bundle(BuildRequest(Path(), out, key, serial, directories, replaces), ask_passphrase)))


def _text(built: Built) -> str:
    bundle, path = built.bundle, shown(built.path)
    own, replaced = bundle.policy.own, bundle.policy.replaced
    return "\n".join(
        (
            f"bundle    {path}  ({bundle.files} files)",
            f"envelope  {shown(built.envelope)}",
            f"serial    {bundle.manifest.serial}",
            f"revision  {bundle.policy.digest}",
            f"digest    {bundle.archive}",
            f"own       {terminal(', '.join(own) or 'none', 2000)}",
            f"replaced  {terminal(', '.join(replaced) or 'none', 2000)}",
            f"key       {built.algorithm} {built.spki}",
            "",
            "Judge by it: commit both files, and in gate.yaml give a signer the claim policy.bundle and say",
            "",
            "policy:",
            f"  bundle: {path}",
            f"  serial: {bundle.manifest.serial}",
            "",
            "Run an OPA server on it, with the public key of the signer:",
            "",
            f"  opa run --server --bundle {path} --verification-key KEY.pub \\",
            f"    --verification-key-id {KEY_ID} --signing-alg {built.algorithm} --scope {SCOPE}",
            "",
            f"next      gate policy verify {path}",
        )
    )
