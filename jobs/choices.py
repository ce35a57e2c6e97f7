"""What options say beside the argument that stands for a config."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Choices:
    """What options say beside a config or data; None and () for what was not given.

    Attributes:
        settings: `key=value`, see `load_config`.
        output: the output folder.
        pool, query, positive, split: of data that is looked at.
        student: a model, in place of the config's.
        judge: a kind of judge that needs no more, or a cross-encoder.
        negatives: negatives a query, the quota of the tier hard.
    """

    settings: Sequence[str] = ()
    output: str | None = None
    pool: str | None = None
    query: str | None = None
    positive: Sequence[str] = ()
    split: str | None = None
    student: str | None = None
    judge: str | None = None
    negatives: int | None = None
