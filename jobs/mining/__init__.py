"""One run, a module a stage."""
