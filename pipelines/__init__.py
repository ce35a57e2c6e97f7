"""Composition only: one file a stage, each with `build(pipeline, task)`."""
