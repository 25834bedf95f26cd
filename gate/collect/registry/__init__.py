"""A client of OCI registries that believes nothing but digests (OCI distribution specification 1.1, SECURITY 30)."""
