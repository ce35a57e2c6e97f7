"""How `negmine tune-index` prints what it measured."""

from rich import box
from rich.table import Table

from negmine.jobs.tune_index.run import Tuning


def _size(count: int) -> str:
    return f"{count / 2**20:,.1f} MiB" if count else "0"


def tune_table(tuning: Tuning) -> Table:
    """One row a choice; an asterisk marks the cheapest that reaches the recall."""
    table = Table(box=box.HEAVY_HEAD, show_edge=False, pad_edge=False)
    table.add_column("index")
    for title in (
        f"recall@{tuning.k}", "s per 1,000 queries", "build s", "on disk", "whole run s"
    ):  # fmt: skip
        table.add_column(title, justify="right")
    for choice in tuning.choices:
        table.add_row(
            ("* " if choice is tuning.best else "  ") + choice.name,
            f"{choice.recall:.4f}",
            f"{choice.seconds_per_1000_queries:.2f}",
            f"{choice.build_seconds:.1f}",
            _size(choice.bytes),
            f"{choice.total_seconds:,.1f}",
        )
    return table


def sentences(tuning: Tuning) -> list[str]:
    """What was measured on what, and the settings that win."""
    plural = "" if tuning.shards == 1 else f", the first of {tuning.shards} shards"
    measured = (
        f"Measured on {tuning.shard_documents:,} documents{plural}, {tuning.sampled_queries:,} "
        f"queries drawn by the seed; the whole run is {tuning.queries:,} queries. One process, "
        f"{tuning.gpus or 'no'} GPU."
    )
    wanted = f"Cheapest with recall@{tuning.k} of {tuning.asked:g} or more: {tuning.best.name}"
    return [measured, wanted, "", tuning.yaml.rstrip()]
