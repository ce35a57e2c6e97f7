"""What a label says of a text, as a number: numbers, true and false, yes and no."""

from collections.abc import Sequence

from negmine.transforms.readers.rows import Rejected, number

POSITIVE_WORDS = ("true", "yes", "positive", "pos", "relevant", "correct", "duplicate")
NEGATIVE_WORDS = (
    "false", "no", "negative", "neg", "irrelevant", "not relevant", "non-relevant", "not_relevant",
    "nonrelevant", "non_relevant", "incorrect", "wrong", "not_duplicate", "hard_negative",
)  # fmt: skip
_WORDS = dict.fromkeys(POSITIVE_WORDS, 1.0) | dict.fromkeys(NEGATIVE_WORDS, 0.0)


def label_value(value: object) -> float:
    """A label as a number; true and yes are 1, false and no are 0. Raises Rejected."""
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str | bytes):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        word = _WORDS.get(text.strip().casefold())
        if word is not None:
            return word
        value = text
    try:
        return number(value)
    except Rejected as why:
        raise Rejected(why.code, why.reason.replace("grade", "label", 1)) from None


def grades(value: object, count: int, above: float) -> list[float | None]:
    """A grade for each of `count` texts: its label where that is above the limit, 0 where not.

    One label is that of every text. Raises Rejected for another number of labels, or for what is
    no label.
    """
    values: Sequence[object] = value if isinstance(value, list) else [value] * count
    if len(values) != count:
        raise Rejected("wrong_labels", f"{len(values)} labels for {count} texts")
    labels = [label_value(one) for one in values]
    # A grade is above 0; of another scale, of logits for example, only the limit counts.
    return [(one if one > 0 else None) if one > above else 0.0 for one in labels]
