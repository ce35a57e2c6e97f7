"""The judge of a run, what it scored, and how far it can be relied on."""
