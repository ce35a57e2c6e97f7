"""What is known of a set before training: its estimated gain, ECI and its parts, by the product."""

from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.gain.negative_sets import Ledger, NegativeSet
from benchmarks.gain.table import Gain, spearman
from negmine.transforms.kernels.choosing.calibration import Calibration
from negmine.transforms.kernels.eci import eci
from negmine.transforms.kernels.measures.expected_gain import expected_gain, repeated

MEASURES = ("expected_gain", "eci", "signal", "safety", "size")


def measures(ledger: Ledger, negatives: NegativeSet, queries: int) -> dict[str, float]:
    """`MEASURES` of a set over a run's ledger; negatives that are no candidates are left out.

    Args:
        ledger: of the run that scored the candidates.
        negatives: the set.
        queries: of the collection, those without negatives too.
    """
    row = {key: at for at, key in enumerate(zip(ledger["query_id"], ledger["doc_id"], strict=True))}
    keys = [(q, d) for q, documents in negatives.items() for d in documents]
    rows = np.array([row[key] for key in keys if key in row], dtype=np.int64)
    if not len(rows):
        return dict.fromkeys(MEASURES, 0.0)
    dense, positive = (ledger[name][rows] for name in ("dense_score", "positive_dense_score"))
    known = ledger.positive_judge[~np.isnan(ledger.positive_judge)]
    share = Calibration.of(np.arange(len(known)), known).share_below(ledger["judge_score"][rows])
    _, document, uses = np.unique(ledger["doc_id"][rows], return_inverse=True, return_counts=True)
    worth = expected_gain(dense, positive, np.nan_to_num(share))
    signal, safety = float(dense.mean()), float(np.maximum(positive - dense, 0).mean())
    size = len(rows) / queries
    return {
        "expected_gain": float(repeated(worth, uses[document]).sum() / queries),
        "eci": eci(size, signal, safety),
        "signal": signal,
        "safety": safety,
        "size": size,
    }


def correlations(
    found: Mapping[tuple[str, str], Gain], known: Mapping[tuple[str, str], Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Spearman of each measure with the gain over the sets of a collection: by collection.

    Sets of fewer than two kinds, and those without measures, are left out.
    """
    out: dict[str, dict[str, float]] = {}
    for collection in dict.fromkeys(collection for collection, _ in found):
        names = [n for c, n in found if c == collection and (c, n) in known]
        gain = [found[collection, name].difference for name in names]
        out[collection] = {"sets": float(len(names))} | {
            measure: spearman([known[collection, name][measure] for name in names], gain)
            for measure in MEASURES
        }
    return out


def correlation_table(correlations: Mapping[str, Mapping[str, float]]) -> str:
    """Markdown: a row a collection, and their mean."""
    columns: Sequence[str] = ("sets", *MEASURES)
    lines = [f"| | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for collection, values in correlations.items():
        cells = [f"{values[c]:.0f}" if c == "sets" else f"{values[c]:+.2f}" for c in columns]
        lines.append(f"| {collection} | {' | '.join(cells)} |")
    means = [float(np.mean([v[c] for v in correlations.values()])) for c in MEASURES]
    lines.append(f"| mean | | {' | '.join(f'{mean:+.2f}' for mean in means)} |")
    return "\n".join(lines)
