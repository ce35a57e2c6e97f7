"""What stops an ingest: too many bad rows, of all or of one kind, or a part that holds nothing."""

from collections.abc import Sequence
from pathlib import Path

from negmine.schemas import JsonObject
from negmine.schemas.errors import DataError
from negmine.schemas.inputs import Input
from negmine.transforms.ingesting.raw import Report
from negmine.transforms.ingesting.resolve import Resolved
from negmine.transforms.ingesting.resolve_sql import EVALUATION_QUERY

_NAMED_REASONS = 5
_SLIPS = 10
"""Bad rows of a kind, a tenth of it at most, that stop nothing where `bad_rows` allows any."""
_KINDS = {"qrels": "judgements", "texts": "documents"}
"""What kinds of sources are called in front of people, where that is another word."""


def refuse(
    resolved: Resolved,
    config: Input,
    counts: JsonObject,
    reports: Sequence[Report],
    base: Path,
) -> None:
    """Raise DataError where too many rows are bad, of all or of a kind, or nothing is left of one.

    `base` is the folder that the dead letters are in.
    """
    excluded = counts["evaluation_queries"]
    dead, rows = counts["dead_letters"] - excluded, counts["rows"]
    where = f" The bad rows are in {base / 'dead_letters'}." if dead else ""
    look = _look(resolved) if dead else ""
    if dead > config.bad_rows * rows:
        raise _too_many(dead, rows, "rows", config.bad_rows, f"{look}{where}")
    _refuse_kinds(resolved, config, reports, where)
    files = ", ".join(report.name for report in reports)
    if not counts["documents"]:
        raise DataError(f"the corpus is empty: no document was found in {files}.{look}{where}")
    evaluation = ", ".join(report.name for report in reports if report.evaluation)
    if evaluation and not counts["evaluation_judgements"]:
        raise DataError(
            f"the evaluation splits hold no judgement above 0, so there is nothing to keep out: "
            f"{evaluation}.{look}{where} Name others, or none"
        )
    known = counts["queries_without_positives"] + counts["merged_queries"] + excluded
    if not counts["queries"] + known + counts["queries_over_limit"]:
        raise DataError(f"there are no queries: none was found in {files}.{look}{where}")
    if not counts["queries"] and excluded:
        raise DataError(
            f"nothing is left to mine: each of the {excluded:,} queries that have a positive has "
            f"the text of an evaluation query. They are in {base / 'dead_letters'}. Mine another "
            f"split, or keep out others than {evaluation}"
        )
    if not counts["queries"]:
        raise DataError(
            f"no query has a positive: of {known:,} queries none has a judgement above 0 that "
            f"names a document of the corpus. Read: {files}.{look}{where}"
        )


def _look(resolved: Resolved, files: Sequence[int] | None = None) -> str:
    """The first bad rows of some files, or of all, in a sentence."""
    reasons = [reason for reason in resolved.reasons(files) if reason.code != EVALUATION_QUERY]
    shown = "; ".join(
        f"{reason.file} line {reason.line}: {reason.reason}"
        + (f" ({reason.rows:,} such rows)" if reason.rows > 1 else "")
        for reason in reasons[:_NAMED_REASONS]
    )
    return f" Look first at {shown}." if shown else ""


def _too_many(dead: int, rows: int, what: str, limit: float, more: str) -> DataError:
    return DataError(
        f"{dead:,} of {rows:,} {what} cannot be used ({dead / rows:.2%}, the limit is "
        f"{limit:.2%}).{more} Repair them, or raise input.bad_rows to go on without them."
    )


def _refuse_kinds(resolved: Resolved, config: Input, reports: Sequence[Report], where: str) -> None:
    """Raise DataError where too many rows of one kind are bad, however many others there are."""
    lost = resolved.lost()
    kinds: dict[tuple[str, bool], list[Report]] = {}
    for report in reports:
        kinds.setdefault((report.kind, report.evaluation), []).append(report)
    for (kind, evaluation), of in kinds.items():
        files = [report.file for report in of]
        dead, rows = sum(lost.get(file, 0) for file in files), sum(report.rows for report in of)
        # One judgement of eighty that names nothing is a slip; a tenth of them is a mistake in all.
        slips = min(_SLIPS, rows // 10) if config.bad_rows else 0
        if dead > max(config.bad_rows * rows, slips):
            what = f"{'evaluation ' if evaluation else ''}{_KINDS.get(kind, kind)}"
            raise _too_many(dead, rows, what, config.bad_rows, f"{_look(resolved, files)}{where}")
    names = {report.file: report for report in reports}
    for file in resolved.unresolved():
        report = names[file]
        what = "judgement of the evaluation" if report.evaluation else "label"
        raise DataError(
            f"no {what} in {report.name} names a query and a document that are there, so the file "
            f"says nothing.{_look(resolved, [file])}{where} Repair it, or leave it out"
        )
