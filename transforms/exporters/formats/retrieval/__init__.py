"""Formats of the field: TREC's, MS MARCO's, data sets of Hugging Face."""
