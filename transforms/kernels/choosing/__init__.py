"""Choosing: policies, tiers, and which safe candidates become negatives."""
