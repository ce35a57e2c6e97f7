"""Settings of an index, measured."""
