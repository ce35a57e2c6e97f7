"""Rows of query and positives: files of them, data sets of them, and what becomes of a row."""
