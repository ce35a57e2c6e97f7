"""The table of gains: nDCG@10 of each set, and its difference to one of them, paired by query."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

_Z = 1.96


@dataclass(frozen=True)
class Gain:
    """A set on a collection.

    Attributes:
        value: mean nDCG@10 over queries.
        difference: mean of the differences to the baseline, over the queries of both.
        error: 1.96 standard errors of it over queries, after averaging over seeds.
    """

    value: float
    difference: float
    error: float

    @property
    def significant(self) -> bool:
        return abs(self.difference) > self.error


def by_query(lines: Iterable[Mapping[str, Any]]) -> dict[tuple[str, str], dict[str, float]]:
    """nDCG@10 by (collection, set) and query, the mean over seeds."""
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for line in lines:
        queries = found.setdefault((line["collection"], line["set"]), {})
        for query, value in line["ndcg"].items():
            queries.setdefault(query, []).append(value)
    return {
        key: {query: float(np.mean(values)) for query, values in queries.items()}
        for key, queries in found.items()
    }


def gains(lines: Iterable[Mapping[str, Any]], baseline: str) -> dict[tuple[str, str], Gain]:
    """Gain of every set that was trained, by (collection, set)."""
    values = by_query(lines)
    found = {}
    for (collection, name), queries in values.items():
        base = values.get((collection, baseline), {})
        common = sorted(queries.keys() & base.keys())
        difference = np.array([queries[query] - base[query] for query in common])
        error = _Z * difference.std(ddof=1) / np.sqrt(len(common)) if len(common) > 1 else np.nan
        mean = float(difference.mean()) if len(common) else float("nan")
        found[collection, name] = Gain(float(np.mean(list(queries.values()))), mean, float(error))
    return found


def _order(found: Mapping[tuple[str, str], Gain]) -> tuple[list[str], list[str]]:
    collections = list(dict.fromkeys(collection for collection, _ in found))
    names = list(dict.fromkeys(name for _, name in found))
    return collections, names


def mean_difference(found: Mapping[tuple[str, str], Gain], name: str) -> float:
    """Mean over collections of a set's difference; NaN where a collection lacks it."""
    collections, _ = _order(found)
    known = [found[c, name].difference if (c, name) in found else np.nan for c in collections]
    return float(np.mean(known))


def markdown(
    found: Mapping[tuple[str, str], Gain],
    baseline: str,
    false: Mapping[tuple[str, str], float] | None = None,
) -> str:
    """A Markdown table, a row a set: value of the baseline, differences of the rest.

    Significant differences at 95 % are bold. `false` adds shares of hidden positives in brackets.
    """
    collections, names = _order(found)
    lines = [
        f"| negatives | {' | '.join(collections)} | mean |",
        f"|---|{'---|' * (len(collections) + 1)}",
    ]
    for name in names:
        cells = [_cell(found, c, name, baseline, (false or {}).get((c, name))) for c in collections]
        mean = mean_difference(found, name)
        last = "0" if name == baseline else "" if np.isnan(mean) else f"{mean:+.3f}"
        lines.append(f"| {name} | {' | '.join(cells)} | {last} |")
    return "\n".join(lines)


def _cell(
    found: Mapping[tuple[str, str], Gain],
    collection: str,
    name: str,
    baseline: str,
    false: float | None,
) -> str:
    gain = found.get((collection, name))
    if gain is None:
        return ""
    added = "" if false is None or np.isnan(false) else f" ({false:.1%})"
    if name == baseline or np.isnan(gain.difference):
        return f"{gain.value:.3f}{added}"
    text = f"{gain.difference:+.3f} ± {gain.error:.3f}"
    return (f"**{text}**" if gain.significant else text) + added


def spearman(left: Sequence[float], right: Sequence[float]) -> float:
    """Rank correlation; NaN where either does not vary."""
    from scipy.stats import spearmanr

    if len(set(left)) < 2 or len(set(right)) < 2:
        return float("nan")
    return float(spearmanr(left, right).statistic)
