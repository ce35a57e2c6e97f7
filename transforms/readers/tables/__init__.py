"""Rows with named columns out of files: JSON, delimited text, Arrow; and the names themselves."""
