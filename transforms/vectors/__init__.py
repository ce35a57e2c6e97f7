"""The student's vectors: embedded, or placed from files that were given."""
