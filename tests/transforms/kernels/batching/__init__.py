"""Tests of the kernels that compose batches."""
