"""What changed between two published runs."""

from negmine.jobs.compare.counts import counts, queries
from negmine.jobs.compare.measured import measured
from negmine.jobs.compare.overlap import match, moves, overlaps, tier_changes
from negmine.jobs.compare.paired import paired
from negmine.jobs.compare.read import TwoRuns
from negmine.jobs.compare.result import Comparison, Side
from negmine.jobs.compare.settings import config, inputs, policies, warnings
from negmine.jobs.compare.words import verdict
from negmine.jobs.runs.published import Run
from negmine.schemas.errors import ConfigError


def compare(a: Run, b: Run) -> Comparison:
    """Compare two published runs by their Parquet and their manifests; see docs/compare.md.

    Queries and documents are matched by identifier. DuckDB joins, and spills to disk where memory
    is short; arrays hold some numbers a query.

    Raises ConfigError where both are the same run, StorageError where one cannot be read.
    """
    if a.path.resolve() == b.path.resolve():
        raise ConfigError(
            f"both are run {a.run_id} ({a.path}); give two runs: negmine runs list lists them"
        )
    with TwoRuns(a, b) as runs:
        match(runs)
        shared = queries(runs)
        overlap = overlaps(runs)
        differences = paired(runs)
        metrics = measured(runs)
        return Comparison(
            a=Side.of(a),
            b=Side.of(b),
            verdict=verdict(runs, shared, overlap, differences, metrics),
            warnings=warnings(runs, shared),
            config=config(a, b),
            policies=policies(a, b),
            inputs=inputs(a, b),
            counts=counts(runs),
            queries=shared,
            overlap=overlap,
            tier_changes=tier_changes(runs),
            left=moves(runs, "a", "b"),
            entered=moves(runs, "b", "a"),
            paired=differences,
            metrics=metrics,
        )
