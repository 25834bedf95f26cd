"""Use cases: the stages put together. No click, no printing, no environment; the clock comes from outside."""
