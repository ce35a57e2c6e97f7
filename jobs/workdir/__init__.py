"""The work directory: artifacts, their checks, and what may be deleted."""
