"""Sections of the report that only some runs have, and the sample of rows."""
