"""The command line: arguments only, one module a group of commands."""
