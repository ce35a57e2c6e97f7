"""Which files of rows are read together: alike, and none of negatives among them."""

from collections.abc import Sequence
from pathlib import Path

from negmine.jobs.inspection.files.folders import Piece
from negmine.jobs.inspection.heads import Head, head_of
from negmine.jobs.inspection.names import declares, has_role, is_label, says_negatives
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.schemas.errors import DataError

_HEADS = 100
"""Files whose beginnings are looked at."""


def header_told(settings: Settings) -> bool | None:
    """Whether files of rows begin with a header, where that was told."""
    header = settings.get("header")
    if isinstance(header, bool):
        return header
    return True if isinstance(header, list | tuple) and "path" in header else None


def encoding_told(settings: Settings) -> str | None:
    """The encoding of files of rows, where that was told."""
    found = settings.get("encoding")
    return None if found is None else str(found)


def against(path: str, pieces: Sequence[Piece], settings: Settings) -> list[Piece]:
    """Pieces whose name says that they hold negatives, and whose columns do not say otherwise.

    Raises DataError where there are no others.
    """
    found = []
    for piece in pieces:
        name = piece.pattern.removeprefix(path).strip("/") or Path(path).name
        if says_negatives(name):
            head = head_of(piece.files[0], encoding_told(settings), header_told(settings))
            if not any(declares(column) or is_label(column) for column in head.names):
                found.append(piece)
    if found and len(found) == len(pieces):
        if "positive" in settings or "label" in settings:
            return []
        raise DataError(
            f"{found[0].pattern} says by its name that it holds negatives, and none of its columns "
            "says which texts are positives; name the file of the positives, or, where they are "
            "here, say it: --positive COLUMN, or --set input.label=COLUMN"
        )
    return found


def refuse_late(late: Sequence[str], found: Understood, files: Sequence[str]) -> None:
    """Raise DataError where a column that has a role comes after the rows that readers look at."""
    if late:
        raise DataError(
            f"{files[0]}: the first rows have no {late[0]!r}, and later ones have it as "
            f"{found.roles[late[0]]}; write it into the first row too (null where it has none)"
        )


def refuse_others(head: Head, files: Sequence[str], settings: Settings) -> None:
    """Raise DataError where another of the files has other columns of a role."""
    told = header_told(settings)
    for file in files[1:_HEADS]:
        other = head_of(file, head.encoding if head.kind in ("csv", "tsv") else None, told)
        apart = [name for name in {*other.names, *head.names} if has_role(name)]
        apart = [name for name in apart if (name in other.names) != (name in head.names)]
        if apart or other.header != head.header:
            raise DataError(
                f"{head.path} has the columns {', '.join(map(repr, head.names[:12]))} and {file} "
                f"{', '.join(map(repr, other.names[:12]))}, which are not read alike; name one of "
                "them, or give them the same columns"
            )
