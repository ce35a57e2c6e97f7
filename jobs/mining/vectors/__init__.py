"""The vectors of a run: who makes them, and the artifacts that hold and index them."""
