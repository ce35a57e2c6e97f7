"""What is checked of a negative set, from its metrics and its manifest."""
