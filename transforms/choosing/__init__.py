"""Verdicts and tiers of candidates, scores of the sets, and what is published."""
