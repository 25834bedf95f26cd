"""Secrets of 25 kinds, made here so that no scanner of secrets takes this file for a leak."""

from __future__ import annotations

import base64
import json

from tools.scenario_evidence import key

A = "A1b2C3d4E5f6G7h8J9k0"
SECRETS = {
    "aws key id": "AKIA" + "IOSFODNN7EXAMPLE",
    "aws secret": "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYEXAMPLEKEY",
    "github token": "ghp_" + A + A[:16],
    "github fine-grained": "github_pat_" + A,
    "gitlab token": "glpat-" + A,
    "slack token": "xoxb-" + "123456789012-" + A,
    "slack hook": "https://hooks.slack.example/services/T0/B0/" + A,
    "openai key": "sk-" + A + A,
    "anthropic key": "sk-ant-api03-" + A + A,
    "hugging face token": "hf_" + A + A[:14],
    "google key": "AIza" + A + A[:15],
    "google secret": "GOCSPX-" + A,
    "stripe key": "sk_live_" + A,
    "npm token": "npm_" + A + A[:16],
    "pypi token": "pypi-" + "AgEIcHlwaS5vcmc" + A,
    "docker auth": '{"auths":{"r.example":{"auth":"' + base64.b64encode(b"user:" + A.encode()).decode() + '"}}}',
    "jwt": "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxIn0." + A,
    "bearer": "Bearer " + A,
    "basic": "Basic " + base64.b64encode(b"user:" + A.encode()).decode(),
    "url": "https://user:" + A + "@host.example/x",
    "connection": "postgres://user:" + A + "@db.example/x",
    "azure": "AccountKey=" + base64.b64encode(A.encode() * 3).decode(),
    "ssh key": "-----BEGIN OPENSSH " + "PRIVATE KEY-----\n" + A,
    "private key": key("stranger").private_pem.decode(),
    "password": "password=" + A,
}


def core(secret: str) -> list[str]:
    """The secret as it is, in JSON, and its longest line."""
    return [secret, json.dumps(secret)[1:-1], max(secret.splitlines(), key=len)]
