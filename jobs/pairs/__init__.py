"""Given pairs, weighed and sorted out before they are mined."""
