"""An audit for people: a table of defects with examples, and what to know beside them."""

from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from negmine.jobs.terminal import printable

if TYPE_CHECKING:
    from negmine.jobs.audit.findings import Example, Finding
    from negmine.jobs.audit.run import Audit

_MEANINGS = {
    "known_positive": "known positive of the query",
    "same_text_as_positive": "text of a positive",
    "query_itself": "the query itself",
    "evaluation_document": "positive of an evaluation query",
    "near_duplicate_of_positive": "near-duplicate of a positive",
    "unknown_document": "identifier that the corpus lacks",
    "score_not_finite": "score missing or no finite number",
    "repeated": "repeated in its list",
    "same_text_as_negative": "text of another negative",
    "near_duplicate_of_negative": "near-duplicate of another negative",
    "suspected_positive": "suspected positive (judge)",
    "too_few_negatives": "row with too few negatives for --n-passages",
    "judge_calibrated_threshold": "judge scores it like half of the positives",
}
_FLAGS = (
    "known_positive",
    "same_text_as_positive",
    "evaluation_document",
    "unknown_document",
    "score_not_finite",
    "too_few_negatives",
)
"""Defects that are so or not; a value and a threshold say nothing more."""
_MOST_HUBS = 5


def _table(*columns: str) -> Table:
    table = Table(show_edge=False, pad_edge=False)
    for at, column in enumerate(columns):
        table.add_column(column, justify="right" if 0 < at < 4 else "left", overflow="fold")
    return table


def _example(found: "Example", several: bool, measured: bool) -> str:
    place = f"{found.file} row {found.row}" if several else f"row {found.row}"
    value = ""
    if measured and found.value is not None and found.threshold is not None:
        value = f" [{found.value:.3f} >= {found.threshold:.3f}]"
    return (
        f"{place}: {found.query_id} {_start(found.query)!r} - "
        f"{found.doc_id} {_start(found.document)!r}{value}"
    )


def _start(text: str, letters: int = 40) -> str:
    line = " ".join(text.split())
    return line if len(line) <= letters else line[: letters - 1] + "…"


def _meaning(found: "Finding") -> str:
    meaning = _MEANINGS.get(found.reason, found.reason.replace("_", " "))
    names = (
        ("of_the_row", "of the same row"),
        ("of_another_row", "of another row"),
        ("judged", "by the judgements"),
    )
    counted = [f"{found.details[k]:,} {what}" for k, what in names if found.details.get(k)]
    return f"{meaning} ({', '.join(counted)})" if counted else meaning


def _findings(audit: "Audit") -> RenderableType:
    table = _table("defect", "negatives", "share", "queries", "examples")
    several = len(audit.files) > 1
    for found in (f for f in audit.findings if f.defect):
        measured = found.reason not in _FLAGS
        examples = "\n".join(printable(_example(e, several, measured)) for e in found.examples)
        table.add_row(
            Text(_meaning(found)),
            f"{found.entries:,}",
            f"{found.share:.2%}",
            f"{found.queries:,}",
            Text(examples),
        )
    for hub in audit.hubs[:_MOST_HUBS]:
        table.add_row(
            Text("hub: one document for many queries"),
            f"{hub.entries:,}",
            f"{hub.entries / audit.counts['negatives']:.2%}",
            f"{hub.queries:,}",
            Text(printable(f"{hub.doc_id} {_start(hub.document, 60)!r}")),
        )
    return table


def _remarks(audit: "Audit") -> list[str]:
    counts, remarks = audit.counts, []
    if len(audit.hubs) > _MOST_HUBS:
        remarks.append(f"{len(audit.hubs) - _MOST_HUBS:,} more hub documents (--json lists them)")
    if counts["queries_all_bad"]:
        remarks.append(f"{counts['queries_all_bad']:,} queries have no negative without a defect")
    for found in (f for f in audit.findings if not f.defect):
        remarks.append(
            f"remark: {found.entries:,} negatives ({found.share:.2%}): {_meaning(found)}; "
            "no defect by itself, and --fix keeps them"
        )
    if audit.has_shortcut:
        auc = audit.shortcut["auc"]
        remarks.append(
            f"remark: length and shared words alone tell positives from negatives (AUC {auc:.3f}); "
            "a model may learn that shortcut"
        )
    if counts.get("repeated_query_ids"):
        remarks.append(
            f"remark: {counts['repeated_query_ids']:,} question ids stand in several rows, and "
            "Automodel's miner keeps one of each; --fix makes them unique"
        )
    if audit.left_alone:
        remarks.append(
            f"remark: columns that are not named as negatives are not audited: "
            f"{', '.join(audit.left_alone)}"
        )
    if counts["outside_corpus"]:
        remarks.append(f"{counts['outside_corpus']:,} texts are not in the corpus")
    if counts["judgements_without_document"]:
        remarks.append(
            f"{counts['judgements_without_document']:,} judgements name documents that the corpus "
            "lacks"
        )
    return remarks


def _eci(audit: "Audit") -> str:
    given, kept = audit.eci["given"], audit.eci["kept"]
    return (
        f"ECI {given['eci']:.4f} as given (S {given['signal']:.4f}, Δ {given['safety']:.4f}, "
        f"N {given['negatives']:g}), {kept['eci']:.4f} without what was flagged"
    )


def render(audit: "Audit") -> RenderableType:
    """The audit, for a terminal."""
    counts = audit.counts
    size = f"{counts['negatives']:,} negatives of {counts['queries']:,} queries"
    parts: list[RenderableType] = []
    if audit.clean:
        parts.append(Text(f"no defects in {size}"))
    else:
        parts += [Text(size), Padding(_findings(audit), (1, 0, 1, 0))]
    parts += [Text(line) for line in (*_remarks(audit), _eci(audit))]
    for done in audit.fixed:
        parts.append(
            Text(
                printable(
                    f"{done['copy']}: {done['removed']:,} negatives taken out, "
                    f"{done['rows_dropped']:,} rows dropped; listed in {done['record']}"
                )
            )
        )
    parts.append(Text(printable(f"run: {audit.run}")))
    return Group(*parts)
