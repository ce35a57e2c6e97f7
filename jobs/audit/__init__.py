"""`negmine audit`: the same machinery judges negatives that somebody else mined."""
