"""Parquet data sets: their parts and blocks, columns by position, and SQL over them."""
