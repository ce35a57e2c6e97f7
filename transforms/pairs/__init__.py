"""Pairs of query and document with what is known of them."""
