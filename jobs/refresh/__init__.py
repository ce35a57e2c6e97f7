"""Mining a published run again with a new student: its config, the run, and what drifted."""
