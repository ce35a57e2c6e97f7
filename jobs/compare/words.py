"""The comparison in one sentence: how safe, how hard, how many hard negatives."""

from collections.abc import Sequence

from negmine.jobs.compare.measured import OWN
from negmine.jobs.compare.read import TwoRuns
from negmine.jobs.compare.result import Measured, Overlap, Paired, Queries
from negmine.jobs.compare.settings import same_judge, same_student
from negmine.jobs.report import numbers

SAME_SIGNAL = 0.01
"""Students' similarities whose mean differs by less than this, for certain, are as hard."""


def verdict(
    runs: TwoRuns,
    queries: Queries,
    overlap: Sequence[Overlap],
    paired: Sequence[Paired],
    metrics: Sequence[Measured],
) -> str:
    """What B is beside A, such as `B is safer (...), as hard (...), with 12 % fewer hard ...`.

    "Safer" is the leak of hidden positives, else the share of negatives that one judge of both
    runs prefers, else its margin. A difference is claimed where intervals do not meet, or where
    the interval of a paired difference does not hold 0.
    """
    if not queries.both:
        return "The runs have no query in common, so their negatives cannot be compared"
    if not overlap:
        return "Neither run has a negative of a query that both have"
    if overlap[0].only_a == overlap[0].only_b == 0:
        return _same(queries, overlap)
    a, b = runs.runs.values()
    overall = {row.metric: row for row in paired if row.tier is None}
    safety = _safety(metrics, overall, same_judge(a, b))
    parts = [f"B is {safety}", _hardness(overall, same_student(a, b))]
    amount = _amount(overall.get("hard_negatives"))
    return ", ".join([*parts, *([amount] if amount and same_student(a, b) else [])])


def _same(queries: Queries, overlap: Sequence[Overlap]) -> str:
    told = f"Both runs chose the same {numbers.count(overlap[0].both)} negatives"
    if queries.only_a or queries.only_b:
        told += f" for the {numbers.count(queries.both)} queries of both"
    moved = sum(row.only_a for row in overlap[1:])
    return f"{told}, {numbers.count(moved)} of them in another tier" if moved else told


def _safety(metrics: Sequence[Measured], overall: dict[str, Paired], one_judge: bool) -> str:
    for name, key, words in (
        ("leak", OWN, "leak"),
        ("judge_fn_rate", None, "negatives that the judge prefers to the positive"),
    ):
        row = next((r for r in metrics if (r.metric, r.tier, r.key) == (name, None, key)), None)
        if row is None or row.difference is None:
            continue
        if one_judge or name == "leak":
            return _by_rate(row, words)
    margin = overall.get("judge_margin")
    if margin is None or not one_judge:
        return "not comparable in safety (no leak and no common judge in both)"
    shown = (
        f"judge margin {numbers.score(margin.b)} vs {numbers.score(margin.a)} in A, "
        f"{_difference(margin)}"
    )
    if margin.low <= 0 <= margin.high:
        return f"not shown to be safer or less safe ({shown})"
    return f"{'safer' if margin.difference > 0 else 'less safe'} by its own judge ({shown})"


def _by_rate(row: Measured, words: str) -> str:
    assert row.a is not None and row.b is not None
    shown = f"{words} {numbers.percent(row.b)} vs {numbers.percent(row.a)} in A"
    if row.intervals_meet is None:
        return f"not shown to be safer or less safe ({shown}, without intervals)"
    if row.intervals_meet:
        return f"not shown to be safer or less safe ({shown}, intervals meet)"
    word = "safer" if row.b < row.a else "less safe"
    return f"{word} ({shown}, intervals do not meet)"


def _difference(row: Paired) -> str:
    return f"difference {row.difference:+z.3f} [{row.low:+z.3f}, {row.high:+z.3f}]"


def _hardness(overall: dict[str, Paired], one_student: bool) -> str:
    signal = overall.get("signal")
    if not one_student:
        return "not comparable in hardness (the students differ)"
    if signal is None:
        return "not comparable in hardness (no query has negatives in both)"
    shown = f"S {numbers.score(signal.b)} vs {numbers.score(signal.a)} in A, {_difference(signal)}"
    if max(abs(signal.low), abs(signal.high)) < SAME_SIGNAL:
        return f"as hard ({shown})"
    if signal.low <= 0 <= signal.high:
        return f"not shown to be harder or easier ({shown})"
    return f"{'harder' if signal.difference > 0 else 'easier'} ({shown})"


def _amount(hard: Paired | None) -> str | None:
    if hard is None:
        return None
    in_a, in_b = (round(value * hard.queries) for value in (hard.a, hard.b))
    counted = f"({numbers.count(in_b)} vs {numbers.count(in_a)} in A)"
    if in_a == in_b:
        return f"with as many hard negatives {counted}"
    if not in_a or not in_b:
        return f"with hard negatives in one run only {counted}"
    share = in_b / in_a - 1
    word = "more" if share > 0 else "fewer"
    return f"with {numbers.percent(abs(share))} {word} hard negatives {counted}"
