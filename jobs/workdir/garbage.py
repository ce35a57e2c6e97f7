"""What `negmine gc` lists: files and folders that may go, and why."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Item:
    """A file or folder, its bytes, and why it is listed."""

    path: Path
    bytes: int
    why: str


@dataclass
class Garbage:
    """What may go, what only row-level reuse would use, runs beyond those to keep, and remarks."""

    items: list[Item] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    old_runs: list[Item] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """Bytes of what may go."""
        return sum(item.bytes for item in self.items)
