"""How each kind of judge scores the pairs of a block."""
