"""Bytes <-> typed values, pure and strict."""
