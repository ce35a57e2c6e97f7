"""Formats of other trainers, a module each."""
