"""The configuration, `gate.yaml`, read strictly into frozen settings."""
