"""`negmine batches`: which pairs of a run go together in a training batch."""
