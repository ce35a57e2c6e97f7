"""Tiers of a source whose candidates earlier tiers take."""

import pyarrow as pa
import pyarrow.compute as pc

from negmine.jobs.mining.context import RunContext
from negmine.schemas.remarks import Remark
from negmine.schemas.sources import MADE
from negmine.schemas.verdicts import Verdict
from negmine.transforms.data.datasets import Dataset

FILLED = 0.5
"""Share of a tier's quota, by candidates of its own source, below which it is remarked on."""


def check_tiers(run: RunContext, verdicts: Dataset) -> None:
    """Remark on a tier of a source that is not half filled by it, as earlier tiers take more."""
    names = list(run.config.tiers)
    queries = run.rows("queries")
    for number, (name, tier) in enumerate(run.config.tiers.items()):
        source = tier.source
        if not number or source is None or source in MADE or not tier.quota:
            continue
        own, lost = _counts(verdicts, name, names[:number], f"{source}_rank")
        wanted = tier.quota * queries
        if own >= FILLED * wanted or lost <= own:
            continue
        run.remarks.add(
            Remark(
                code="tier_comes_too_late",
                serious=False,
                title=f"Tier {name} holds {own:,} negatives of source {source}, of {wanted:,}",
                fact=f"Earlier tiers ({', '.join(names[:number])}) took {lost:,} that the source "
                "gives: a candidate belongs to the first tier that takes it.",
                advice=f"Put {name} first, all tiers in one setting: --set 'tiers={{{name}: "
                f"{{quota: {tier.quota}, source: {source}}}, hard: {{quota: 3}}}}'.",
                numbers={"tier": name, "source": source, "own": own, "lost": lost},
            )
        )


def _counts(verdicts: Dataset, name: str, earlier: list[str], rank: str) -> tuple[int, int]:
    """Negatives of a tier that its source gave, and candidates of that in earlier tiers."""
    own = lost = 0
    for table in verdicts.tables([rank, "verdict", "tier", "backfilled"]):
        found = table.filter(pc.fill_null(pc.greater(table.column(rank), 0), False))
        tier = found.column("tier")
        kept = pc.equal(found.column("verdict"), str(Verdict.KEPT))
        mine = pc.and_(pc.and_(kept, pc.equal(tier, name)), pc.invert(found.column("backfilled")))
        own += pc.sum(pc.fill_null(mine, False)).as_py() or 0
        lost += pc.sum(pc.is_in(tier, value_set=pa.array(earlier, pa.string()))).as_py() or 0
    return own, lost
