"""From the rows of an input to a collection by position."""
