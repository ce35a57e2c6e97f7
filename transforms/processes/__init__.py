"""Helper processes of a local run: how they are led, and what each of them does."""
