"""What the comparison with peers is told: collections, sizes and models."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import _peer_data as data
from benchmarks._peer_miners import input_section


@dataclass(frozen=True)
class Bench:
    """Collections, sizes and models of the comparison; `out` gets what the runs share."""

    out: Path
    collection: str
    split: str
    lexical: str
    lexical_split: str
    student: str
    judge_size: str
    queries: int
    vectors: int
    dimension: int
    searches: int
    documents: int
    depth: int
    threads: int

    @property
    def shared(self) -> Path:
        """Folder of what runs share: nothing in it is measured."""
        return self.out / "shared"

    @property
    def folder(self) -> str:
        """The student's weights, for peers."""
        return data.student_folder(self.student)

    def input(self) -> dict[str, Any]:
        return input_section(self.collection, self.split)
