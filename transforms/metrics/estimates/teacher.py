"""What lists say of their teacher: its scale, and whether it ranks better than the student."""

from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from negmine.schemas import JsonObject
from negmine.schemas.verdicts import Source
from negmine.transforms.data.datasets import Dataset
from negmine.transforms.kernels.choosing.teacher_scale import TeacherScale
from negmine.transforms.kernels.measures.bootstrap import Bootstrap, interval, quotient
from negmine.transforms.kernels.measures.ranking import ndcg


@dataclass(frozen=True)
class TeacherCheck:
    """nDCG@10 of the known positives by the judge's scores and by the student's.

    Over the positives of each list and what was drawn for it without regard to the judge.
    `difference` is the judge's less the student's, paired by query, with its 95 % interval.
    """

    judge: float
    student: float
    difference: float
    low: float
    high: float
    queries: int

    def as_json(self) -> JsonObject:
        """The check as it stands in a manifest."""
        return {k: round(v, 6) if isinstance(v, float) else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class ListFacts:
    """What a run's lists hold: rows and queries, the teacher's scale, and how good it is.

    `check` is None where no query has both a positive and a drawn document.
    """

    rows: int
    queries: int
    positives: int
    shortest: int
    cut_off: int
    scale: TeacherScale
    check: TeacherCheck | None

    def as_json(self) -> JsonObject:
        """The facts as they stand in a manifest."""
        counted = {name: getattr(self, name) for name in _COUNTED}
        check = self.check.as_json() if self.check else None
        return {**counted, "scale": self.scale.as_json(), "judge_against_student": check}


_COUNTED = ("rows", "queries", "positives", "shortest", "cut_off")
_COLUMNS = [
    "query_ix", "is_positive", "drawn", "judge_score", "dense_score", "cosine", "sources",
]  # fmt: skip


def measure_lists(lists: Dataset, seed: int, probabilities: bool) -> ListFacts:
    """The facts of a data set of `tables.LISTED`; `seed` keys the interval's resamples.

    `probabilities` says whether that is what the judge gives.
    """
    parts = [_part(table) for table in lists.tables(_COLUMNS)]
    pairs = {name: _joined([part.pairs[name] for part in parts]) for name in _PAIRS}
    far = "random" if len(pairs["random"]) else "last"
    positive, random = ((p[:, 0], p[:, 1]) for p in (pairs["positive"], pairs[far]))
    scale = TeacherScale.read(positive, random, probabilities)
    sizes = _joined([part.sizes for part in parts], width=0)
    scores = (table.column("judge_score").to_numpy() for table in lists.tables(["judge_score"]))
    outside = sum(int((np.abs(scale.unbounded(each)) > 1).sum()) for each in scores)
    return ListFacts(
        rows=int(sizes.sum()),
        queries=len(sizes),
        positives=sum(part.positives for part in parts),
        shortest=int(sizes.min()) if len(sizes) else 0,
        cut_off=outside,
        scale=scale,
        check=_check(_joined([part.quality for part in parts]), seed),
    )


_PAIRS = ("positive", "random", "last")


@dataclass(frozen=True)
class _Part:
    """Judge score and cosine (n, 2) of positives, random documents and each list's last by the
    student; documents of each list (q,); nDCG by judge and student (q, 2), NaN where unknown."""

    pairs: dict[str, np.ndarray]
    sizes: np.ndarray
    quality: np.ndarray
    positives: int


def _joined(parts: list[np.ndarray], width: int = 2) -> np.ndarray:
    empty = np.empty((0, width) if width else 0)
    return np.concatenate([empty, *parts]) if parts else empty


def _part(table: pa.Table) -> _Part:
    query_ix, positive, drawn = (column.to_numpy() for column in table.columns[:3])
    judge, dense, cosine = (column.to_numpy().astype(np.float64) for column in table.columns[3:6])
    _, query = np.unique(query_ix, return_inverse=True)
    both = np.stack([judge, cosine], axis=1)
    random = _holds(table.column("sources").combine_chunks(), str(Source.RANDOM)) & ~positive
    other = np.flatnonzero(~positive & ~np.isnan(dense))
    by_student = other[np.lexsort((dense[other], query[other]))]
    last = by_student[np.unique(query[by_student], return_index=True)[1]]
    pool = positive | drawn
    quality = np.stack([ndcg(query[pool], positive[pool], s[pool]) for s in (judge, dense)], axis=1)
    has = np.bincount(query[drawn], minlength=len(quality))[: len(quality)] > 0
    return _Part(
        {"positive": both[positive], "random": both[random], "last": both[last]},
        np.bincount(query),
        np.where(has[:, None], quality, np.nan),
        int(positive.sum()),
    )


def _holds(lists: pa.Array, value: str) -> np.ndarray:
    """Which lists of texts hold a value, (n,) bool."""
    flat = lists.flatten().to_numpy(zero_copy_only=False) == value
    length = np.diff(lists.offsets.to_numpy())
    rows = np.repeat(np.arange(len(lists)), length)
    return np.asarray(np.bincount(rows[flat], minlength=len(lists)) > 0)


def _check(quality: np.ndarray, seed: int) -> TeacherCheck | None:
    known = quality[~np.isnan(quality).any(axis=1)]
    if not len(known):
        return None
    judge, student = (float(column.mean()) for column in known.T)
    columns = np.stack([known[:, 0] - known[:, 1], np.ones(len(known))], axis=1)
    drawn = Bootstrap(len(known), seed).sums(columns)
    low, high = interval(quotient(drawn[:, 0], drawn[:, 1]))
    return TeacherCheck(judge, student, judge - student, low, high, len(known))
