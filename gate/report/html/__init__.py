"""The report for a browser: one file that needs nothing else. `render` makes it of what the other modules gather."""
