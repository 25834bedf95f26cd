"""Bills of materials: each module turns the documents of one format into facts of one shape (`shape.py`)."""
