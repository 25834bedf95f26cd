"""The producing side: statements, model manifests and signatures, in the forms that verification reads."""
