"""What a run finds out before its long stages, so that none is for nothing."""
