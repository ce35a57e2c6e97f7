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
    kept = found.get("kept", 0)
    new = f"{found.get('kept_new', 0):,} of {kept:,} negatives are new"
    parts: list[RenderableType] = [
        Text(drift_sentence(manifest)),
        Group(
            Text("The parent's negatives among the first of the dense source", style="italic"),
            _churn(found),
        ),
        Group(
            Text("Where the negatives of each tier of the parent are now", style="italic"),
            _migration(found, list(manifest.get("tier_order") or [])),
        ),
        Text(new),
    ]
    if found.get("geometry"):
        title = Text("The student's vectors (metrics of the report)", style="italic")
        parts.append(Group(title, _geometry(found["geometry"])))
    return Group(*(Padding(part, (1 if at else 0, 0, 0, 0)) for at, part in enumerate(parts)))


def _churn(found: JsonObject) -> Table:
    whole = found.get("negatives", 0)
    table = _table("top", "then", "now", "share then", "share now", "lists: mean Jaccard")
    for length, top in (found.get("top") or {}).items():
        before, now, jaccard = top.get("parent", 0), top.get("now", 0), top.get("jaccard")
        shares = _share(before, whole), _share(now, whole)
        mean = "-" if jaccard is None else f"{jaccard:.4f}"
        cells = (printable(length), f"{before:,}", f"{now:,}", *shares, mean)
        table.add_row(*map(Text, cells))
    return table


def _geometry(found: JsonObject) -> Table:
    table = _table("metric", "then", "now")
    for name, values in found.items():
        cells = ["-" if value is None else f"{value:.3f}" for value in values]
        table.add_row(Text(printable(name)), *map(Text, cells))
    return table


def _migration(found: JsonObject, order: list[str]) -> Table:
    tiers: dict[str, dict[str, int]] = found.get("tiers") or {}
    there = {name for moved in tiers.values() for name in moved}
    known = [*order, *_WORDS]
    columns = [name for name in known if name in there] + sorted(there - set(known))
    easy = found.get("easy_tiers") or {}
    table = _table("tier then", "all", "easy now", *(_WORDS.get(name, name) for name in columns))
    for tier in [name for name in order if name in tiers] + sorted(set(tiers) - set(order)):
        moved = tiers[tier]
        cells = [sum(moved.values()), easy.get(tier, 0), *(moved.get(name, 0) for name in columns)]
        table.add_row(Text(printable(tier)), *(Text(f"{cell:,}") for cell in cells))
    return table


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for at, column in enumerate(columns):
        name = Text(printable(column))
        table.add_column(name, justify="right" if at else "left", overflow="fold")
    return table
