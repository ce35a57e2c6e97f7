"""Markup and drawings that the report and other pages are made of."""
