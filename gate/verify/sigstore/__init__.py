"""Keyless signatures that the sigstore library does not verify: a verifier of our own on `cryptography`.

One module an obligation: `root` what is trusted and when, `chain` the certificate, `promise` its certificate log, `log`
the transparency log, `stamps` the timestamp authorities, `own` all of them in their order.
"""
