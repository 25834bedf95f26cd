"""The admission webhook over HTTPS: a thin shell around the use case that `gate check` has too."""
