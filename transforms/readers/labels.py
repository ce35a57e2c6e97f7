"""Reviewed pairs, as `negmine relabel` writes them: one JSON line a pair, with its decision."""

from collections.abc import Iterator
from typing import NamedTuple

from negmine.schemas.errors import DataError
from negmine.transforms import storage
from negmine.transforms.readers.rows import Label, Rejected, Row, Source, bad, identifier, readable
from negmine.transforms.readers.tables.lines import line_cap, lines, parsed
from negmine.transforms.storage.suffixes import require_kind

POSITIVE, ANSWERS, NEGATIVE = "positive", "answers", "negative"
VERDICTS = {"better": POSITIVE, "answers": ANSWERS, "irrelevant": NEGATIVE}
"""What a model says of a document beside the positive, and the decision that it comes to: better
than the positive (or as good), answers too but worse, does not answer."""


class Decision(NamedTuple):
    """What was decided on a pair: POSITIVE, ANSWERS, NEGATIVE, or None where nothing was yet."""

    query_id: str
    doc_id: str
    decision: str | None


def parse_decision(data: bytes, size: int) -> Decision:
    """A line of reviewed pairs; keys beyond the four are ignored. Raises Rejected.

    A `verdict` counts where there is no `decision`.
    """
    record = parsed(data, size)
    query_id = identifier(record.get("query_id"), "query_id")
    doc_id = identifier(record.get("doc_id"), "doc_id")
    decision = record.get("decision")
    if decision not in (POSITIVE, ANSWERS, NEGATIVE, None):
        raise Rejected(
            "unknown_decision",
            f"decision is {readable(decision)[:40]!r}, expected {POSITIVE!r}, {ANSWERS!r}, "
            f"{NEGATIVE!r} or null",
        )
    verdict = record.get("verdict")
    if decision is None and verdict is not None:
        decision = VERDICTS.get(verdict) if isinstance(verdict, str) else None
        if decision is None:
            words = ", ".join(map(repr, VERDICTS))
            raise Rejected(
                "unknown_verdict",
                f"verdict is {readable(verdict)[:40]!r}, expected one of {words}, or null",
            )
    return Decision(query_id, doc_id, decision)


def label_source(path: str) -> Source:
    """The source of `input.labels`. Raises DataError where the file is not there, or not JSON."""
    file = storage.local_path(path)
    if not storage.is_file(file):
        raise DataError(
            f"input.labels: {path} is not a file; looked at {file.absolute()}. "
            "negmine relabel RUN DECISIONS.jsonl writes one"
        )
    require_kind(file, "input.labels", ["jsonl"], "jsonl")
    return Source("labels", str(file.absolute()), file.name)


def read_labels(source: Source, max_text_bytes: int, most: int | None = None) -> Iterator[Row]:
    """Rows of a labels file; a pair without a decision is a bad row here."""
    cap = line_cap(max_text_bytes)
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            found = parse_decision(data, size)
            if found.decision is None:
                raise Rejected("undecided", "decision is missing")
        except Rejected as why:
            yield bad(number, source.kind, why, data)
            continue
        positive = found.decision != NEGATIVE
        yield Label(number, found.query_id, found.doc_id, positive, found.decision != ANSWERS)
