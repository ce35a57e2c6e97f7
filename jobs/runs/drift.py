"""What a refreshed run says of its parent, for people, from its manifest."""

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.terminal import printable
from negmine.schemas import JsonObject

_WORDS = {"dropped": "dropped", "no_candidate": "no candidate", "gone": "gone"}


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def drift_sentence(manifest: JsonObject) -> str:
    """Parent and drift in one line; empty where a run has no parent."""
    if not manifest.get("parent"):
        return ""
    found = manifest.get("drift") or {}
    whole = found.get("negatives", 0)
    told = [f"Parent: run {printable(manifest['parent'])}"]
    if whole:
        again, easy = found.get("chosen", 0), found.get("easy", 0)
        told.append(
            f"of its {whole:,} negatives {_share(again, whole)} are chosen again, "
            f"{_share(easy, whole)} are now easy ({found.get('stale', 0):,} stale)"
        )
    for length, top in (found.get("top") or {}).items():
        if top.get("jaccard") is not None:
            told.append(f"dense top {printable(length)} {top['jaccard']:.2f} the same (Jaccard)")
    return "; ".join(told)


def drift_tables(manifest: JsonObject) -> RenderableType:
    """Rank churn, tier migration and what is new, as tables."""
    found = manifest.get("drift") or {}
    whole = found.get("negatives", 0)
    churn = _table("The parent's negatives among the first of the dense source", "top", "then")
    for heading in ("now", "share then", "share now", "lists: mean Jaccard"):
        churn.add_column(heading, justify="right")
    for length, top in (found.get("top") or {}).items():
        before, now, jaccard = top.get("parent", 0), top.get("now", 0), top.get("jaccard")
        shares = _share(before, whole), _share(now, whole)
        mean = "-" if jaccard is None else f"{jaccard:.4f}"
        churn.add_row(*(Text(v) for v in (length, f"{before:,}", f"{now:,}", *shares, mean)))
    kept = found.get("kept", 0)
    new = f"{found.get('kept_new', 0):,} of {kept:,} negatives are new"
    parts: list[RenderableType] = [Text(drift_sentence(manifest)), churn, _migration(manifest), Text(new)]
    return Group(*(Padding(part, (1 if at else 0, 0, 0, 0)) for at, part in enumerate(parts)))


def _migration(manifest: JsonObject) -> Table:
    tiers = (manifest.get("drift") or {}).get("tiers") or {}
    order = [*(manifest.get("tier_order") or []), *_WORDS]
    there = {name for moved in tiers.values() for name in moved}
    columns = [name for name in order if name in there] + sorted(there - set(order))
    table = _table("Where the negatives of each tier of the parent are now", "tier then", "all")
    for name in columns:
        table.add_column(Text(printable(_WORDS.get(name, name))), justify="right")
    for tier in sorted(tiers, key=lambda t: (order.index(t) if t in order else len(order), t)):
        moved = tiers[tier]
        cells = [sum(moved.values()), *(moved.get(name, 0) for name in columns)]
        table.add_row(Text(printable(tier)), *(Text(f"{cell:,}") for cell in cells))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", show_edge=False, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if at else "left", overflow="fold")
    return table
