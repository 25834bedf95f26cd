"""Static inspection: what the files of an artifact are, and what they could do. Nothing is ever loaded."""
