"""The options of commands that have many, each with its help."""
