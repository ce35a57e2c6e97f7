"""Columns of other names than a label's that may be one all the same."""

from collections.abc import Collection, Mapping, Sequence

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import is_against, is_id, is_strength, suggests
from negmine.jobs.inspection.roles.parallel import Lists
from negmine.jobs.inspection.roles.values import Values
from negmine.schemas.errors import DataError
from negmine.transforms.readers.label_values import label_value, refuse_classes, word_value
from negmine.transforms.readers.rows import Rejected, readable
from negmine.transforms.readers.tables.classes import Names, names_at
from negmine.transforms.readers.tables.nested import path_of

_ENTAILMENT = frozenset({"entailment", "not_entailment", "contradiction"})
_FOR = frozenset({
    "accept", "accepted", "best", "entailed", "entails", "exact", "excellent", "good", "helpful",
    "high", "like", "liked", "match", "matches", "pass", "passed", "perfect", "related", "same",
    "similar", "support", "supported", "supports", "up", "upvote", "useful", "win", "won",
})  # fmt: skip
_AGAINST = frozenset({
    "bad", "complement", "contradicts", "dislike", "disliked", "dissimilar", "down", "downvote",
    "fail", "failed", "lose", "loss", "lost", "low", "mismatch", "nei", "neutral", "no match",
    "no_match", "not enough info", "poor", "refute", "refuted", "refutes", "reject", "rejected",
    "substitute", "unhelpful", "unrelated", "unsupported", "useless", "worst",
})  # fmt: skip
"""Words for and against a text; where both stand in a column, it may be a label."""
_SHOPPING = frozenset("esci")
"""Exact, substitute, complement, irrelevant (arXiv 2206.06588)."""
_ALONE = ("number", "text", "id")
_WORDS = 3.0
"""Mean words of a column of opinions; more are a text."""


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
        if not suggests(name) or declared or columns[name].kind not in _ALONE:
            continue
        if columns[name].kind != "text" or numbers_of(values.of(name)):
            raise _asked(head, name, "says which rows are better")
        if columns[name].words <= _WORDS:
            raise _no_numbers(head, name, _words_of(name, values), "may say which are positives")
    beside = [name for name in free if columns[name].kind in _ALONE]
    beside = [name for name in beside if not is_id(name)]
    several = [way for way in (*lists.inside, *free) if lists.is_list(way) and lists.parallel(way)]
    for way in (*beside, *several):
        _refuse_entailment(head, way, values)
        if not declared:
            _refuse_opinions(head, way, values)
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


def _refuse_opinions(head: Head, way: str, values: Values) -> None:
    words = set() if way in values.many else _words_of(way, values)
    if numbers_of(words):
        return
    said = {word_value(word) for word in words}
    for_it, against = words & _FOR or 1.0 in said, words & _AGAINST or 0.0 in said
    shopping = "e" in words and 1 < len(words & _SHOPPING) == len(words)
    if (for_it and against and not is_strength(way)) or shopping:
        raise _no_numbers(head, way, words, "may say which are positives")


def _words_of(way: str, values: Values) -> set[str]:
    return {value.strip().casefold() for value in values.of(way) if isinstance(value, str)}


def _no_numbers(head: Head, way: str, words: Collection[str], what: str) -> DataError:
    return DataError(
        f"{head.path}: {way} holds {', '.join(map(repr, sorted(words)[:4]))}, and {what}; write a "
        "column label of 1 for positives and 0 for others, or --set input.label=null takes every "
        "row as a positive"
    )


def _refuse_entailment(head: Head, way: str, values: Values) -> None:
    words = _words_of(way, values)
    if words & _ENTAILMENT:
        refuse_classes(head.path, "label", way, classes_at(head, way))
        raise _no_numbers(head, way, words, "that is no label of relevance")


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
