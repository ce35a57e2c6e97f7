"""Composition only: the graph of stages, and the transforms that make them."""
