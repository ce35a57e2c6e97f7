"""The sources of candidates, their indexes, and the search over shards."""
