"""What can be known of a run on an engine before anything is submitted to it."""
