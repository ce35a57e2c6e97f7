"""Estimates of a run from its scores: its gain, positives unlabelled, its teacher."""
