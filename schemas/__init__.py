"""What the data looks like: tables, configuration, verdicts and errors. Imports nothing of ours."""
