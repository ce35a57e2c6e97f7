"""Columns of other names than a label's that may be one all the same."""

from collections.abc import Collection, Mapping, Sequence

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import is_against, is_id, suggests
from negmine.jobs.inspection.roles.parallel import Lists
from negmine.jobs.inspection.roles.values import Values
from negmine.schemas.errors import DataError
from negmine.transforms.readers.label_values import label_value, refuse_classes
from negmine.transforms.readers.rows import Rejected, readable
from negmine.transforms.readers.tables.classes import Names, names_at
from negmine.transforms.readers.tables.nested import path_of

_ENTAILMENT = frozenset({"entailment", "not_entailment", "contradiction"})


def refuse_unknown(
    head: Head,
    columns: Mapping[str, Column],
    free: Sequence[str],
    lists: Lists,
    values: Values,
    declared: bool,
    chosen: bool,
) -> None:
    """Raise DataError where a column of another name may be a label all the same."""
    for name in free:
        if suggests(name) and not declared and columns[name].kind in ("number", "text", "id"):
            raise _asked(head, name, "says which rows are better")
    beside = [name for name in free if columns[name].kind in ("number", "text", "id")]
    beside = [name for name in beside if not is_id(name)]
    several = [way for way in (*lists.inside, *free) if lists.is_list(way) and lists.parallel(way)]
    for way in (*beside, *several):
        _refuse_entailment(head, way, values)
        numbers = set() if way in values.many else numbers_of(values.of(way))
        if numbers and min(numbers) <= 0 < max(numbers):
            two = set(numbers) <= {-1.0, 0.0, 1.0}
            if two or (not declared and all(n == int(n) for n in numbers) and max(numbers) <= 5):
                shown = ", ".join(sorted({readable(v)[:20] for v in values.of(way)})[:6])
                raise _asked(head, way, f"holds {shown}")
        classes = classes_at(head, way)
        if not numbers and classes is not None and len(classes) == 2:
            refuse_classes(head.path, "label", way, classes)
        scored = way in several and lists.several and numbers and len(numbers) > 1
        if scored and not declared and not chosen:
            raise _asked(head, way, f"holds a number for each text of {lists.way}")


def _refuse_entailment(head: Head, way: str, values: Values) -> None:
    words = {value.strip().casefold() for value in values.of(way) if isinstance(value, str)}
    if words & _ENTAILMENT:
        refuse_classes(head.path, "label", way, classes_at(head, way))
        raise DataError(
            f"{head.path}: {way} holds {', '.join(map(repr, sorted(words)[:4]))}, which is no label"
            " of relevance; write a column label of 1 for positives and 0 for others, or --set "
            "input.label=null takes every row as a positive"
        )


def numbers_of(values: Collection[object]) -> set[float]:
    """Values as numbers, words that are labels too; none where others are there."""
    try:
        return {label_value(value) for value in values}
    except Rejected:
        return set()


def classes_at(head: Head, way: str) -> Names | None:
    """The names of the classes at the end of a way."""
    path = path_of(way, head.names)
    return None if path is None else names_at(head.classes, *path)


def _asked(head: Head, way: str, what: str) -> DataError:
    if is_against(way.rpartition(".")[2]):
        return DataError(
            f"{head.path}: {way} {what}, and says by its name which are no positives; write a "
            "column label of 1 for positives and 0 for others, or --set input.label=null takes "
            "every row as a positive"
        )
    return DataError(
        f"{head.path}: {way} {what}, and may say which are positives; --set input.label={way} "
        "takes those above 0 (--set input.label_above=VALUE another limit), --set "
        "input.label=null takes every row as a positive"
    )
