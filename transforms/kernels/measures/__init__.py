"""Measuring: geometry of sets, spread, and intervals."""
