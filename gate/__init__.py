"""A policy-as-code gate for the supply chain of AI artifacts."""

__version__ = "0.1.0"
