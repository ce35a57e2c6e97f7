"""Errors meant for people: each says what was wrong, which value, where, and what to do now."""


class NegmineError(Exception):
    """Base of every error that a user can act on; `exit_code` is the process's exit status."""

    exit_code = 1


class ConfigError(NegmineError):
    """The configuration, or a value given on the command line, cannot be used."""

    exit_code = 2


class DataError(NegmineError):
    """The input collection, or an artifact made from it, cannot be used."""

    exit_code = 3


class ModelError(NegmineError):
    """An encoder or a judge cannot be loaded, or gives scores that are not numbers."""

    exit_code = 4


class StorageError(NegmineError):
    """A work or output directory cannot be read or written."""

    exit_code = 5
