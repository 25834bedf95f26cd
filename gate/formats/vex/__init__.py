"""VEX: documents in which somebody judges vulnerabilities of products, in one shape of facts.

A module reads one format and makes `Judgement`s. What is a product, and when one of its vulnerabilities is the one that
a scanner found, is decided in `gate.normalize.sections.vex`, for all formats alike.
"""
