"""The metrics of a set of negatives, whoever mined them: arrays in, rows of METRICS out."""
