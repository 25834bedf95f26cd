"""One module a section of the input document."""
