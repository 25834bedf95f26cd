"""Carriers that hold the facts of a bundle in another form: each module turns one of them into bundles."""
