"""Evidence becomes `Verified` or `Rejected`; nothing else, and never an exception for bad evidence."""
