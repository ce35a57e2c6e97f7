"""Tests of plans of training batches: written, read, and trained with."""
