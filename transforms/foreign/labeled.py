"""Documents with labels: pairs, lists, Lightning IR's rows, and TREC runs, which have none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.transforms.foreign.lists import Entries
from negmine.transforms.foreign.rows import (
    SCORE,
    Negative,
    Passage,
    Row,
    is_finite,
    listed,
    named,
    text,
)
from negmine.transforms.readers.label_values import label_value
from negmine.transforms.readers.rows import Rejected, identifier
from negmine.transforms.readers.rows import number as as_number
from negmine.transforms.readers.tables.classes import Classes, names_at

LABELS = ("label", "labels", "score", "scores")
_ONLY = 1
NO_LABEL = "no_label"
"""Code of a value that is a number, and says of no document that it is a positive."""
_MOST_SHARES = 10
"""Different fractions that grades, as parts of the highest, have at most."""
_ASK = "say with --label-above X from where on a document is a positive"


def _label(value: object, what: str) -> float:
    """A label; above 0 is positive. Raises Rejected."""
    if not is_finite(value):
        raise Rejected("wrong_type", f"{what} is {value!r:.40}, expected a number")
    return as_number(value)


def _number(value: object, what: str) -> float:
    return float(value) if isinstance(value, bool) else _label(value, what)


@dataclass
class Labels:
    """Which labels of a file are a positive's: those above `above`, or above 0 without it.

    Without it they have to be labels: whole numbers, or shares of a grade from 0 on, in a column
    that is called so.
    """

    above: float | None = None
    _share: str = ""
    _shares: set[float] = field(default_factory=set)
    _negative: bool = False
    _zero: bool = False

    def positive(self, value: object, key: str, what: str) -> bool:
        """Whether it is a positive's. Raises Rejected where it is no label."""
        number = _number(value, what)
        if self.above is not None:
            return number > self.above
        if key in ("score", "scores"):
            raise Rejected(NO_LABEL, f"{key} holds scores and no labels; {_ASK}")
        self._negative |= number < 0
        self._zero |= number == 0
        if not number.is_integer():
            self._share = self._share or f"{what} is {number:g}"
            self._shares.add(number)
        if len(self._shares) > _MOST_SHARES:
            many = f"more than {_MOST_SHARES} different fractions"
            raise Rejected(NO_LABEL, f"{self._share}, and there are {many}: no labels; {_ASK}")
        if self._share and self._negative:
            raise Rejected(NO_LABEL, f"{self._share}, others are below 0: no labels; {_ASK}")
        return number > 0

    def check(self) -> None:
        """After the last row. Raises Rejected where fractions had no 0 among them."""
        if self._share and not self._zero:
            raise Rejected(NO_LABEL, f"{self._share}, and none is 0: no labels; {_ASK}")


def refuse_classes(path: str, classes: Mapping[str, Classes], limited: bool) -> None:
    """Raise DataError where the names of a label's classes say otherwise than its numbers.

    Trainers go by the numbers: above 0 is a positive. `limited`: whether --label-above decides.
    """
    for key in (*LABELS, "relevance"):
        names = names_at(classes, key) or ()
        for number, name in enumerate(names):
            try:
                same = (label_value(name) > 0) == (number > 0)
            except Rejected:
                same = False
            if not same:
                option = f", or {_ASK}" if limited else ""
                raise DataError(
                    f"{path}: {key} {number} is the class {name!r}, and trainers take numbers above"
                    " 0 for positives, so it is open which documents are; write 1 for positives and"
                    f" 0 for others without names, data.cast_column({key!r}, "
                    f"datasets.Value('int64')){option}"
                )


def _row(at: int, query: Passage, document: Passage, positive: bool, fault: str = "") -> Row:
    if positive:
        return Row(at, query, (document,), ())
    return Row(at, query, (), (Negative("", _ONLY, document, fault),))


def pair(number: int, record: JsonObject, labels: Labels) -> Row:
    """Two columns of text and a label, by their order."""
    texts = [value for key, value in record.items() if key not in LABELS]
    key = next((name for name in LABELS if name in record), None)
    if len(texts) != 2 or key is None:
        raise Rejected(
            "wrong_type",
            f"it has the columns {', '.join(record)}, expected two texts and label or score",
        )
    query, document = text(texts[0], "query"), text(texts[1], "document")
    return _row(number, query, document, labels.positive(record[key], key, key))


def drop(record: object, bad: Entries, label_above: float | None = None) -> None:
    """The row goes with its document."""
    return


def labeled_list(number: int, record: JsonObject, labels: Labels) -> Row:
    """A query, its documents and their labels, by the order of the columns."""
    names = [key for key in record if key not in LABELS]
    key = next((name for name in LABELS if name in record), None)
    if len(names) != 2 or key is None:
        raise Rejected(
            "wrong_type",
            f"it has the columns {', '.join(record)}, expected a query, documents and labels",
        )
    documents = listed(record[names[1]], names[1])
    for beside in (name for name in LABELS if name in record):
        size = len(listed(record[beside], beside))
        if size != len(documents):
            raise Rejected("wrong_type", f"{len(documents)} {names[1]} have {size} {beside}")
    values = listed(record[key], key)
    positive = [labels.positive(v, key, f"{key} {at}") for at, v in enumerate(values, 1)]
    found = [text(value, f"document {at}") for at, value in enumerate(documents, 1)]
    return Row(
        number,
        text(record[names[0]], names[0]),
        tuple(
            document for document, is_positive in zip(found, positive, strict=True) if is_positive
        ),
        tuple(
            Negative("", at, document)
            for at, (document, is_positive) in enumerate(zip(found, positive, strict=True), 1)
            if not is_positive
        ),
    )


def clean_list(
    record: JsonObject, bad: Entries, label_above: float | None = None
) -> JsonObject | None:
    """Without bad documents and their labels; a list without any negative left goes."""
    lists = {key: value for key, value in record.items() if isinstance(value, list)}
    size = max(map(len, lists.values()))
    keep = [at for at in range(size) if ("", at + 1) not in bad]
    left = {key: [value[at] for at in keep] for key, value in lists.items()}
    labels = next(left[key] for key in LABELS if key in left)
    return {**record, **left} if any(label <= (label_above or 0) for label in labels) else None


def lightning_ir(number: int, record: JsonObject) -> Row:
    """A row a document: identifiers, texts, `relevance` above 0 for a positive, `score`."""
    fault = SCORE if "score" in record and not is_finite(record["score"]) else ""
    return _row(
        number,
        named(record.get("query_id"), record.get("query"), None, "query"),
        named(record.get("doc_id"), record.get("text"), None, "document"),
        _label(record.get("relevance"), "relevance") > 0,
        fault,
    )


def trec_run(number: int, words: Sequence[str]) -> Row:
    """`query Q0 document rank score tag`: judgements say which of them are positives."""
    if len(words) != 6:
        raise Rejected(
            "wrong_type", f"{len(words)} words, expected query Q0 document rank score tag"
        )
    query, _, document, _, score, _ = words
    try:
        fault = "" if is_finite(float(score)) else SCORE
    except ValueError:
        raise Rejected("wrong_type", f"the score {score!r:.40} is no number") from None
    ids = (identifier(query, "query"), identifier(document, "document"))
    return _row(number, Passage(ids[0], ""), Passage(ids[1], ""), False, fault)
