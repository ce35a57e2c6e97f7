"""Errors meant for people: each says what was wrong, which value, where, and what to do now."""

from negmine.schemas.locations import shown


class NegmineError(Exception):
    """Base of every error that a user can act on; `exit_code` is the process's exit status.

    A message names places in a store by their URL.
    """

    exit_code = 1

    def __init__(self, *told: object) -> None:
        super().__init__(*(shown(part) if isinstance(part, str) else part for part in told))

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows in place of a traceback."""
        return [f"{type(self).__name__}: {self}"]


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
