"""Columns that say how relevant a positive is, and above which value it is one."""

from collections.abc import Mapping, Sequence

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import LABEL, named
from negmine.jobs.inspection.understood import Settings, Understood
from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import Rejected
from negmine.transforms.readers.tables.nested import path_of


def label_of(
    head: Head,
    columns: Mapping[str, Column],
    positives: Sequence[str],
    settings: Settings,
    found: Understood,
    declared: bool,
) -> None:
    """Find the label of the positives, and add what it means to `found`.

    A column that is called a positive is one, unless labels of 0 and 1 or a list of labels beside
    its list tell its texts apart. Raises DataError where there is a label that cannot be read, or
    is a teacher's.
    """
    if "label" in settings:
        name = settings["label"]
        if name is not None:
            found.roles[str(name)] = "label"
        return
    parallel = _parallel(head, columns, positives)
    label = parallel or _scalar(columns, positives)
    if label is None:
        return
    if declared and not parallel and not _tells(head, label):
        found.notes.append(
            f"{label} is not used: every row is a positive. Where it says which are: --set "
            f"input.label={label} --set input.label_above=VALUE"
        )
        return
    values = _numbers(head, label)
    if "label_above" not in settings:
        above = _limit(head, label, values, positives, parallel is not None)
        if above:
            found.values["label_above"] = above
    else:
        above = float(str(settings["label_above"]))
    found.values["label"] = label
    column = path_of(label, head.names)
    found.roles[column.column if column else label] = "label"
    kept = sum(value > above for value in values)
    found.notes.append(
        f"{label} says which are positives: above {above:g}, {kept:,} of the {len(values):,} that "
        "were looked at; the others are documents alone. --set input.label_above=VALUE decides "
        "otherwise, --set input.label=null takes all"
    )


def _scalar(columns: Mapping[str, Column], positives: Sequence[str]) -> str | None:
    names = [n for n in named(list(columns), LABEL) if n not in positives]
    words = [n for n in names if columns[n].kind in ("number", "text", "id")]
    return words[0] if words else None


def _tells(head: Head, label: str) -> bool:
    """Whether a column beside what is called a positive is a label all the same: zeros and ones."""
    values = {str(row.get(label)).casefold() for row in head.rows if row.get(label) is not None}
    return values in ({"0", "1"}, {"0.0", "1.0"}, {"true", "false"})


def _parallel(head: Head, columns: Mapping[str, Column], positives: Sequence[str]) -> str | None:
    """A list of numbers as long as the list of positives, in a column or in the same objects."""
    path = path_of(positives[0], head.names) if len(positives) == 1 else None
    if path is None:
        return None
    counts = [_length(path.of(row.get(path.column))) for row in head.rows]
    if not any(counts):
        return None
    inside = [f"{path.column}.{n}" for n in _keys(head, path.column) if named([n], LABEL)]
    beside = [n for n in named(list(columns), LABEL) if columns[n].kind == "numbers"]
    for written in (*inside, *beside):
        other = path_of(written, head.names)
        if other is None:
            continue
        try:
            found = [_length(other.of(row.get(other.column))) for row in head.rows]
        except Rejected:
            continue
        if found == counts:
            return written
    return None


def _keys(head: Head, column: str) -> list[str]:
    """Keys of the objects of a column."""
    values = [row.get(column) for row in head.rows]
    items = [i for value in values for i in (value if isinstance(value, list) else [value])]
    return list(dict.fromkeys(str(key) for item in items if isinstance(item, dict) for key in item))


def _length(value: object) -> int:
    return len(value) if isinstance(value, list) else 0


def _numbers(head: Head, label: str) -> list[float]:
    """The labels of the rows that were looked at. Raises DataError where they are no numbers."""
    path = path_of(label, head.names)
    assert path is not None
    found: list[float] = []
    for row in head.rows:
        value = path.of(row.get(path.column))
        for one in value if isinstance(value, list) else [value]:
            if one is None or one == "":
                continue
            try:
                found.append(_number(one))
            except (TypeError, ValueError):
                raise DataError(
                    f"{head.path}: {label} looks like a label, and {one!r:.60} is no number; write "
                    "1 for positives and 0 for others, or --set input.label=null takes every row "
                    "as a positive"
                ) from None
    return found


def _number(value: object) -> float:
    if isinstance(value, str) and value.casefold() in ("true", "false"):
        return float(value.casefold() == "true")
    if isinstance(value, bool | int | float | str):
        return float(value)
    raise TypeError


def _limit(
    head: Head, label: str, values: Sequence[float], positives: Sequence[str], lists: bool
) -> float:
    """The value above which a text is a positive.

    Whole numbers that begin at 0 or below: 0. Shares: one half. Else: midway.
    """
    low, high = min(values, default=0.0), max(values, default=0.0)
    whole = all(value == int(value) for value in values)
    if whole and low <= 0:
        return 0.0
    if not whole and (low < 0 or lists):
        raise DataError(
            f"{head.path}: {label} ({low:.3g} to {high:.3g}) is a teacher's score, which does not "
            f"say which texts are positives; --positive '{positives[0]}[0]' takes the first of "
            f"each list, --set input.label={label} --set input.label_above=VALUE those above a "
            "value"
            if lists
            else f"{head.path}: {label} ({low:.3g} to {high:.3g}) does not say which rows are "
            "positives; --set input.label_above=VALUE takes those above a value, --set "
            "input.label=null all"
        )
    if not whole and high <= 1:
        return 0.5
    return float(f"{(low + high) / 2:.3g}") if high > low else 0.0
