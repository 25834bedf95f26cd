"""`gate webhook serve`."""

from __future__ import annotations

from pathlib import Path

import click

from gate.app.workspace import Request
from gate.cli.params import now_or_clock, start_folder
from gate.config.settings import DEFAULT_PATH
from gate.errors import ConfigError
from gate.server.interface import ServeOptions

_PORT = click.IntRange(0, 65535)
_FILE = click.Path(path_type=Path)


@click.command(
    "serve",
    epilog="""\b
Examples:
  gate webhook serve --tls-cert tls.crt --tls-key tls.key
  gate webhook serve --tls-cert tls.crt --tls-key tls.key --client-ca api-server-ca.crt --root /etc/gate
""",
)
@click.option(
    "--root",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder with the configuration  [default: the top of this repository, else this folder]",
)
@click.option(
    "--config",
    metavar="FILE",
    default=DEFAULT_PATH,
    show_default=True,
    help="The configuration, relative to the root.",
)
@click.option(
    "--host",
    metavar="ADDRESS",
    default="0.0.0.0",  # noqa: S104 - the address of a pod is not known before
    show_default=True,
    help="Where to listen; :: for both families.",
)
@click.option("--port", type=_PORT, default=8443, show_default=True, help="For reviews, with TLS; 0 takes a free one.")
@click.option(
    "--tls-cert",
    type=_FILE,
    required=True,
    metavar="FILE",
    help="The certificate and what leads to its authority (PEM).",
)
@click.option("--tls-key", type=_FILE, required=True, metavar="FILE", help="Its private key (PEM, without a password).")
@click.option(
    "--client-ca",
    type=_FILE,
    metavar="FILE",
    help="Talk only to clients with a certificate of these authorities (PEM).",
)
@click.option(
    "--health-port", type=_PORT, default=8080, show_default=True, help="For /livez, /readyz and /metrics, without TLS."
)
@click.option(
    "--linger-s",
    type=click.FloatRange(0, 600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="After SIGTERM, answer new requests for so long.",
)
@click.option(
    "--drain-s",
    type=click.FloatRange(0, 600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="Then wait for so long for those in flight.",
)
@click.option(
    "--watch-s",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    help="How often to look whether files changed.",
)
def command(  # noqa: PLR0913 - one parameter an option
    *,
    root: Path | None,
    config: str,
    host: str,
    port: int,
    tls_cert: Path,
    tls_key: Path,
    client_ca: Path | None,
    health_port: int,
    linger_s: float,
    drain_s: float,
    watch_s: float,
) -> int:
    """Answer the API server of a cluster, over HTTPS.

    Reviews (admission.k8s.io/v1) are posted to /validate. What changes in the configuration, the policy, the keys and
    the certificate is used without a restart when all of it is valid; SIGHUP has it looked at now. SIGTERM ends it when
    what is asked is answered. Logs are lines of JSON on standard error.

    Exit code 0: a signal ended it. 1: requests were refused because the time to end was over.
    """
    try:
        from gate.server.run import serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == "gate":
            raise
        raise ConfigError("the webhook needs the extra `server`", hint="pip install 'gate[server]'") from None
    from gate.app.admission import open_admitter

    request = Request(start_folder(root), root, config, None, config_from_worktree=True, now_s=now_or_clock(None))
    options = ServeOptions(host, port, health_port, tls_cert, tls_key, client_ca, linger_s, drain_s, watch_s)
    admitter = open_admitter(request)
    return serve(admitter, admitter.limits, options)
