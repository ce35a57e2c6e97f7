"""Formats of sentence-transformers' trainers: the order of the columns counts."""
