"""What is asked of a refresh; imports nothing that takes time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Request:
    """What is asked of a refresh.

    Attributes:
        students: the checkpoint, or one a fold of the queries; none where vectors stand in for
            the student.
        judge: the parent's, or the student's checkpoints.
        settings: `key=value` as of `mine`.
        output: where to publish; the parent's output unless given.
    """

    students: tuple[str, ...] = ()
    judge: Literal["pinned", "checkpoint"] = "pinned"
    settings: Sequence[str] = ()
    output: str | None = None

    def sets(self, *keys: str) -> bool:
        """Whether a setting is of one of these keys or below it."""
        named = [setting.partition("=")[0] for setting in self.settings]
        return any(name == key or name.startswith(f"{key}.") for name in named for key in keys)
