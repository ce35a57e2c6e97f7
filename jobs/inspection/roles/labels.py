"""Columns that say how relevant a positive is: what decides, and what has to be asked about."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from negmine.jobs.inspection.columns import Column
from negmine.jobs.inspection.heads import Head
from negmine.jobs.inspection.names import (
    LABEL,
    is_label,
    is_place,
    is_proof,
    named,
    says_labels,
)
from negmine.jobs.inspection.roles.parallel import Lists
from negmine.jobs.inspection.roles.understood import Settings, Understood
from negmine.jobs.inspection.roles.unknown_labels import classes_at, numbers_of, refuse_unknown
from negmine.jobs.inspection.roles.values import Values
from negmine.schemas.errors import DataError
from negmine.transforms.readers.label_values import label_value, refuse_classes, word_value
from negmine.transforms.readers.rows import Rejected, readable
from negmine.transforms.readers.tables.names import names_a_label
from negmine.transforms.readers.tables.nested import TEXTS, path_of

_TOP = 10
"""The highest grade; larger numbers count something."""

_NLI = ("premise", "hypothesis")
_SENTENCES = ("sentence1", "sentence2", "sentence_a", "sentence_b", "text1", "text2")


@dataclass(frozen=True)
class _Label:
    """A column that may be the label: its way, and how often each of its numbers stands there."""

    way: str
    numbers: Mapping[float, int]
    lists: bool
    graded: bool

    @property
    def splits(self) -> bool:
        """Whether it tells texts apart."""
        return min(self.numbers) <= 0 < max(self.numbers)

    @property
    def range(self) -> str:
        """Its numbers in front of people."""
        return f"{min(self.numbers):.3g} to {max(self.numbers):.3g}"


def label_of(
    head: Head,
    columns: Mapping[str, Column],
    positives: Sequence[str],
    settings: Settings,
    found: Understood,
    declared: bool,
    values: Values,
) -> None:
    """Find the label of the positives, and add what it means to `found`.

    A column that is called a positive is one, unless a label says of some of its texts that they
    are none. Raises DataError where a column may be a label, and does not say which are positives.
    """
    if "label" in settings:
        name = settings["label"]
        if name is not None:
            _refuse_without_limit(head, str(name), settings, values)
            found.roles[str(name)] = "label"
        return
    lists = Lists(head, positives)
    free = [name for name, c in columns.items() if name not in found.roles and not c.index]
    if not declared or lists.several:
        _refuse_places(head, columns, free, positives, lists, declared)
    inside = [way for way in lists.inside if is_label(way.rpartition(".")[2])]
    beside = [name for name in free if is_label(name)]
    deeper = [way for name in free for way in _inside(columns[name], values)]
    order = {name: at for at, name in enumerate(named(beside, [*LABEL, *beside]))}
    ways = [*inside, *sorted(beside, key=lambda name: order.get(name, len(order))), *deeper]
    labels = [
        label
        for way in ways
        if (label := _label(head, way, columns, lists, values, declared)) is not None
    ]
    told = "label_above" in settings
    chosen = next((x for x in labels if x.splits and x.graded), next(iter(labels), None))
    looked_at = any(names_a_label(way.rpartition(".")[2]) for way in ways)
    if chosen is None:
        if looked_at:
            found.values["label"] = None
        refuse_unknown(head, columns, free, lists, values, declared, "positive" in settings)
        return
    seen = values.whole or not chosen.graded
    if declared and not told and min(chosen.numbers) > 0 and seen:
        refuse_unknown(head, columns, free, lists, values, declared, "positive" in settings)
        if looked_at:
            found.values["label"] = None
        found.notes.append(
            f"{chosen.way} is not used: every row is a positive. Where it says which are: --set "
            f"input.label={chosen.way} --set input.label_above=VALUE"
        )
        return
    if told:
        above = float(str(settings["label_above"]))
    else:
        _refuse_unclear(head, chosen, found, positives, values)
        above = 0.0
    _use(head, chosen, above, found, values)


def _inside(column: Column, values: Values) -> list[str]:
    """Ways to labels in the objects of a column that holds no texts, such as meta.label."""
    if column.kind != "object" or any(k in TEXTS for v in column.values for k in _keys(v)):
        return []
    ways = [way for way in values.counts if way.startswith(f"{column.name}.")]
    return [way for way in ways if says_labels(way.rpartition(".")[2])]


def _keys(value: object) -> Collection[str]:
    return value if isinstance(value, dict) else ()


def _refuse_without_limit(head: Head, way: str, settings: Settings, values: Values) -> None:
    """Raise DataError where a label that was named is above 0 everywhere, and differs."""
    numbers = numbers_of(values.of(way))
    if "label_above" not in settings and len(numbers) > 1 and min(numbers) > 0:
        raise DataError(
            f"{head.path}: {way} ({min(numbers):.3g} to {max(numbers):.3g}) is above 0 everywhere; "
            "say above which value a text is a positive, --set input.label_above=VALUE"
        )


def _use(head: Head, label: _Label, above: float, found: Understood, values: Values) -> None:
    found.values["label"] = label.way
    column = path_of(label.way, head.names)
    found.roles[column.column if column else label.way] = "label"
    total = sum(label.numbers.values())
    kept = sum(count for number, count in label.numbers.items() if number > above)
    if not kept:
        raise DataError(
            f"{head.path}: {label.way} ({label.range}) is above {above:g} nowhere, so there would "
            "be no positive; --set input.label_above=VALUE says above which value a text is a "
            "positive, --set input.label=null takes all"
        )
    said = _positive_words(values.of(label.way), above)
    found.notes.append(
        f"{label.way} says which are positives{said}: above {above:g}, {kept:,} of the {total:,} "
        "that were looked at; the others are documents alone. --set input.label_above=VALUE "
        "decides otherwise, --set input.label=null takes all"
    )


def _positive_words(values: Collection[object], above: float) -> str:
    """The words of a label, those that are no numbers, that say that a text is a positive."""
    words = [value for value in values if isinstance(value, str) and word_value(value) is not None]
    above_it = sorted(readable(word) for word in words if label_value(word) > above)
    return f" ({', '.join(above_it)})" if above_it else ""


def _label(
    head: Head,
    way: str,
    columns: Mapping[str, Column],
    lists: Lists,
    values: Values,
    declared: bool,
) -> _Label | None:
    """A column of a label's name as a label; None where it holds nothing, or other words.

    Raises DataError where its values are no labels, or are not one a text.
    """
    found = values.of(way)
    if not found and way.replace("[]", "") not in values.many:
        return None
    many = way.replace("[]", "") in values.many
    if not many and not any(map(_is_label_word, found)) and _is_weak(way):
        return None
    numbers: dict[float, int] = {}
    for value, count in found.items():
        try:
            number = label_value(value)
        except Rejected:
            refuse_classes(head.path, "label", way, classes_at(head, way))
            raise DataError(
                f"{head.path}: {way} looks like a label, and {readable(value)[:60]!r} is no number;"
                " write 1 for positives and 0 for others, or --set input.label=null takes every "
                "row as a positive"
            ) from None
        numbers[number] = numbers.get(number, 0) + count
    if not numbers:
        return None
    listed = lists.is_list(way)
    if listed and not lists.parallel(way):
        if lists.placed or (declared and min(numbers) > 0):
            return None
        raise DataError(
            f"{head.path}: {way} holds lists of labels that are not as long as those of "
            f"{lists.way}; write one label a text, or --set input.label=null takes every text as a "
            "positive"
        )
    whole = all(number == int(number) for number in numbers)
    return _Label(way, numbers, listed, not many and whole and max(numbers) <= _TOP)


def _is_weak(way: str) -> bool:
    """Whether a name of a label is that of many other things too."""
    return way.rpartition(".")[2].casefold() in ("type", "class", "target", "gold", "match")


def _is_label_word(value: object) -> bool:
    try:
        label_value(value)
    except Rejected:
        return False
    return True


def _refuse_unclear(
    head: Head, label: _Label, found: Understood, positives: Sequence[str], values: Values
) -> None:
    """Raise DataError where a label's numbers do not say above which a text is a positive."""
    told = (
        f"--set input.label={label.way} --set input.label_above=VALUE takes those above a value, "
        "--set input.label=null all"
    )
    texts = {name for name, role in found.roles.items() if role in ("query", "positive")}
    kinds = named(list(texts), _NLI) or (
        named(list(texts), _SENTENCES)
        and set(label.numbers) <= {-1, 0, 1, 2}
        and 2 in label.numbers
    )
    if kinds:
        raise DataError(
            f"{head.path}: {label.way} ({label.range}) may say entailment by 0, so that its "
            f"numbers are no grades; write 1 for positives and 0 for others; or {told}"
        )
    ones = set(label.numbers) == {1.0}
    if label.graded and (label.splits or (ones and values.whole)):
        return
    if label.lists and not label.graded:
        raise DataError(
            f"{head.path}: {label.way} ({label.range}) is a teacher's score, which does not say "
            f"which texts are positives; --positive '{positives[0]}[0]' takes the first of each "
            f"list, {told}"
        )
    raise DataError(
        f"{head.path}: {label.way} ({label.range}) does not say which rows are positives; {told}"
    )


def _refuse_places(
    head: Head,
    columns: Mapping[str, Column],
    free: Sequence[str],
    positives: Sequence[str],
    lists: Lists,
    declared: bool,
) -> None:
    """Raise DataError where a column says at which place of a list the positive stands."""
    if not lists.several:
        return
    for name in free:
        held = columns[name].values
        if not declared and is_proof(name) and not lists.parallel(name) and not lists.placed:
            raise _of_places(head, name, positives, lists)
        if columns[name].kind not in ("number", "numbers", "text", "id") or not is_place(name):
            continue
        letters = all(isinstance(v, str) and len(v) == 1 and v.isalpha() for v in held)
        said = name.casefold().endswith(("idx", "index", "indices"))
        if (said and not lists.parallel(name)) or letters or (not declared and lists.places(name)):
            raise _of_places(head, name, positives, lists)


def _of_places(head: Head, name: str, positives: Sequence[str], lists: Lists) -> DataError:
    return DataError(
        f"{head.path}: {name} may say which text of {lists.way} is the positive, and the others "
        f"are none; write the positives into a column of their own, --positive '{positives[0]}[0]'"
        " takes the first of each list, --set input.label=null all"
    )
