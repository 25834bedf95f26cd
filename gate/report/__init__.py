"""Reports: a decision as text for one reader. Pure functions, no printing."""
