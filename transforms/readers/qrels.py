"""Relevance judgements in text files: TREC, MS MARCO and BEIR layouts."""

from collections.abc import Iterator

from transforms.readers.lines import fields, lines
from transforms.readers.rows import Rejected, Row, Source, bad, judgement_row


def read_qrels(
    source: Source, cap: int, most: int | None = None, *, beir: bool = False
) -> Iterator[Row]:
    """Judgements of `query document`, `query document grade` or `query 0 document grade` lines.

    With `beir`, the first line is skipped where its grade is not a number: it is the header.
    """
    widths = (3,) if beir else (2, 3, 4)
    first = True
    for number, data, size in lines(source.path, cap, most, source.digest):
        try:
            values = [value.strip() for value in fields(data, size)]
            header = beir and first and len(values) == 3 and not _numeric(values[2])
            first = False
            if header:
                continue
            if len(values) not in widths:
                wanted = " or ".join(map(str, widths))
                raise Rejected("wrong_columns", f"{len(values)} columns, expected {wanted}")
        except Rejected as why:
            yield bad(number, "qrels", why, data)
            continue
        query_id, doc_id = values[0], values[2 if len(values) == 4 else 1]
        grade = values[-1] if len(values) > 2 else 1
        yield judgement_row(number, query_id, doc_id, grade, data)


def _numeric(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True
