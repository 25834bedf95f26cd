"""A policy bundle and an input document become a complete evaluation, or an error."""
