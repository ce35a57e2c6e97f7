"""Blocks: contiguous ranges of rows, the unit of work and the unit of resuming."""

from typing import NamedTuple

from negmine.schemas.errors import StorageError


class Block(NamedTuple):
    """Rows `start .. stop-1` of a data set."""

    start: int
    stop: int

    @property
    def part(self) -> str:
        """File name of the rows made from this block; sorts in row order."""
        return f"part-{self.start:012d}-{self.stop:012d}.parquet"


def plan_blocks(rows: int, size: int) -> list[Block]:
    """Cut `rows` rows into blocks of `size`; one empty block where there are no rows."""
    if rows == 0:
        return [Block(0, 0)]
    return [Block(start, min(start + size, rows)) for start in range(0, rows, size)]


def parse_part(name: str) -> Block:
    """The block that a part's file name stands for."""
    try:
        start, stop = name.removeprefix("part-").removesuffix(".parquet").split("-")
        return Block(int(start), int(stop))
    except ValueError:
        raise StorageError(f"{name!r} is not the name of a part; remove the file") from None
