"""Kernels that compose training batches: which pairs go together, and what to mask."""
