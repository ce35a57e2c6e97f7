"""What a label says of a text: numbers, true and false, yes and no, and the names of classes."""

from negmine.schemas.errors import DataError
from negmine.transforms.readers.rows import Rejected, number
from negmine.transforms.readers.tables.classes import Names

_YES = (
    "true", "yes", "y", "t", "positive", "pos", "relevant", "correct", "duplicate", "equivalent",
)  # fmt: skip
_NO = ("false", "no", "n", "f", "negative", "neg", "hard_negative", "irrelevant", "incorrect",
       "wrong", "different")  # fmt: skip
_DENIED = tuple(
    f"{no}{apart}{word}"
    for word in ("relevant", "correct", "duplicate", "equivalent")
    for no in ("not", "non")
    for apart in ("", " ", "-", "_")
)
_WORDS = dict.fromkeys(_YES, 1.0) | dict.fromkeys((*_NO, *_DENIED), 0.0)


def word_value(value: object) -> float | None:
    """1 for a word that says positive, 0 for one that says the opposite, None for all else."""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return _WORDS.get(value.strip().casefold()) if isinstance(value, str) else None


def label_value(value: object) -> float:
    """A label as a number; true and yes are 1, false and no are 0. Raises Rejected."""
    if isinstance(value, bool):
        return float(value)
    word = word_value(value)
    if word is not None:
        return word
    try:
        return number(value.decode("utf-8", "replace") if isinstance(value, bytes) else value)
    except Rejected as why:
        raise Rejected(why.code, why.reason.replace("grade", "label", 1)) from None


def refuse_classes(where: str, key: str, column: str, names: Names | None) -> None:
    """Raise DataError where the names of a label's classes do not say which are positives.

    `key` is the setting that takes every row as a positive.
    """
    for name in names or ():
        try:
            label_value(name)
        except Rejected:
            raise _unknown_classes(where, key, column, names or ()) from None


def _unknown_classes(where: str, key: str, column: str, names: Names) -> DataError:
    shown = ", ".join(f"{at} {name!r}" for at, name in enumerate(names[:6]))
    return DataError(
        f"{where}: {column} holds the classes {shown}{', ...' if len(names) > 6 else ''}, whose "
        "names do not say which are positives as 'relevant' and 'irrelevant' do; take the names "
        f"off, data.cast_column({column.split('.')[0]!r}, datasets.Value('int64')), and write 1 "
        f"for positives and 0 for others, or set input.{key}=null to take every row as a positive"
    )
