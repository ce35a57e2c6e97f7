"""The grades of the texts of a row, by their labels."""

from collections.abc import Sequence

from negmine.transforms.readers.label_values import label_value
from negmine.transforms.readers.rows import Rejected


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
