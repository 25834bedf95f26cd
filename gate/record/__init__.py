"""The durable, hash-chained log of decisions: written and synced before an answer leaves."""
