"""Searching: BM25, vectors, and the merge of what shards found."""
