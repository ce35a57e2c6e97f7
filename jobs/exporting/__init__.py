"""Exports of published runs: what exporters are given of a run, and what is told of it."""
