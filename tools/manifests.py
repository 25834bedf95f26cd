"""Writes what is made from the chart of the webhook; `--check` says what is out of date and changes nothing.

| file | made from |
|---|---|
| deploy/manifests/gate-webhook.yaml | the chart with deploy/manifests/values.yaml |
| deploy/manifests/register.yaml | the same: what makes the API server ask |
| deploy/alerts/gate-webhook.yaml | the chart's files/alerts.yaml |
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tools import build

ROOT = Path(__file__).resolve().parent.parent
CHART = ROOT / "deploy/chart/gate-webhook"
MANIFESTS = ROOT / "deploy/manifests"
NAMESPACE = "gate-system"
REGISTRATION = "kind: ValidatingWebhookConfiguration\n"
NOTE = "# Made by `make manifests` from deploy/chart/gate-webhook; edit that instead.\n"
_OF_HELM = ("app.kubernetes.io/managed-by: Helm", "helm.sh/chart: ")
PLACEHOLDERS: Mapping[str, str] = {
    "registry.example/gate/webhook": "the repository that you pushed the image to",
    "sha256:" + "0" * 64: "the image's digest. Nothing has this one, so nothing is pulled before you put in yours",
    "192.0.2.0/24": "from where the API server asks (kubectl get endpointslices kubernetes, each address with /32)",
    "198.51.100.0/24": "where your registries are",
    "databases": "the namespace of PostgreSQL; or an ipBlock, where it is outside of the cluster",
    "gate-webhook-configuration": "a config map with gate.yaml and the files that it names",
    "gate-webhook-log": "a secret with the connection string of the log under the key dsn",
}
"""What has to be replaced in the manifests, and by what."""


def rendered(*options: str) -> str:
    """What Helm makes of the chart."""
    helm = str(build.program("kube") / "helm")
    with tempfile.TemporaryDirectory() as home:
        environment = {"PATH": os.environ["PATH"], "HOME": home, "KUBECONFIG": os.devnull}
        command = [helm, "template", "gate-webhook", str(CHART), "--namespace", NAMESPACE, *options]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    # Nobody's Helm manages what is applied by hand.
    return "".join(line for line in done.stdout.splitlines(keepends=True) if not line.strip().startswith(_OF_HELM))


def header() -> str:
    """What stands at the top of the manifests."""
    rows = [f"#   {placeholder}\n#     {meaning}" for placeholder, meaning in PLACEHOLDERS.items()]
    return "\n".join(
        [
            NOTE + "#",
            "# Without Helm, and with cert-manager. Put your own in the place of these, everywhere:",
            "#",
            *rows,
            "#",
            "# Then apply this file, wait for its pods, and apply register.yaml: from then on nothing is admitted",
            "# that was not judged. docs/how-to/install-the-webhook.md goes through it.",
            "",
        ]
    )


def files() -> Mapping[str, str]:
    """Every file that is made, by its path."""
    text = rendered("--values", str(MANIFESTS / "values.yaml"))
    documents = [part.strip("\n") + "\n" for part in text.split("---\n") if part.strip()]
    registering = [part for part in documents if REGISTRATION in part]
    others = [part for part in documents if REGISTRATION not in part]
    alerts = (CHART / "files/alerts.yaml").read_text("utf-8")
    return {
        "deploy/manifests/gate-webhook.yaml": header() + "---\n" + "---\n".join(others),
        "deploy/manifests/register.yaml": NOTE + "---\n" + "---\n".join(registering),
        "deploy/alerts/gate-webhook.yaml": NOTE + alerts,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description="Writes what is made from the chart of the webhook.")
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    options = parser.parse_args()
    stale = [path for path, text in files().items() if not (ROOT / path).exists() or (ROOT / path).read_text() != text]
    for path in stale:
        if not options.check:
            (ROOT / path).parent.mkdir(parents=True, exist_ok=True)
            (ROOT / path).write_text(files()[path])
        print(f"{'out of date' if options.check else 'written'}: {path}")
    return 1 if stale and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
